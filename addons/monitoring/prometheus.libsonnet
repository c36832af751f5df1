local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'monitoring';

function(p) {
  local all = self,
  local name = p.name + '-prometheus',
  local this = platform.component(p, stack, 'prometheus', p.versions.prometheus),

  service_account: kube.ServiceAccount(name) + this,
  cluster_role: kube.ClusterRole(platform.scoped(p, 'prometheus')) + platform.clusterComponent(p, stack, 'prometheus') {
    rules: [
      kube.rule([''], ['nodes', 'services', 'pods'], ['get', 'list', 'watch']),
      kube.rule(['discovery.k8s.io'], ['endpointslices'], ['get', 'list', 'watch']),
      kube.rule(['networking.k8s.io'], ['ingresses'], ['get', 'list', 'watch']),
      // What kubelets say of themselves and of containers.
      kube.rule([''], ['nodes/metrics'], ['get']),
      { nonResourceURLs: ['/metrics'], verbs: ['get'] },
    ],
  },
  cluster_role_binding: kube.ClusterRoleBinding(platform.scoped(p, 'prometheus')) + platform.clusterComponent(p, stack, 'prometheus') {
    roleRef_:: all.cluster_role,
    subjects_:: [all.service_account],
  },

  config: kube.ConfigMap(name) + this {
    data: {
      'prometheus.yml': std.manifestJsonEx((import 'scrape.libsonnet')(p), '  '),
    },
  },
  rules: kube.ConfigMap(name + '-rules') + this {
    data: (import 'rules.libsonnet')(p),
  },

  stateful_set: kube.StatefulSet(name) + this + platform.spread() {
    spec+: {
      replicas: p.replicas.prometheus,
      serviceName: all.headless_service.metadata.name,
      podManagementPolicy: 'Parallel',
      volumeClaimTemplates_+: {
        data: kube.PersistentVolumeClaim('data') { storage:: p.storage.prometheus, storageClass:: 'fast' },
      },
      template+: {
        metadata+: { annotations+: platform.scrape(9090) },
        spec+: platform.restricted(65534) + {
          serviceAccountName: all.service_account.metadata.name,
          automountServiceAccountToken: true,
          priorityClassName: platform.priority.standard,
          // It writes what is in memory to disk.
          terminationGracePeriodSeconds: 300,
          volumes_+: platform.awsVolumes {
            config: kube.ConfigMapVolume(all.config),
            rules: kube.ConfigMapVolume(all.rules),
          },
          containers_+: {
            prometheus: platform.Container('prometheus') + platform.awsContainer(p, all.service_account) {
              image: p.images.prometheus,
              args_+: {
                'config.file': '/etc/prometheus/config/prometheus.yml',
                'config.auto-reload': '',
                'config.auto-reload-interval': '30s',
                'storage.tsdb.path': '/prometheus',
                'web.external-url': 'https://' + p.hosts.prometheus + '/',
              },
              ports_+: { http: { containerPort: 9090 } },
              resources_:: p.resources.prometheus,
              // After a crash it reads its log again, which takes a while.
              startupProbe: platform.httpProbe('/-/ready', 'http', period=10, failures=90),
              readinessProbe: platform.httpProbe('/-/ready', 'http'),
              livenessProbe: platform.httpProbe('/-/healthy', 'http', failures=6),
              volumeMounts_+: {
                config: { mountPath: '/etc/prometheus/config', readOnly: true },
                rules: { mountPath: '/etc/prometheus/rules', readOnly: true },
                data: { mountPath: '/prometheus' },
              },
            },
          },
        },
      },
    },
  },
  headless_service: kube.HeadlessService(name + '-pods') + this {
    target_pod:: all.stateful_set.spec.template,
  },
  service: kube.Service(name) + this {
    target_pod:: all.stateful_set.spec.template,
    // With several, a session stays with one: their data differs by moments.
    spec+: { sessionAffinity: 'ClientIP' },
  },
  disruption_budget: kube.PodDisruptionBudget(name) + this {
    target_pod:: all.stateful_set.spec.template,
  },

  // Prometheus has no users of its own: nginx asks for the generated password.
  login: platform.GeneratedSecret(p, stack, 'login', p.images.grafana) {
    uid_:: 472,
    type_:: 'nginx.org/htpasswd',
    keys_:: { password: '$PASSWORD', htpasswd: 'platform:{PLAIN}$PASSWORD' },
  },
  ingress: platform.Ingress(name) + this {
    host:: p.hosts.prometheus,
    target_service:: all.service,
    metadata+: {
      annotations+: { 'nginx.org/basic-auth-secret': all.login.secretName, 'nginx.org/basic-auth-realm': 'Prometheus' },
    },
  },

  network_policy: kube.NetworkPolicy(name) + this {
    target_pod:: all.stateful_set.spec.template,
    spec+: {
      ingress_+: {
        ui: platform.fromPeers(['http'], [
          platform.inNamespace(p.ingressNamespace),
          // Grafana, and each other.
          { podSelector: { matchLabels: { 'app.kubernetes.io/name': stack, 'app.kubernetes.io/instance': p.name } } },
        ]),
      },
      egress_+: {
        pods: { to: [{ namespaceSelector: {} }] },
        // The API, kubelets and exporters on machines, and AWS.
        machines: platform.toPeers([443, 9100, 10250]),
      },
    },
  },
}
