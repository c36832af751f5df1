// Pushgateway: holds what the nightly drift report measured until the next one.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'monitoring';

function(p) {
  local all = self,
  local name = p.name + '-pushgateway',
  local this = platform.component(p, stack, 'pushgateway', p.versions.pushgateway),

  service_account: kube.ServiceAccount(name) + this,
  claim: kube.PersistentVolumeClaim(name) + this { storage:: '1Gi', storageClass:: 'fast' },
  deployment: kube.Deployment(name) + this {
    spec+: {
      replicas: 1,
      // Its volume is held by one pod at a time.
      strategy: { type: 'Recreate' },
      template+: {
        spec+: platform.restricted(65534) + {
          serviceAccountName: all.service_account.metadata.name,
          priorityClassName: platform.priority.standard,
          volumes_+: { data: kube.PersistentVolumeClaimVolume(all.claim) },
          containers_+: {
            pushgateway: platform.Container('pushgateway') {
              image: p.images.pushgateway,
              args_+: { 'persistence.file': '/data/metrics', 'persistence.interval': '1m' },
              ports_+: { http: { containerPort: 9091 } },
              resources_:: p.resources.pushgateway,
              readinessProbe: platform.httpProbe('/-/ready', 'http'),
              livenessProbe: platform.httpProbe('/-/healthy', 'http', failures=6),
              volumeMounts_+: { data: { mountPath: '/data' } },
            },
          },
        },
      },
    },
  },
  service: kube.Service(name) + this { target_pod:: all.deployment.spec.template },
  network_policy: kube.NetworkPolicy(name) + this {
    target_pod:: all.deployment.spec.template,
    spec+: {
      ingress_+: {
        prometheus: platform.fromPeers(['http'], [{ podSelector: { matchLabels: { 'app.kubernetes.io/component': 'prometheus' } } }]),
        drift: if p.driftJob == null then null else platform.fromPeers(['http'], [{ podSelector: { matchLabels: platform.labels(p, stack, 'drift') } }]),
        // Jenkins' agents.
        reports: platform.fromPeers(['http'], [{ namespaceSelector: { matchLabels: { 'platform/reports': 'true' } } }]),
      },
    },
  },
}
