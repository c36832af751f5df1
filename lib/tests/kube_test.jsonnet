// Each test is {actual, expected}, or {fails, message}: a function that must end in
// an error, and what the error says.
local kube = import 'lib/kube.libsonnet';

// without leaves out nulls, as `platform render` does.
local without(value) =
  if std.isObject(value) then { [key]: without(value[key]) for key in std.objectFields(value) if value[key] != null }
  else if std.isArray(value) then [without(item) for item in value]
  else value;

local namespaced = { metadata+: { namespace: 'shop' } };

local web = kube.Deployment('web') + namespaced {
  spec+: {
    template+: {
      spec+: {
        containers_+: {
          web: kube.Container('web') {
            image: 'registry.example.net/web:1.2.3',
            ports_+: { http: { containerPort: 8080 }, metrics: { containerPort: 9090 } },
          },
        },
      },
    },
  },
};

// The documentation's example.
local example = {
  namespace: 'webcache',
  squid_service: kube.Service('proxy') {
    metadata+: { namespace: $.namespace },
    target_pod: $.squid.spec.template,
    port: 80,
  },
  squid: kube.Deployment('proxy') {
    metadata+: { namespace: $.namespace },
    spec+: { template+: { spec+: { containers_+: { squid: kube.Container('squid') { image: 'squid:6' } } } } },
  },
};

local pod(spec) = (kube.Pod('pod') { spec+: spec }).spec;

local container(fields) = pod({ containers_+: { c: kube.Container('c') { image: 'c:1' } + fields } }).containers[0];

