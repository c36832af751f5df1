// What Elasticsearch says of itself, for Prometheus.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'logging';

function(p, users, elasticsearch) {
  local all = self,
  local name = p.name + '-exporter',
  local this = platform.component(p, stack, 'exporter', p.versions['elasticsearch-exporter']),

  service_account: kube.ServiceAccount(name) + this,
  deployment: kube.Deployment(name) + this {
    spec+: {
      template+: {
        metadata+: { annotations+: platform.scrape(9114) },
        spec+: platform.restricted() + {
          serviceAccountName: all.service_account.metadata.name,
          priorityClassName: platform.priority.standard,
          volumes_+: { certs: { secret: { secretName: p.name + '-elasticsearch', items: [{ key: 'ca.crt', path: 'ca.crt' }] } } },
          containers_+: {
            exporter: platform.Container('exporter') {
              image: p.images.exporter,
              args_+: {
                'es.uri': elasticsearch.url,
                'es.ca': '/certs/ca.crt',
                'es.all': '',
                'es.indices': '',
                'collector.snapshots': '',
              },
              env_+: { ES_USERNAME: 'exporter', ES_PASSWORD: kube.SecretKeyRef(users, 'exporter') },
              ports_+: { metrics: { containerPort: 9114 } },
              resources_:: p.resources.exporter,
              readinessProbe: platform.httpProbe('/healthz', 'metrics'),
              livenessProbe: platform.httpProbe('/healthz', 'metrics', failures=6),
              volumeMounts_+: { certs: { mountPath: '/certs', readOnly: true } },
            },
          },
        },
      },
    },
  },
  network_policy: kube.NetworkPolicy(name) + this {
    target_pod:: all.deployment.spec.template,
    spec+: {
      ingress_+: { metrics: platform.fromPeers(['metrics'], [platform.inNamespace(p.monitoringNamespace)]) },
      egress_+: { elasticsearch: platform.toPeers([9200], [{ podSelector: { matchLabels: elasticsearch.spec.selector } }]) },
    },
  },
}
