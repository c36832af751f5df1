// Grafana. All that it shows is in git: it keeps nothing, and a restart brings it
// back as it was.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'monitoring';

function(p) {
  local all = self,
  local name = p.name + '-grafana',
  local this = platform.component(p, stack, 'grafana', p.versions.grafana),

  config: kube.ConfigMap(name) + this {
    data: {
      'datasources.yml': std.manifestJsonEx({
        apiVersion: 1,
        datasources: [{
          name: 'Prometheus',
          uid: 'prometheus',
          type: 'prometheus',
          access: 'proxy',
          isDefault: true,
          url: 'http://' + p.name + '-prometheus.' + p.namespace + '.svc:9090',
          jsonData: { timeInterval: '30s', httpMethod: 'POST' },
        }],
      }, '  '),
      'dashboards.yml': std.manifestJsonEx({
        apiVersion: 1,
        providers: [{
          name: 'platform',
          folder: 'Platform',
          type: 'file',
          allowUiUpdates: false,
          options: { path: '/etc/grafana/dashboards' },
        }],
      }, '  '),
    },
  },
  dashboards: kube.ConfigMap(name + '-dashboards') + this {
    local dashboards = import 'dashboards/dashboards.libsonnet',
    data: { [key + '.json']: std.manifestJsonMinified(dashboards[key]) for key in std.objectFields(dashboards) },
  },

  admin: platform.GeneratedSecret(p, stack, 'grafana-admin', p.images.grafana) { uid_:: 472 },

  service_account: kube.ServiceAccount(name) + this,
  deployment: kube.Deployment(name) + this + platform.spread() {
    spec+: {
      replicas: p.replicas.grafana,
      template+: {
        metadata+: { annotations+: platform.scrape(3000) + platform.checksum(all.config) },
        spec+: platform.restricted(472) + {
          serviceAccountName: all.service_account.metadata.name,
          priorityClassName: platform.priority.standard,
          volumes_+: {
            admin: kube.SecretVolume(all.admin.secretName),
            config: kube.ConfigMapVolume(all.config),
            dashboards: kube.ConfigMapVolume(all.dashboards),
            data: kube.EmptyDirVolume(),
            tmp: kube.EmptyDirVolume(),
          },
          containers_+: {
            grafana: platform.Container('grafana') {
              image: p.images.grafana,
              env_+: {
                GF_SERVER_ROOT_URL: 'https://' + p.hosts.grafana + '/',
                GF_SECURITY_ADMIN_PASSWORD__FILE: '/etc/grafana/admin/password',
                GF_SECURITY_COOKIE_SECURE: true,
                GF_USERS_ALLOW_SIGN_UP: false,
                // Whoever reaches it may look; who changes things logs in.
                GF_AUTH_ANONYMOUS_ENABLED: true,
                GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
                // It sends nothing to anybody, and installs nothing.
                GF_ANALYTICS_REPORTING_ENABLED: false,
                GF_ANALYTICS_CHECK_FOR_UPDATES: false,
                GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: false,
                GF_PLUGINS_PREINSTALL_DISABLED: true,
                GF_LOG_MODE: 'console',
                GF_PATHS_DATA: '/var/lib/grafana',
              },
              ports_+: { http: { containerPort: 3000 } },
              resources_:: p.resources.grafana,
              startupProbe: platform.httpProbe('/api/health', 'http', period=3, failures=60),
              readinessProbe: platform.httpProbe('/api/health', 'http'),
              livenessProbe: platform.httpProbe('/api/health', 'http', failures=6),
              volumeMounts_+: {
                admin: { mountPath: '/etc/grafana/admin', readOnly: true },
                datasources: { name: 'config', mountPath: '/etc/grafana/provisioning/datasources/datasources.yml', subPath: 'datasources.yml', readOnly: true },
                provider: { name: 'config', mountPath: '/etc/grafana/provisioning/dashboards/dashboards.yml', subPath: 'dashboards.yml', readOnly: true },
                dashboards: { mountPath: '/etc/grafana/dashboards', readOnly: true },
                data: { mountPath: '/var/lib/grafana' },
                tmp: { mountPath: '/tmp' },
              },
            },
          },
        },
      },
    },
  },
  service: kube.Service(name) + this { target_pod:: all.deployment.spec.template },
  disruption_budget: kube.PodDisruptionBudget(name) + this { target_pod:: all.deployment.spec.template },
  ingress: platform.Ingress(name) + this {
    host:: p.hosts.grafana,
    target_service:: all.service,
    // Live updates.
    metadata+: { annotations+: { 'nginx.org/websocket-services': all.service.metadata.name } },
  },
  network_policy: kube.NetworkPolicy(name) + this {
    target_pod:: all.deployment.spec.template,
    spec+: {
      local prometheus = [{ podSelector: { matchLabels: { 'app.kubernetes.io/instance': p.name, 'app.kubernetes.io/component': 'prometheus' } } }],
      ingress_+: { ui: platform.fromPeers(['http'], [platform.inNamespace(p.ingressNamespace)] + prometheus) },
      egress_+: { prometheus: platform.toPeers([9090], prometheus) },
    },
  },
}