{
  // Maps and lists.
  'objectValues follows the order of keys': { actual: kube.objectValues({ b: 2, a: 1 }), expected: [1, 2] },
  'objectItems follows the order of keys': { actual: kube.objectItems({ b: 2, a: 1 }), expected: [['a', 1], ['b', 2]] },
  'hyphenate makes a name': { actual: kube.hyphenate('aws_token'), expected: 'aws-token' },
  'mapToNamedList names entries by key, or as they say': {
    actual: kube.mapToNamedList({ b_c: { x: 1 }, a: { name: 'other' }, gone: null }),
    expected: [{ name: 'other' }, { name: 'b-c', x: 1 }],
  },
  'orNull has no empty lists': { actual: [kube.orNull([]), kube.orNull([1])], expected: [null, [1]] },
  'withoutEmptyLists leaves out empty lists and nulls only': {
    actual: kube.withoutEmptyLists({ a: [], b: null, c: {}, d: 0, e: '' }),
    expected: { c: {}, d: 0, e: '' },
  },

  // Containers.
  'env_ takes values and sources': {
    actual: container({
      env_+: { B: 1, A: 'x', C: true, D: kube.FieldRef('metadata.name'), E: null },
    }).env,
    expected: [
      { name: 'A', value: 'x' },
      { name: 'B', value: '1' },
      { name: 'C', value: 'true' },
      { name: 'D', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ],
  },
  'args_ makes flags': {
    actual: container({ args_+: { v: 2, quiet: '', host: ['a', 'b'], debug: false, gone: null } }).args,
    expected: ['--debug=false', '--host=a', '--host=b', '--quiet', '--v=2'],
  },
  'flags have the dashes that the program wants': {
    actual: container({ argsDashes:: '-', args_+: { v: 2 } }).args,
    expected: ['-v=2'],
  },
  'ports_ makes a list': {
    actual: container({ ports_+: { http: { containerPort: 80 }, dns: { containerPort: 53, protocol: 'UDP' } } }).ports,
    expected: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }, { name: 'http', containerPort: 80, protocol: 'TCP' }],
  },
  'an empty container has nothing but name and image': {
    actual: std.objectFields(container({})),
    expected: ['image', 'imagePullPolicy', 'name'],
  },
  'latest is always pulled': { actual: container({ image: 'c:latest' }).imagePullPolicy, expected: 'Always' },
  'a container needs an image': {
    fails: function() pod({ containers_+: { c: kube.Container('c') } }),
    message: 'Container c: must provide image',
  },
  'a limit below the request is an error': {
    fails: function() container({ resources: { requests: { memory: '1Gi' }, limits: { memory: '512Mi' } } }),
    message: 'Container c: the limit of memory is below the request',
  },
  'entries of a twin can be changed by key': {
    actual: (web {
               spec+: { template+: { spec+: { containers_+: { web+: { env_+: { A: 'b' } } } } } },
             }).spec.template.spec.containers[0].env,
    expected: [{ name: 'A', value: 'b' }],
  },

  // Pods.
  'the default container comes first': {
    actual: [c.name for c in pod({
      default_container:: 'main',
      containers_+: { a: kube.Container('a') { image: 'a:1' }, main: kube.Container('main') { image: 'm:1' } },
    }).containers],
    expected: ['main', 'a'],
  },
  'init containers run in the order of their keys': {
    actual: [c.name for c in pod({
      containers_+: { a: kube.Container('a') { image: 'a:1' } },
      initContainers_+: { '2-chown': kube.Container('chown') { image: 'a:1' }, '1-copy': kube.Container('copy') { image: 'a:1' } },
    }).initContainers],
    expected: ['copy', 'chown'],
  },
  'a pod without containers is an error': {
    fails: function() pod({}),
    message: 'must provide at least one container',
  },
  'a mount without a volume is an error': {
    fails: function() pod({ containers_+: { c: kube.Container('c') { image: 'c:1', volumeMounts_+: { data: { mountPath: '/data' } } } } }),
    message: 'container c mounts a volume data that the pod does not have',
  },
  'volumes come from objects or names': {
    actual: without(pod({
      containers_+: { c: kube.Container('c') { image: 'c:1' } },
      volumes_+: {
        a_b: kube.EmptyDirVolume(),
        config: kube.ConfigMapVolume(kube.ConfigMap('settings')),
        host: kube.HostPathVolume('/var/log', 'Directory'),
        key: kube.SecretVolume('tls'),
        pvc: kube.PersistentVolumeClaimVolume(kube.PersistentVolumeClaim('data')),
        token: kube.ServiceAccountTokenVolume('vault'),
      },
    }).volumes),
    expected: [
      { name: 'a-b', emptyDir: {} },
      { name: 'config', configMap: { name: 'settings' } },
      { name: 'host', hostPath: { path: '/var/log', type: 'Directory' } },
      { name: 'key', secret: { secretName: 'tls' } },
      { name: 'pvc', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'token', projected: { sources: [{ serviceAccountToken: { audience: 'vault', path: 'token', expirationSeconds: 3600 } }] } },
    ],
  },
  'variables come from objects or names': {
    actual: [
      kube.SecretKeyRef('login', 'password'),
      kube.SecretKeyRef(kube.Secret('login'), 'password'),
      kube.ConfigMapRef(kube.ConfigMap('settings'), 'level'),
      kube.ResourceFieldRef('limits.memory'),
    ],
    expected: [
      { secretKeyRef: { name: 'login', key: 'password' } },
      { secretKeyRef: { name: 'login', key: 'password' } },
      { configMapKeyRef: { name: 'settings', key: 'level' } },
      { resourceFieldRef: { resource: 'limits.memory', divisor: '1' } },
    ],
  },

  // Workloads.
  'a selector is the labels of its own pods': {
    actual: [web.spec.selector.matchLabels, web.spec.template.metadata.labels],
    expected: [{ 'app.kubernetes.io/name': 'web' }, { 'app.kubernetes.io/name': 'web' }],
  },
  'a selector leaves out what upgrades change': {
    actual: (web { metadata+: { labels+: { 'app.kubernetes.io/version': '2', tier: 'front' } } }).spec.selector.matchLabels,
    expected: { 'app.kubernetes.io/name': 'web', tier: 'front' },
  },
  'a selector that misses its own pods is an error': {
    fails: function() web { spec+: { selector: { matchLabels: { app: 'other' } } } },
    message: "Deployment web: the selector doesn't match the labels of its own pods",
  },
  'a rollout is slow enough to be caught, and can be told to be slower': {
    actual: [
      [w.spec.minReadySeconds, std.get(w.spec, 'progressDeadlineSeconds')]
      for w in [web, kube.StatefulSet('db'), kube.DaemonSet('agent'), web { spec+: { minReadySeconds: 60, progressDeadlineSeconds: 900 } }]
    ],
    expected: [[10, 240], [10, null], [10, null], [60, 900]],
  },
  'a StatefulSet has claims of its own': {
    local set = kube.StatefulSet('db') {
      spec+: {
        volumeClaimTemplates_+: { data: kube.PersistentVolumeClaim('data') { storage: '10Gi' } },
        template+: { spec+: { containers_+: {
          db: kube.Container('db') { image: 'db:1', volumeMounts_+: { data: { mountPath: '/data' } } },
        } } },
      },
    },
    actual: [set.spec.serviceName, set.spec.volumeClaimTemplates[0].metadata, set.spec.volumeClaimTemplates[0].spec.resources],
    expected: ['db', { name: 'data' }, { requests: { storage: '10Gi' } }],
  },
  'a Job restarts on failure': {
    actual: (kube.Job('job') { spec+: { template+: web.spec.template { spec+: { restartPolicy: 'OnFailure' } } } }).spec.template.spec.restartPolicy,
    expected: 'OnFailure',
  },
  'a CronJob needs a schedule': {
    fails: function() kube.CronJob('nightly').spec.schedule,
    message: 'CronJob nightly: must provide schedule',
  },
  "a CronJob's name leaves room for its Jobs'": {
    fails: function() kube.CronJob(std.repeat('x', 53)),
    message: 'the name may have 52 characters',
  },

  // Services.
  'a Service finds its port and its pods': {
    actual: (kube.Service('web') + namespaced { target_pod: web.spec.template }).spec,
    expected: {
      type: 'ClusterIP',
      selector: { 'app.kubernetes.io/name': 'web' },
      ports: [{ name: 'http', port: 8080, protocol: 'TCP', targetPort: 'http' }],
    },
  },
  'a Service of pods without ports takes the port that it is given': {
    local bare = kube.Deployment('bare') { spec+: { template+: { spec+: { containers_+: { c: kube.Container('c') { image: 'c:1' } } } } } },
    actual: [
      { port: port.port, targetPort: std.get(port, 'targetPort', port.port) }
      for port in (kube.Service('bare') { target_pod: bare.spec.template, port: 80 }).spec.ports
    ],
    expected: [{ port: 80, targetPort: 80 }],
  },
  'a Service knows its addresses': {
    local service = kube.Service('web') + namespaced { target_pod: web.spec.template, port: 80 },
    actual: [service.host, service.host_colon_port, service.http_url],
    expected: ['web.shop.svc', 'web.shop.svc:80', 'http://web.shop.svc:80/'],
  },
  'a node port needs the right type': {
    fails: function() kube.Service('web') { target_pod: web.spec.template, spec+: { ports_: { http: { port: 80, nodePort: 30080 } } } },
    message: 'node ports need the type NodePort or LoadBalancer',
  },
  'several ports need names': {
    fails: function() kube.Service('web') { target_pod: web.spec.template, spec+: { ports: [{ port: 1 }, { port: 2 }] } },
    message: 'several ports need different names',
  },
  'an Ingress leads to Services': {
    local service = kube.Service('web') + namespaced { target_pod: web.spec.template },
    actual: (kube.Ingress('web') { spec+: { rules_+: { 'web.example.net': { '/': kube.IngressBackend(service) } } } }).spec.rules,
    expected: [{
      host: 'web.example.net',
      http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { name: 'http' } } } }] },
    }],
  },
  'a NetworkPolicy closes what it has rules for': {
    actual: without((kube.NetworkPolicy('web') {
                       target_pod: web.spec.template,
                       spec+: { ingress_+: { all: {} } },
                     }).spec),
    expected: {
      podSelector: { matchLabels: { 'app.kubernetes.io/name': 'web' } },
      policyTypes: ['Ingress'],
      ingress: [{}],
    },
  },
  'a NetworkPolicy that says nothing is an error': {
    fails: function() kube.NetworkPolicy('web'),
    message: 'NetworkPolicy web: must provide rules or policyTypes',
  },

  // Staying up.
  'a PodDisruptionBudget allows one by default': {
    actual: without((kube.PodDisruptionBudget('web') { target_pod: web.spec.template }).spec),
    expected: {
      maxUnavailable: 1,
      selector: { matchLabels: { 'app.kubernetes.io/name': 'web' } },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  },
  'a PodDisruptionBudget takes one bound': {
    fails: function() kube.PodDisruptionBudget('web') { target_pod: web.spec.template, spec+: { minAvailable: 1, maxUnavailable: 1 } },
    message: 'needs either minAvailable or maxUnavailable',
  },
  'an autoscaler and replicas exclude each other': {
    fails: function() kube.HorizontalPodAutoscaler('web') { target: web, spec+: { minReplicas: 1, maxReplicas: 2 } },
    message: 'web must leave replicas null',
  },
  'an autoscaler has room': {
    fails: function() kube.HorizontalPodAutoscaler('web') { target: web { spec+: { replicas: null } }, spec+: { minReplicas: 3, maxReplicas: 2 } },
    message: 'minReplicas is above maxReplicas',
  },
  'high priorities are for Kubernetes': {
    fails: function() kube.PriorityClass('mine', 2000000000),
    message: 'values above 1000000000 are for Kubernetes itself',
  },

  // Access.
  'a binding names its role and its subjects': {
    local binding = kube.RoleBinding('read') {
      roleRef_: kube.Role('read'),
      subjects_: [kube.ServiceAccount('web') + namespaced, kube.Group('people'), kube.User('person')],
    },
    actual: [binding.roleRef, binding.subjects],
    expected: [
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'read' },
      [
        { kind: 'ServiceAccount', name: 'web', namespace: 'shop' },
        { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'people' },
        { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'person' },
      ],
    ],
  },
  'a ClusterRoleBinding binds no Role': {
    fails: function() kube.ClusterRoleBinding('read') { roleRef_: kube.Role('read'), subjects_: [kube.Group('people')] },
    message: 'ClusterRoleBinding read: needs a ClusterRole',
  },

  // Configuration.
  'a ConfigMap holds strings': {
    fails: function() kube.ConfigMap('settings') { data: { level: 3 } },
    message: 'ConfigMap settings: values must be strings',
  },
  'a Secret is encoded': { actual: (kube.Secret('login') { data_+: { user: 'me' } }).data, expected: { user: 'bWU=' } },
  'a Secret has no stringData': {
    fails: function() kube.Secret('login') { stringData: { user: 'me' } },
    message: 'use data_',
  },
  'a name has a length': {
    fails: function() kube.ConfigMap(''),
    message: 'ConfigMap: want a name of 1 to 253 characters, got ""',
  },

  // Extending the API.
  'webhooks are named by their keys': {
    actual: [hook.name for hook in (kube.ValidatingWebhookConfiguration('hooks') { webhooks_+: { 'b.example.net': {}, 'a.example.net': {} } }).webhooks],
    expected: ['a.example.net', 'b.example.net'],
  },
  'a policy binding names its policy': {
    actual: (kube.MutatingAdmissionPolicyBinding('binding') { policy: { metadata: { name: 'policy' } } }).spec.policyName,
    expected: 'policy',
  },

  // Quantities.
  'siToNum reads quantities': {
    actual: [kube.siToNum(q) for q in ['250m', '2', '1Gi', '1500Mi', '1k', '1e3', 3]],
    expected: [0.25, 2, 1073741824, 1572864000, 1000, 1000, 3],
  },
  'cpu writes cores': { actual: [kube.cpu(n) for n in [0.25, 2, 0.1 + 0.2]], expected: ['250m', '2', '300m'] },
  'bytes writes whole units': { actual: [kube.bytes(n) for n in [1073741824, 1572864000, 1]], expected: ['1Gi', '1500Mi', '1Mi'] },
  'scaleBytes multiplies': { actual: kube.scaleBytes('4Gi', 0.5), expected: '2Gi' },
  'podRequests counts what the scheduler counts': {
    local request(cpu) = { resources: { requests: { cpu: cpu, memory: '1Mi' } } },
    actual: kube.cpu(kube.podRequests({
      containers: [request('100m'), request('200m')],
      initContainers: [request('250m'), request('50m') { restartPolicy: 'Always' }],
    }).cpu),
    expected: '350m',
  },

  'a workload and its Service, as short as can be': {
    actual: [
      example.squid_service.spec.selector,
      example.squid_service.spec.ports[0].port,
      example.squid.spec.template.spec.containers[0].image,
      std.objectHas(example.squid_service, 'target_pod'),
      std.objectHas(example.squid_service, 'port'),
    ],
    expected: [{ 'app.kubernetes.io/name': 'proxy' }, 80, 'squid:6', false, false],
  },
}
