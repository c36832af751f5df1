// cert-manager: certificates for every Ingress, from Let's Encrypt, by DNS-01 over
// Route 53.
//
// There are two ClusterIssuers, letsencrypt and letsencrypt-staging, and the first
// is the default: an Ingress with `kubernetes.io/tls-acme: "true"` and a `tls`
// section gets its certificate from it. addons/nginx-ingress adds both to Ingresses
// that have neither.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local definitions = import 'crds/crds.libsonnet';

local stack = 'cert-manager';

function(params)
  local p = platform.params(stack, platform.stackParams(stack) {
    local p = self,
    // The registry's folder with the images of all components.
    registry: 'quay.io/jetstack',
    // Who is told by the certificate authority.
    email: p.cluster.org.team,
    defaultIssuer: 'letsencrypt',
    servers: {
      letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
      'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
    },
    // Whether this instance brings what there can only be one of: the definitions
    // and, since their names are what Ingresses go by, the issuers.
    shared: true,
    replicas: { controller: 2, webhook: 2, cainjector: 2 },
    resources: {
      controller: { cpu: '20m', memory: '128Mi', memoryLimit: '256Mi' },
      webhook: { cpu: '10m', memory: '48Mi', memoryLimit: '96Mi' },
      cainjector: { cpu: '20m', memory: '128Mi', memoryLimit: '256Mi' },
    },
    monitoringNamespace: 'monitoring',
  }, params);
  local version = p.versions[stack];

  // What all three components have in common. The webhook's name is the prefix of
  // the Secret in which it keeps the certificate that it makes for itself.
  local component(name, suffix) = {
    local all = self,
    local this = platform.component(p, stack, name, version),
    local fullName = p.name + suffix,

    service_account: kube.ServiceAccount(fullName) + this,
    deployment: kube.Deployment(fullName) + this + platform.spread() {
      spec+: {
        replicas: p.replicas[name],
        template+: {
          metadata+: { annotations+: platform.scrape(9402) },
          spec+: platform.restricted(1000) + {
            serviceAccountName: all.service_account.metadata.name,
            automountServiceAccountToken: true,
            priorityClassName: platform.priority.critical,
            containers_+: {
              [name]: platform.Container(name) {
                image: p.registry + '/cert-manager-' + name + ':' + version,
                args_+: { v: '2' },
                env_+: { POD_NAMESPACE: kube.FieldRef('metadata.namespace') },
                ports_+: { metrics: { containerPort: 9402 } },
                resources_:: p.resources[name],
              },
            },
          },
        },
      },
    },
    disruption_budget: kube.PodDisruptionBudget(fullName) + this {
      target_pod:: all.deployment.spec.template,
    },
    network_policy: kube.NetworkPolicy(fullName) + this {
      target_pod:: all.deployment.spec.template,
      spec+: {
        ingress_+: { metrics: platform.fromPeers(['metrics'], [platform.inNamespace(p.monitoringNamespace)]) },
        egress_+: { api: platform.toAPI() },
      },
    },
    // Cluster roles and what binds them to this component.
    cluster_roles_:: {},
    rbac: {
      [kind + '_' + role]:
        local fullName = platform.scoped(p, role);
        if kind == 'role' then kube.ClusterRole(fullName) + platform.clusterComponent(p, stack, name) { rules: all.cluster_roles_[role] }
        else kube.ClusterRoleBinding(fullName) + platform.clusterComponent(p, stack, name) {
          roleRef_:: all.rbac['role_' + role],
          subjects_:: [all.service_account],
        }
      for role in std.objectFields(all.cluster_roles_)
      for kind in ['role', 'binding']
    },
    // Rights in the namespace.
    rules_:: [],
    role: kube.Role(fullName) + this { rules: all.rules_ },
    role_binding: kube.RoleBinding(fullName) + this {
      roleRef_:: all.role,
      subjects_:: [all.service_account],
    },
  };

  local leader(names) = [
    kube.rule(['coordination.k8s.io'], ['leases'], ['get', 'update', 'patch'], names),
    kube.rule(['coordination.k8s.io'], ['leases'], ['create']),
  ];
  local events = kube.rule([''], ['events'], ['create', 'patch']);
  local read = ['get', 'list', 'watch'];
  local cm = ['cert-manager.io'];
  local acme = ['acme.cert-manager.io'];

  {
    [if p.shared then 'definitions']: {
      [name]: definitions[platform.tag(version)][name] { metadata+: { labels+: { 'app.kubernetes.io/name': stack } } }
      for name in std.objectFields(definitions[platform.tag(version)])
    },

    controller: component('controller', '') {
      local this = self,
      rules_:: leader(['cert-manager-controller']),
      cluster_roles_:: {
        issuers: [
          kube.rule(cm, ['issuers', 'issuers/status', 'clusterissuers', 'clusterissuers/status'], ['update', 'patch']),
          kube.rule(cm, ['issuers', 'clusterissuers'], read),
          kube.rule([''], ['secrets'], read + ['create', 'update', 'delete']),
          events,
        ],
        certificates: [
          kube.rule(cm, ['certificates', 'certificates/status', 'certificaterequests', 'certificaterequests/status'], ['update', 'patch']),
          kube.rule(cm, ['certificates', 'certificaterequests', 'clusterissuers', 'issuers'], read),
          kube.rule(cm, ['certificates/finalizers', 'certificaterequests/finalizers'], ['update']),
          kube.rule(acme, ['orders'], read + ['create', 'delete']),
          kube.rule([''], ['secrets'], read + ['create', 'update', 'delete', 'patch']),
          events,
        ],
        orders: [
          kube.rule(acme, ['orders', 'orders/status'], ['update', 'patch']),
          kube.rule(acme, ['orders', 'challenges'], read),
          kube.rule(acme, ['challenges'], ['create', 'delete']),
          kube.rule(acme, ['orders/finalizers'], ['update']),
          kube.rule(cm, ['clusterissuers', 'issuers'], read),
          kube.rule(cm, ['clusterissuers/finalizers', 'issuers/finalizers'], ['update']),
          kube.rule([''], ['secrets'], read),
          events,
        ],
        // Without what HTTP-01 needs (pods, services, ingresses): names are proved
        // by DNS alone.
        challenges: [
          kube.rule(acme, ['challenges', 'challenges/status'], ['update', 'patch']),
          kube.rule(acme, ['challenges'], read),
          kube.rule(acme, ['challenges/finalizers'], ['update']),
          kube.rule(cm, ['issuers', 'clusterissuers'], read),
          kube.rule([''], ['secrets', 'pods', 'services'], read),
          kube.rule(['networking.k8s.io'], ['ingresses'], read),
          events,
        ],
        'ingress-shim': [
          kube.rule(cm, ['certificates', 'certificaterequests'], ['create', 'update', 'delete']),
          kube.rule(cm, ['certificates', 'certificaterequests', 'issuers', 'clusterissuers'], read),
          kube.rule(['networking.k8s.io'], ['ingresses'], read),
          kube.rule(['networking.k8s.io'], ['ingresses/finalizers'], ['update']),
          events,
        ],
        approver: [
          kube.rule(cm, ['signers'], ['approve'], ['issuers.cert-manager.io/*', 'clusterissuers.cert-manager.io/*']),
        ],
      },
      deployment+: {
        spec+: {
          template+: {
            spec+: {
              volumes_+: platform.awsVolumes,
              containers_+: {
                controller+: platform.awsContainer(p, this.service_account) {
                  args_+: {
                    'cluster-resource-namespace': '$(POD_NAMESPACE)',
                    'leader-election-namespace': '$(POD_NAMESPACE)',
                    'default-issuer-name': p.defaultIssuer,
                    'default-issuer-kind': 'ClusterIssuer',
                    'default-issuer-group': 'cert-manager.io',
                    'max-concurrent-challenges': '60',
                    // A challenge is ready when the zone's own servers say so, not
                    // when the cluster's cache does.
                    'dns01-recursive-nameservers': '1.1.1.1:53,9.9.9.9:53',
                  },
                  ports_+: { healthz: { containerPort: 9403 } },
                  // It is ready when it runs; what it waits for is its lease.
                  livenessProbe: platform.httpProbe('/livez', 'healthz', failures=8, timeout=15) { initialDelaySeconds: 10 },
                  readinessProbe: platform.httpProbe('/livez', 'healthz', timeout=15),
                },
              },
            },
          },
        },
      },
      network_policy+: {
        spec+: {
          egress_+: {
            // Let's Encrypt and AWS.
            internet: platform.toInternet([443]),
            // Name servers outside of the cluster: see above.
            dns: platform.toInternet([53, 'UDP/53']),
          },
        },
      },
    },

    cainjector: component('cainjector', '-cainjector') {
      rules_:: leader(['cert-manager-cainjector-leader-election', 'cert-manager-cainjector-leader-election-core']),
      cluster_roles_:: {
        cainjector: [
          kube.rule(cm, ['certificates'], read),
          kube.rule([''], ['secrets'], read),
          kube.rule([''], ['events'], ['get', 'create', 'update', 'patch']),
          kube.rule(['admissionregistration.k8s.io'], ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'], read + ['update', 'patch']),
          kube.rule(['apiregistration.k8s.io'], ['apiservices'], read + ['update', 'patch']),
          kube.rule(['apiextensions.k8s.io'], ['customresourcedefinitions'], read + ['update', 'patch']),
        ],
      },
      deployment+: {
        spec+: {
          template+: {
            spec+: {
              containers_+: {
                cainjector+: {
                  args_+: { 'leader-election-namespace': '$(POD_NAMESPACE)' },
                  readinessProbe: platform.tcpProbe('metrics'),
                },
              },
            },
          },
        },
      },
    },

    webhook: component('webhook', '-webhook') {
      local this = self,
      local ca = this.deployment.metadata.name + '-ca',
      rules_:: [
        kube.rule([''], ['secrets'], read + ['update'], [ca]),
        kube.rule([''], ['secrets'], ['create']),
      ],
      cluster_roles_:: {
        webhook: [kube.rule(['authorization.k8s.io'], ['subjectaccessreviews'], ['create'])],
      },
      deployment+: platform.provides(['Secret ' + ca + ': ca.crt, tls.crt, tls.key']) {
        spec+: {
          template+: {
            spec+: {
              containers_+: {
                webhook+: {
                  args_+: {
                    'secure-port': '10250',
                    'dynamic-serving-ca-secret-namespace': '$(POD_NAMESPACE)',
                    'dynamic-serving-ca-secret-name': ca,
                    'dynamic-serving-dns-names': [
                      this.service.metadata.name + suffix
                      for suffix in ['', '.$(POD_NAMESPACE)', '.$(POD_NAMESPACE).svc']
                    ],
                  },
                  ports_+: { https: { containerPort: 10250 }, healthz: { containerPort: 6080 } },
                  startupProbe: platform.httpProbe('/livez', 'healthz', period=2, failures=30),
                  livenessProbe: platform.httpProbe('/livez', 'healthz'),
                  readinessProbe: platform.httpProbe('/healthz', 'healthz', period=5),
                },
              },
            },
          },
        },
      },
      network_policy+: {
        // The API server calls from machines, whose addresses a pod selector
        // doesn't cover.
        spec+: { ingress_+: { webhook: platform.fromPeers(['https']) } },
      },
      service: kube.Service(p.name + '-webhook') + platform.component(p, stack, 'webhook', version) {
        target_pod:: this.deployment.spec.template,
        spec+: { ports_: { https: { port: 443, targetPort: 'https' } } },
      },

      local configuration = platform.clusterComponent(p, stack, 'webhook') {
        // The injector fills in the certificate authority.
        metadata+: { annotations+: { 'cert-manager.io/inject-ca-from-secret': p.namespace + '/' + ca } },
      },
      local call(path, rule) = {
        clientConfig: { service: { name: this.service.metadata.name, namespace: p.namespace, path: path, port: 443 } },
        rules: [rule { scope: '*' }],
        matchPolicy: 'Equivalent',
        failurePolicy: 'Fail',
        timeoutSeconds: 10,
      },
      validating: kube.ValidatingWebhookConfiguration(platform.scoped(p, 'webhook')) + configuration {
        webhooks_+: {
          'webhook.cert-manager.io': call('/validate', {
            apiGroups: cm + acme,
            apiVersions: ['v1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['*/*'],
          }) {
            // Whoever repairs cert-manager must not need it.
            namespaceSelector: {
              matchExpressions: [{ key: 'cert-manager.io/disable-validation', operator: 'NotIn', values: ['true'] }],
            },
          },
        },
      },
      mutating: kube.MutatingWebhookConfiguration(platform.scoped(p, 'webhook')) + configuration {
        webhooks_+: {
          'webhook.cert-manager.io': call('/mutate', {
            apiGroups: cm,
            apiVersions: ['v1'],
            operations: ['CREATE'],
            resources: ['certificaterequests'],
          }),
        },
      },
    },

    // What people may do with certificates, added to the roles that they have. Not
    // creating orders and challenges: their authors could borrow an issuer's rights.
    local aggregated(suffix, targets) = kube.ClusterRole(platform.scoped(p, suffix)) + platform.clusterComponent(p, stack, 'access') {
      metadata+: { labels+: { ['rbac.authorization.k8s.io/aggregate-to-' + target]: 'true' for target in targets } },
    },
    view: aggregated('view', ['view', 'edit', 'admin']) {
      rules: [
        kube.rule(cm, ['certificates', 'certificaterequests', 'issuers'], read),
        kube.rule(acme, ['challenges', 'orders'], read),
      ],
    },
    edit: aggregated('edit', ['edit', 'admin']) {
      rules: [
        kube.rule(cm, ['certificates', 'certificaterequests', 'issuers'], ['create', 'delete', 'deletecollection', 'patch', 'update']),
        kube.rule(acme, ['challenges'], ['delete', 'deletecollection', 'patch', 'update']),
        kube.rule(acme, ['orders'], ['delete', 'deletecollection']),
      ],
    },

    [if p.shared then 'issuers']: {
      [name]: kube._Object('cert-manager.io/v1', 'ClusterIssuer', name) + platform.clusterComponent(p, stack, 'issuer') {
        spec: {
          acme: {
            server: p.servers[name],
            email: p.email,
            privateKeySecretRef: { name: name + '-account' },
            solvers: [{
              selector: { dnsZones: [p.cluster.org.hostedZone] },
              dns01: {
                // As the service account's role: see iam.libsonnet.
                route53: {
                  region: p.cluster.region,
                  [if p.cluster.org.hostedZoneID != null then 'hostedZoneID']: p.cluster.org.hostedZoneID,
                },
              },
            }],
          },
        },
      }
      for name in std.objectFields(p.servers)
    },
  }
