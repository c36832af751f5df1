// Alertmanager: who is told of what. Everything is mailed to the team; critical
// alerts also call somebody where `pager` says so.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'monitoring';

function(p) {
  local all = self,
  local name = p.name + '-alertmanager',
  local this = platform.component(p, stack, 'alertmanager', p.versions.alertmanager),
  local pods = name + '-pods',

  local configuration = {
    global: {
      resolve_timeout: '5m',
      smtp_smarthost: p.mail.smarthost,
      smtp_from: p.mail.from,
      smtp_require_tls: true,
    },
    route: {
      receiver: 'team',
      group_by: ['alertname', 'namespace'],
      group_wait: '30s',
      group_interval: '5m',
      repeat_interval: '12h',
      routes: [
        { receiver: 'nobody', matchers: ['alertname="Watchdog"'] },
      ] + (if p.pager then [{ receiver: 'pager', matchers: ['severity="critical"'], continue: true, repeat_interval: '1h' }] else []),
    },
    receivers: [
      { name: 'nobody' },
      { name: 'team', email_configs: [{ to: p.mail.to, send_resolved: true, headers: { Subject: '[' + p.cluster.name + '] {{ template "email.default.subject" . }}' } }] },
    ] + (if p.pager then [{ name: 'pager', pagerduty_configs: [{ routing_key_file: '/etc/alertmanager/pager/routing-key', send_resolved: true }] }] else []),
    // What has a cause that has been told needn't be told.
    inhibit_rules: [
      { source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: ['alertname', 'namespace'] },
      { source_matchers: ['alertname="NodeNotReady"'], target_matchers: ['alertname=~"PodNotReady|DaemonSetIncomplete|TargetDown"'], equal: ['node'] },
    ],
  },

  service_account: kube.ServiceAccount(name) + this,
  config: kube.ConfigMap(name) + this {
    data: { 'alertmanager.yml': std.manifestJsonEx(configuration, '  ') },
  },

  stateful_set: kube.StatefulSet(name) + this + platform.spread() {
    spec+: {
      replicas: p.replicas.alertmanager,
      serviceName: pods,
      podManagementPolicy: 'Parallel',
      volumeClaimTemplates_+: {
        data: kube.PersistentVolumeClaim('data') { storage:: p.storage.alertmanager, storageClass:: 'fast' },
      },
      template+: {
        metadata+: { annotations+: platform.scrape(9093) + platform.checksum(all.config) },
        spec+: platform.restricted(65534) + {
          serviceAccountName: all.service_account.metadata.name,
          priorityClassName: platform.priority.standard,
          volumes_+: { config: kube.ConfigMapVolume(all.config) } + (
            if p.pager then { pager: { secret: { secretName: name + '-pager', optional: true } } } else {}
          ),
          containers_+: {
            alertmanager: platform.Container('alertmanager') {
              image: p.images.alertmanager,
              args_+: {
                'config.file': '/etc/alertmanager/config/alertmanager.yml',
                'storage.path': '/alertmanager',
                'web.external-url': 'https://' + p.hosts.alertmanager + '/',
                'enable-feature': 'utf8-strict-mode',
              } + (
                if p.replicas.alertmanager == 1 then { 'cluster.listen-address=': '' }
                else {
                  'cluster.listen-address': '0.0.0.0:9094',
                  'cluster.peer': [
                    name + '-' + i + '.' + pods + '.' + p.namespace + '.svc:9094'
                    for i in std.range(0, p.replicas.alertmanager - 1)
                  ],
                }
              ),
              ports_+: {
                http: { containerPort: 9093 },
                'gossip-tcp': { containerPort: 9094 },
                'gossip-udp': { containerPort: 9094, protocol: 'UDP' },
              },
              resources_:: p.resources.alertmanager,
              readinessProbe: platform.httpProbe('/-/ready', 'http'),
              livenessProbe: platform.httpProbe('/-/healthy', 'http', failures=6),
              volumeMounts_+: {
                config: { mountPath: '/etc/alertmanager/config', readOnly: true },
                data: { mountPath: '/alertmanager' },
              } + (if p.pager then { pager: { mountPath: '/etc/alertmanager/pager', readOnly: true } } else {}),
            },
          },
        },
      },
    },
  },
  headless_service: kube.HeadlessService(pods) + this {
    target_pod:: all.stateful_set.spec.template,
    spec+: { ports_: { http: { port: 9093, targetPort: 'http' }, gossip: { port: 9094, targetPort: 'gossip-tcp' } } },
  },
  service: kube.Service(name) + this {
    target_pod:: all.stateful_set.spec.template,
    spec+: { ports_: { http: { port: 9093, targetPort: 'http' } } },
  },
  disruption_budget: kube.PodDisruptionBudget(name) + this {
    target_pod:: all.stateful_set.spec.template,
  },
  ingress: platform.Ingress(name) + this {
    host:: p.hosts.alertmanager,
    target_service:: all.service,
    metadata+: {
      // The same password as Prometheus'.
      annotations+: { 'nginx.org/basic-auth-secret': p.name + '-login', 'nginx.org/basic-auth-realm': 'Alertmanager' },
    },
  },
  network_policy: kube.NetworkPolicy(name) + this {
    target_pod:: all.stateful_set.spec.template,
    spec+: {
      local own = [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': stack, 'app.kubernetes.io/instance': p.name } } }],
      ingress_+: {
        ui: platform.fromPeers(['http'], [platform.inNamespace(p.ingressNamespace)] + own),
        gossip: platform.fromPeers([9094, 'UDP/9094'], own),
      },
      egress_+: {
        gossip: platform.toPeers([9094, 'UDP/9094'], own),
        receivers: platform.toInternet([443, 587]),
      },
    },
  },
}
