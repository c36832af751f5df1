// blackbox-exporter: tries what people would, as Prometheus tells it to.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'monitoring';

function(p) {
  local all = self,
  local name = p.name + '-blackbox',
  local this = platform.component(p, stack, 'blackbox', p.versions['blackbox-exporter']),

  config: kube.ConfigMap(name) + this {
    data: {
      'blackbox.yml': std.manifestJsonEx({
        modules: {
          // Whoever asks for a login answers.
          https: {
            prober: 'http',
            timeout: '10s',
            http: {
              fail_if_not_ssl: true,
              follow_redirects: true,
              preferred_ip_protocol: 'ip4',
              valid_status_codes: [200, 204, 301, 302, 303, 307, 308, 401, 403],
            },
          },
          tcp: { prober: 'tcp', timeout: '5s', tcp: { preferred_ip_protocol: 'ip4' } },
        },
      }, '  '),
    },
  },
  service_account: kube.ServiceAccount(name) + this,
  deployment: kube.Deployment(name) + this + platform.spread() {
    spec+: {
      replicas: p.replicas.blackbox,
      template+: {
        metadata+: { annotations+: platform.scrape(9115) + platform.checksum(all.config) },
        spec+: platform.restricted(65534) + {
          serviceAccountName: all.service_account.metadata.name,
          priorityClassName: platform.priority.standard,
          volumes_+: { config: kube.ConfigMapVolume(all.config) },
          containers_+: {
            blackbox: platform.Container('blackbox') {
              image: p.images.blackbox,
              args_+: { 'config.file': '/etc/blackbox/blackbox.yml' },
              ports_+: { http: { containerPort: 9115 } },
              resources_:: p.resources.blackbox,
              readinessProbe: platform.httpProbe('/-/healthy', 'http'),
              livenessProbe: platform.httpProbe('/-/healthy', 'http', failures=6),
              volumeMounts_+: { config: { mountPath: '/etc/blackbox', readOnly: true } },
            },
          },
        },
      },
    },
  },
  service: kube.Service(name) + this { target_pod:: all.deployment.spec.template },
  disruption_budget: kube.PodDisruptionBudget(name) + this { target_pod:: all.deployment.spec.template },
  network_policy: kube.NetworkPolicy(name) + this {
    target_pod:: all.deployment.spec.template,
    spec+: {
      ingress_+: { prometheus: platform.fromPeers(['http'], [{ podSelector: { matchLabels: { 'app.kubernetes.io/component': 'prometheus' } } }]) },
      egress_+: {
        services: { to: [{ namespaceSelector: {} }] },
        hosts: platform.toPeers([80, 443]),
      },
    },
  },
}
