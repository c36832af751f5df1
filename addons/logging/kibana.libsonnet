local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'logging';

function(p, users, elasticsearch) {
  local all = self,
  local name = p.name + '-kibana',
  local this = platform.component(p, stack, 'kibana', p.versions.kibana),

  service_account: kube.ServiceAccount(name) + this,
  config: kube.ConfigMap(name) + this {
    data: {
      'kibana.yml': std.manifestJsonEx({
        'server.host': '0.0.0.0',
        'server.name': name,
        'server.publicBaseUrl': 'https://' + p.host,
        'elasticsearch.hosts': [elasticsearch.url],
        'elasticsearch.username': 'kibana_system',
        'elasticsearch.password': '${ELASTICSEARCH_PASSWORD}',
        'elasticsearch.ssl.certificateAuthorities': ['/certs/ca.crt'],
        // The same in all pods, else they can't read each other's sessions.
        'xpack.encryptedSavedObjects.encryptionKey': '${ENCRYPTION_KEY}',
        'xpack.reporting.encryptionKey': '${ENCRYPTION_KEY}',
        'xpack.security.encryptionKey': '${ENCRYPTION_KEY}',
        'xpack.security.secureCookies': true,
        'telemetry.optIn': false,
        'telemetry.allowChangingOptInStatus': false,
      }, '  '),
    },
  },
  deployment: kube.Deployment(name) + this + platform.spread() {
    spec+: {
      replicas: p.replicas.kibana,
      template+: {
        metadata+: { annotations+: platform.checksum(all.config) },
        spec+: platform.restricted(1000) + {
          serviceAccountName: all.service_account.metadata.name,
          priorityClassName: platform.priority.standard,
          volumes_+: {
            certs: { secret: { secretName: p.name + '-elasticsearch', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            config: kube.ConfigMapVolume(all.config),
            data: kube.EmptyDirVolume(),
            tmp: kube.EmptyDirVolume(),
          },
          containers_+: {
            kibana: platform.Container('kibana') {
              image: p.images.kibana,
              env_+: {
                ELASTICSEARCH_PASSWORD: kube.SecretKeyRef(users, 'kibana'),
                ENCRYPTION_KEY: kube.SecretKeyRef(users, 'kibana-encryption'),
              },
              ports_+: { http: { containerPort: 5601 } },
              resources_:: p.resources.kibana,
              startupProbe: platform.httpProbe('/api/status', 'http', period=10, failures=60, timeout=10),
              readinessProbe: platform.httpProbe('/api/status', 'http', timeout=10),
              volumeMounts_+: {
                certs: { mountPath: '/certs', readOnly: true },
                config: { mountPath: '/usr/share/kibana/config/kibana.yml', subPath: 'kibana.yml', readOnly: true },
                data: { mountPath: '/usr/share/kibana/data' },
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
    host:: p.host,
    target_service:: all.service,
  },
  network_policy: kube.NetworkPolicy(name) + this {
    target_pod:: all.deployment.spec.template,
    spec+: {
      ingress_+: { ui: platform.fromPeers(['http'], [platform.inNamespace(p.ingressNamespace)]) },
      egress_+: { elasticsearch: platform.toPeers([9200], [{ podSelector: { matchLabels: elasticsearch.spec.selector } }]) },
    },
  },
}
