local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'logging';

function(p, users) {
  local all = self,
  local name = p.name + '-elasticsearch',
  local nodes = name + '-nodes',
  local this = platform.component(p, stack, 'elasticsearch', p.versions.elasticsearch),
  local single = p.replicas.elasticsearch == 1,
  local home = '/usr/share/elasticsearch',

  local tls = {
    enabled: true,
    certificate: 'certs/tls.crt',
    key: 'certs/tls.key',
    certificate_authorities: ['certs/ca.crt'],
  },

  service_account: kube.ServiceAccount(name) + this,
  config: kube.ConfigMap(name) + this {
    local settings = {
      'cluster.name': p.cluster.name + '-' + p.name,
      'node.name': '${POD_NAME}',
      'network.host': '0.0.0.0',
      'network.publish_host': '${POD_IP}',
      'path.data': home + '/data',
      'path.logs': home + '/logs',
      // A port that opens when the node has joined the cluster.
      'readiness.port': 9399,
      'action.destructive_requires_name': true,
      'xpack.security.enabled': true,
      'xpack.security.enrollment.enabled': false,
      'xpack.security.autoconfiguration.enabled': false,
      'xpack.security.transport.ssl': tls { verification_mode: 'certificate' },
      'xpack.security.http.ssl': tls,
      's3.client.default.region': p.cluster.region,
    } + (if single then { 'discovery.type': 'single-node' } else { 'discovery.seed_hosts': [nodes] }),
    local yaml(settings) = std.join('', [
      key + ': ' + std.manifestJsonMinified(settings[key]) + '\n'
      for key in std.objectFields(settings)
    ]),
    data: {
      'elasticsearch.yml': yaml(settings),
      // Added for nodes without data only. Nodes that have some must never form a
      // cluster anew: two halves could.
      'first-start.yml':
        if single then ''
        else yaml({ 'cluster.initial_master_nodes': [name + '-' + i for i in std.range(0, p.replicas.elasticsearch - 1)] }),
    },
  },

  // One node per zone, so that the copies of a shard are in different ones.
  stateful_set: kube.StatefulSet(name) + this + platform.spread(strict=true) {
    spec+: {
      replicas: p.replicas.elasticsearch,
      serviceName: nodes,
      // Nodes find each other only when several are there.
      podManagementPolicy: 'Parallel',
      volumeClaimTemplates_+: {
        data: kube.PersistentVolumeClaim('data') { storage:: p.storage.elasticsearch, storageClass:: 'fast' },
      },
      template+: {
        local template = self,
        metadata+: { annotations+: platform.checksum(all.config) },
        spec+: platform.restricted(1000) + {
          serviceAccountName: all.service_account.metadata.name,
          priorityClassName: platform.priority.standard,
          terminationGracePeriodSeconds: 300,
          // Two nodes on one machine would be lost together.
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [{
                topologyKey: 'kubernetes.io/hostname',
                labelSelector: { matchLabels: kube.stableLabels(template.metadata.labels) },
              }],
            },
          },
          volumes_+: platform.awsVolumes {
            certs: kube.SecretVolume(name),
            settings: kube.ConfigMapVolume(all.config),
            config: kube.EmptyDirVolume(),
            logs: kube.EmptyDirVolume(),
            tmp: kube.EmptyDirVolume(),
          },
          local mounts = {
            config: { mountPath: home + '/config' },
            logs: { mountPath: home + '/logs' },
            tmp: { mountPath: '/tmp' },
          },
          initContainers_+: {
            // Elasticsearch writes a keystore next to its configuration, and reads
            // AWS' token only from there.
            config: platform.Container('config') {
              image: p.images.elasticsearch,
              command: ['sh', '-ec', |||
                cp -r %(home)s/config/. /mnt/config/
                cp /mnt/settings/elasticsearch.yml /mnt/config/elasticsearch.yml
                if [ ! -e %(home)s/data/_state ]; then cat /mnt/settings/first-start.yml >> /mnt/config/elasticsearch.yml; fi
                mkdir -p /mnt/config/repository-s3
                ln -sfn /var/run/secrets/amazonaws.com/token /mnt/config/repository-s3/aws-web-identity-token-file
              ||| % { home: home }],
              resources_:: { cpu: '10m', memory: '64Mi' },
              volumeMounts_+: {
                config: { mountPath: '/mnt/config' },
                settings: { mountPath: '/mnt/settings', readOnly: true },
                data: { mountPath: home + '/data', readOnly: true },
              },
            },
          },
          containers_+: {
            elasticsearch: platform.Container('elasticsearch') + platform.awsContainer(p, all.service_account) {
              image: p.images.elasticsearch,
              env_+: {
                AWS_ROLE_SESSION_NAME: name,
                // Of the user elastic, when the data is still empty.
                ELASTIC_PASSWORD: kube.SecretKeyRef(users, 'elastic'),
                ES_TMPDIR: '/tmp',
                POD_IP: kube.FieldRef('status.podIP'),
                POD_NAME: kube.FieldRef('metadata.name'),
              },
              ports_+: {
                http: { containerPort: 9200 },
                transport: { containerPort: 9300 },
                readiness: { containerPort: 9399 },
              },
              resources_:: p.resources.elasticsearch,
              startupProbe: platform.tcpProbe('http', period=10, failures=60),
              // No liveness probe: a node that is busy must not be ended for it.
              readinessProbe: platform.tcpProbe('readiness', period=5),
              volumeMounts_+: mounts {
                certs: { mountPath: home + '/config/certs', readOnly: true },
                data: { mountPath: home + '/data' },
              },
            },
          },
        },
      },
    },
  },
  nodes: kube.HeadlessService(nodes) + this {
    target_pod:: all.stateful_set.spec.template,
    spec+: { ports_: { transport: { port: 9300, targetPort: 'transport' } } },
  },
  service: kube.Service(name) + this {
    target_pod:: all.stateful_set.spec.template,
    spec+: { ports_: { https: { port: 9200, targetPort: 'http' } } },
    url:: 'https://' + self.host_colon_port,
  },
  disruption_budget: kube.PodDisruptionBudget(name) + this { target_pod:: all.stateful_set.spec.template },
  network_policy: kube.NetworkPolicy(name) + this {
    target_pod:: all.stateful_set.spec.template,
    spec+: {
      ingress_+: {
        clients: platform.fromPeers(['http'], [
          { podSelector: { matchLabels: { 'app.kubernetes.io/name': stack, 'app.kubernetes.io/instance': p.name } } },
          platform.inNamespace(p.fluentd.namespace),
        ]),
        nodes: platform.fromPeers(['transport'], [platform.podsOf(all.stateful_set)]),
      },
      egress_+: {
        nodes: platform.toPeers(['transport'], [platform.podsOf(all.stateful_set)]),
        aws: platform.toInternet([443]),
      },
    },
  },
}
