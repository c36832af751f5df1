// kube-state-metrics: what the API says of objects, as measurements.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'monitoring';

function(p) {
  local all = self,
  local name = p.name + '-kube-state-metrics',
  local this = platform.component(p, stack, 'kube-state-metrics', p.versions['kube-state-metrics']),

  // By API group. No Secrets: nobody measures them, so it needn't read them.
  local resources = {
    '': ['namespaces', 'nodes', 'persistentvolumeclaims', 'persistentvolumes', 'pods', 'resourcequotas', 'services'],
    apps: ['daemonsets', 'deployments', 'replicasets', 'statefulsets'],
    autoscaling: ['horizontalpodautoscalers'],
    batch: ['cronjobs', 'jobs'],
    'networking.k8s.io': ['ingresses'],
    policy: ['poddisruptionbudgets'],
    'storage.k8s.io': ['storageclasses'],
  },

  service_account: kube.ServiceAccount(name) + this,
  cluster_role: kube.ClusterRole(platform.scoped(p, 'kube-state-metrics')) + platform.clusterComponent(p, stack, 'kube-state-metrics') {
    rules: [kube.rule([group], resources[group], ['list', 'watch']) for group in std.objectFields(resources)],
  },
  cluster_role_binding: kube.ClusterRoleBinding(platform.scoped(p, 'kube-state-metrics')) + platform.clusterComponent(p, stack, 'kube-state-metrics') {
    roleRef_:: all.cluster_role,
    subjects_:: [all.service_account],
  },
  deployment: kube.Deployment(name) + this {
    spec+: {
      // Two would count everything twice.
      replicas: 1,
      template+: {
        metadata+: { annotations+: platform.scrape(8080) },
        spec+: platform.restricted() + {
          serviceAccountName: all.service_account.metadata.name,
          automountServiceAccountToken: true,
          priorityClassName: platform.priority.standard,
          containers_+: {
            'kube-state-metrics': platform.Container('kube-state-metrics') {
              image: p.images.kubeStateMetrics,
              args_+: { resources: std.join(',', std.set(std.flattenArrays(std.objectValues(resources)))) },
              ports_+: { http: { containerPort: 8080 }, telemetry: { containerPort: 8081 } },
              resources_:: p.resources.kubeStateMetrics,
              readinessProbe: platform.httpProbe('/readyz', 'telemetry'),
              livenessProbe: platform.httpProbe('/livez', 'http', failures=6),
            },
          },
        },
      },
    },
  },
  network_policy: kube.NetworkPolicy(name) + this {
    target_pod:: all.deployment.spec.template,
    spec+: {
      ingress_+: { metrics: platform.fromPeers(['http', 'telemetry'], [{ podSelector: { matchLabels: { 'app.kubernetes.io/component': 'prometheus' } } }]) },
      egress_+: { api: platform.toAPI() },
    },
  },
}
