// fluentd: reads every container's log on each machine and writes it to
// Elasticsearch (see fluentd.conf). It runs as root to read the files, so its
// namespace is privileged and holds nothing else.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'fluentd';

function(params)
  local p = platform.params(stack, platform.stackParams(stack) {
    local p = self,
    image: 'docker.io/fluent/fluentd-kubernetes-daemonset:' + p.versions[stack],
    // Elasticsearch, and the namespace and service account that write the Secret
    // with the password and the certificate authority for it: see setup.libsonnet.
    elasticsearch: { url: 'https://logging-elasticsearch.logging.svc:9200', namespace: 'logging', setup: 'logging-setup' },
    secret: p.name + '-elasticsearch',
    // What each machine keeps while Elasticsearch is away.
    bufferSize: '4GB',
    resources: { cpu: '100m', memory: '384Mi', memoryLimit: '768Mi' },
    monitoringNamespace: 'monitoring',
  }, params);
  local this = platform.component(p, stack, 'fluentd', p.versions[stack]);

  {
    local all = self,

    service_account: kube.ServiceAccount(p.name) + this,
    cluster_role: kube.ClusterRole(platform.scoped(p)) + platform.clusterComponent(p, stack, 'fluentd') {
      rules: [kube.rule([''], ['pods', 'namespaces'], ['get', 'list', 'watch'])],
    },
    cluster_role_binding: kube.ClusterRoleBinding(platform.scoped(p)) + platform.clusterComponent(p, stack, 'fluentd') {
      roleRef_:: all.cluster_role,
      subjects_:: [all.service_account],
    },
    // For the set-up of Elasticsearch.
    role: kube.Role(p.name + '-setup') + this {
      rules: [
        kube.rule([''], ['secrets'], ['get', 'patch'], [p.secret]),
        kube.rule([''], ['secrets'], ['create']),
      ],
    },
    role_binding: kube.RoleBinding(p.name + '-setup') + this {
      roleRef_:: all.role,
      subjects_:: [{ kind: 'ServiceAccount', metadata: { name: p.elasticsearch.setup, namespace: p.elasticsearch.namespace } }],
    },

    config: kube.ConfigMap(p.name) + this {
      // Its own logs would be read, written and logged for ever.
      data: { 'fluent.conf': std.strReplace(importstr 'fluentd.conf', '${ENV_NAMESPACE}', p.namespace) },
    },
    daemon_set: kube.DaemonSet(p.name) + this {
      spec+: {
        updateStrategy+: { rollingUpdate+: { maxUnavailable: '10%' } },
        template+: {
          metadata+: { annotations+: platform.scrape(24231) + platform.checksum(all.config) },
          spec+: {
            serviceAccountName: all.service_account.metadata.name,
            automountServiceAccountToken: true,
            priorityClassName: 'system-node-critical',
            tolerations: [{ operator: 'Exists' }],
            terminationGracePeriodSeconds: 60,
            securityContext: { runAsUser: 0, runAsGroup: 0, seccompProfile: { type: 'RuntimeDefault' } },
            volumes_+: {
              config: kube.ConfigMapVolume(all.config),
              elasticsearch: kube.SecretVolume(p.secret),
              logs: kube.HostPathVolume('/var/log'),
              state: kube.HostPathVolume('/var/lib/fluentd', 'DirectoryOrCreate'),
              tmp: kube.EmptyDirVolume(),
            },
            containers_+: {
              fluentd: platform.Container('fluentd') {
                image: p.image,
                env_+: {
                  BUFFER_SIZE: p.bufferSize,
                  ELASTICSEARCH_PASSWORD: kube.SecretKeyRef(p.secret, 'password'),
                  ELASTICSEARCH_URL: p.elasticsearch.url,
                  FLUENT_UID: '0',
                  K8S_NODE_NAME: kube.FieldRef('spec.nodeName'),
                },
                ports_+: { metrics: { containerPort: 24231 } },
                resources_:: p.resources,
                startupProbe: platform.httpProbe('/metrics', 'metrics', period=5, failures=60),
                readinessProbe: platform.httpProbe('/metrics', 'metrics', period=30, timeout=10),
                livenessProbe: platform.httpProbe('/metrics', 'metrics', period=60, failures=5, timeout=15),
                volumeMounts_+: {
                  config: { mountPath: '/fluentd/etc', readOnly: true },
                  elasticsearch: { mountPath: '/etc/elasticsearch', readOnly: true },
                  logs: { mountPath: '/var/log', readOnly: true },
                  state: { mountPath: '/var/lib/fluentd' },
                  tmp: { mountPath: '/tmp' },
                },
              },
            },
          },
        },
      },
    },
    network_policy: kube.NetworkPolicy(p.name) + this {
      target_pod:: all.daemon_set.spec.template,
      spec+: {
        ingress_+: { metrics: platform.fromPeers(['metrics'], [platform.inNamespace(p.monitoringNamespace)]) },
        egress_+: {
          api: platform.toAPI(),
          elasticsearch: platform.toPeers([9200], [platform.inNamespace(p.elasticsearch.namespace)]),
        },
      },
    },
  }
