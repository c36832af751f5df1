// See kube_test.jsonnet for the form of these tests.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local p = {
  name: 'shop',
  namespace: 'shops',
  versions: { kubernetes: '1.36.1' },
  cluster: { region: 'eu-central-1', roleARN(namespace, account):: 'arn:' + namespace + '/' + account },
};

local web = kube.Deployment('web') + platform.component(p, 'shop', 'web', 'v1.2.3@sha256:0123') + platform.spread(strict=true) {
  spec+: {
    template+: {
      spec+: platform.restricted(1000) {
        containers_+: {
          web: platform.Container('web') {
            image: 'registry.example.net/web:1.2.3',
            resources_: { cpu: '10m', memory: '32Mi' },
            ports_+: { http: { containerPort: 8080 } },
          },
        },
      },
    },
  },
};

local service = kube.Service('web') + platform.component(p, 'shop', 'web') { target_pod: web.spec.template };

{
  // Parameters.
  'parameters override defaults': {
    actual: platform.params('shop', { a: 1, b: 2 }, { b: 3 }),
    expected: { a: 1, b: 3 },
  },
  'an unknown parameter is an error': {
    fails: function() platform.params('shop', { a: 1 }, { size: 3 }),
    message: "stack shop: unknown parameter 'size'; it has a",
  },
  'a missing parameter is an error': {
    fails: function() platform.params('shop', platform.stackParams('shop'), {}).namespace,
    message: "stack shop: must provide 'namespace'",
  },
  'an instance is called like its stack by default': {
    actual: platform.params('shop', platform.stackParams('shop'), {}).name,
    expected: 'shop',
  },
  'kubernetesAtLeast compares minor versions': {
    actual: [platform.kubernetesAtLeast(p, minor) for minor in [9, 36, 37]],
    expected: [true, true, false],
  },

  // Names and labels.
  'names without a namespace tell instances apart': {
    actual: [platform.scoped(p), platform.scoped(p, 'read'), platform.scoped({ name: 'shops', namespace: 'shop' })],
    expected: ['shops.shop', 'shops.shop.read', 'shop.shops'],
  },
  'a component has its namespace, labels and version': {
    actual: web.metadata,
    expected: {
      name: 'web',
      namespace: 'shops',
      labels: {
        'app.kubernetes.io/name': 'shop',
        'app.kubernetes.io/instance': 'shop',
        'app.kubernetes.io/component': 'web',
        'app.kubernetes.io/version': 'v1.2.3',
      },
    },
  },
  'a component of the cluster has no namespace': {
    actual: (kube.ClusterRole('read') + platform.clusterComponent(p, 'shop', 'web')).metadata,
    expected: { name: 'read', labels: platform.labels(p, 'shop', 'web') },
  },
  'a selector goes by instance and component': {
    actual: service.spec.selector,
    expected: platform.labels(p, 'shop', 'web'),
  },

  // Namespaces.
  'a namespace is restricted and closed': {
    local here = platform.Namespace('shop'),
    actual: [
      here.namespace.metadata.labels['pod-security.kubernetes.io/enforce'],
      here.default_deny.spec.podSelector,
      here.default_deny.spec.policyTypes,
      here.default_deny.metadata.namespace,
      here.allow_dns.spec.egress[0].ports,
    ],
    expected: ['restricted', {}, ['Ingress', 'Egress'], 'shop', [{ protocol: 'UDP', port: 53 }, { protocol: 'TCP', port: 53 }]],
  },
  'an unknown Pod Security level is an error': {
    fails: function() platform.Namespace('shop', 'lax').namespace,
    message: 'Namespace shop: unknown Pod Security level lax',
  },

  // Network policies.
  'ports are TCP unless they say otherwise': {
    actual: platform.ports([80, 'http', 'UDP/53']),
    expected: [{ protocol: 'TCP', port: 80 }, { protocol: 'TCP', port: 'http' }, { protocol: 'UDP', port: 53 }],
  },
  "the internet leaves out the machines' credentials": {
    actual: platform.toInternet([443]),
    expected: { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } }], ports: [{ protocol: 'TCP', port: 443 }] },
  },
  'pods of a workload, in another namespace': {
    actual: platform.podsOf(web, 'shops'),
    expected: {
      podSelector: { matchLabels: platform.labels(p, 'shop', 'web') },
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shops' } },
    },
  },

  // Pods.
  'scrape annotations say only what is not usual': {
    actual: [platform.scrape(9090), platform.scrape(9090, '/probe', 'https')],
    expected: [
      { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' },
      { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090', 'prometheus.io/path': '/probe', 'prometheus.io/scheme': 'https' },
    ],
  },
  'memory is limited to what is requested, CPU is not': {
    actual: std.prune(web.spec.template.spec.containers[0].resources),
    expected: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '32Mi' } },
  },
  'a container says what it needs': {
    fails: function() platform.Container('web').resources,
    message: 'Container web: must provide resources_',
  },
  'a container has no rights': {
    actual: web.spec.template.spec.containers[0].securityContext,
    expected: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  },
  'pods run as a user without rights': {
    actual: web.spec.template.spec.securityContext,
    expected: {
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
  },
  'pods are spread over zones, then nodes': {
    actual: [
      [constraint.topologyKey, constraint.whenUnsatisfiable, constraint.labelSelector.matchLabels, constraint.matchLabelKeys]
      for constraint in web.spec.template.spec.topologySpreadConstraints
    ],
    expected: [
      ['topology.kubernetes.io/zone', 'DoNotSchedule', platform.labels(p, 'shop', 'web'), ['pod-template-hash']],
      ['kubernetes.io/hostname', 'ScheduleAnyway', platform.labels(p, 'shop', 'web'), ['pod-template-hash']],
    ],
  },
  'an AWS role is reached by a token': {
    local pod = (web {
                   spec+: { template+: { spec+: {
                     volumes_+: platform.awsVolumes,
                     containers_+: { web+: platform.awsContainer(p, { metadata: { name: 'web' } }) },
                   } } },
                 }).spec.template.spec,
    actual: [
      { [e.name]: e.value for e in pod.containers[0].env }.AWS_ROLE_ARN,
      pod.containers[0].volumeMounts[0].name,
      pod.volumes[0].name,
      pod.volumes[0].projected.sources[0].serviceAccountToken.audience,
    ],
    expected: ['arn:shops/web', 'aws-token', 'aws-token', 'amazonaws.com'],
  },

  // Ingress.
  'an Ingress needs a host and a Service': {
    local ingress = platform.Ingress('web') + platform.component(p, 'shop', 'web') { host: 'web.example.net', target_service: service },
    actual: ingress.spec,
    expected: {
      ingressClassName: 'nginx',
      tls: [{ hosts: ['web.example.net'], secretName: 'web-tls' }],
      rules: [{
        host: 'web.example.net',
        http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { name: 'http' } } } }] },
      }],
    },
  },
  'an Ingress without a host is an error': {
    fails: function() platform.Ingress('web') { target_service: service },
    message: 'Ingress web: must provide host',
  },

  // Secrets.
  local password = platform.GeneratedSecret(p, 'shop', 'login', 'shop:1') { keys_:: { user: 'me:$PASSWORD' } },
  'a generated Secret is made by a Job that may create it and read nothing else': {
    actual: [password.secretName, password.role.rules],
    expected: ['shop-login', [
      { apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: ['shop-login'] },
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'], resourceNames: null },
    ]],
  },
  "a generated Secret's script has the keys and no password": {
    local script = password.job.spec.template.spec.containers[0].command[2],
    actual: std.length(std.findSubstr('"user": "$(encode "me:$PASSWORD")"', script)),
    expected: 1,
  },
  'another image is another Job, since Jobs cannot be changed': {
    actual: password.job.metadata.name == platform.GeneratedSecret(p, 'shop', 'login', 'shop:2').job.metadata.name,
    expected: false,
  },
  'checksum changes with the configuration': {
    actual: platform.checksum({ data: { a: 'b' } }) == platform.checksum({ data: { a: 'c' } }),
    expected: false,
  },
}
