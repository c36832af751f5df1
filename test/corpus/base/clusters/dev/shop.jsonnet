// A web shop, the smallest thing with one of each.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

local p = cluster.params('shop') { name: 'shop' };
local shop = platform.component(p, 'shop', 'web');

{
  local all = self,

  namespace: platform.Namespace('shop'),

  config: kube.ConfigMap('shop') + shop {
    data: { 'shop.conf': 'greeting = hello\n' },
  },

  service_account: kube.ServiceAccount('shop') + shop,

  role: kube.Role('shop') + shop {
    rules: [kube.rule([''], ['configmaps'], ['get'])],
  },

  role_binding: kube.RoleBinding('shop') + shop {
    roleRef_:: all.role,
    subjects_:: [all.service_account],
  },

  deployment: kube.Deployment('shop') + shop + platform.spread() {
    spec+: {
      replicas: null,
      template+: {
        metadata+: { annotations+: platform.scrape(9090) },
        spec+: platform.restricted() + {
          serviceAccountName: all.service_account.metadata.name,
          volumes_+: {
            config: kube.ConfigMapVolume(all.config),
          },
          containers_+: {
            web: platform.Container('web') {
              image: 'docker.io/example/shop:' + cluster.versions.shop,
              ports_+: { http: { containerPort: 8080 }, metrics: { containerPort: 9090 } },
              env_+: { GREETING: { configMapKeyRef: { name: 'shop', key: 'shop.conf' } } },
              resources_:: { cpu: '10m', memory: '32Mi' },
              readinessProbe: platform.httpProbe('/ready', 'http'),
              livenessProbe: platform.httpProbe('/live', 'http'),
              volumeMounts_+: {
                config: { mountPath: '/etc/shop', readOnly: true },
              },
            },
          },
        },
      },
    },
  },

  service: kube.Service('shop') + shop {
    target_pod:: all.deployment.spec.template,
    port:: 80,
  },

  autoscaler: kube.HorizontalPodAutoscaler('shop') + shop {
    target:: all.deployment,
    spec+: { minReplicas: 2, maxReplicas: 4 },
  },

  disruption_budget: kube.PodDisruptionBudget('shop') + shop {
    target_pod:: all.deployment.spec.template,
  },

  network_policy: kube.NetworkPolicy('shop') + shop {
    target_pod:: all.deployment.spec.template,
    spec+: { ingress_+: { http: platform.fromPeers(['http']) } },
  },

  ingress: platform.Ingress('shop') + shop {
    host:: 'shop.' + cluster.hostSuffix,
    target_service:: all.service,
  },
}
