// Kubernetes objects of the current API versions.
//
// A function makes a whole object: every field of the API can be added to it or
// overridden, at any layer. What isn't a field of the API is hidden (`::`).
//
// Lists that are maps at heart have a twin with an underscore, which can be
// added to, changed and taken from by key:
//
//   spec+: { containers_+: { squid: kube.Container('squid') { image: '…' } } }
//
// renders as `containers: [{ name: 'squid', image: '…' }]`. Lists made of twins
// are in the order of their keys, so that output is stable. A null in a twin
// takes its entry out.
//
// Fields that aren't set are null here and left out by `platform render`.
{
  local kube = self,

  // Maps and lists ////////////////////////////////////////////////////////////

  // objectValues gives a map's values in the order of their keys.
  objectValues(o):: [o[key] for key in std.objectFields(o)],

  // objectItems gives a map's entries as [key, value], in the order of the keys.
  objectItems(o):: [[key, o[key]] for key in std.objectFields(o)],

  // hyphenate makes a name of the API out of a jsonnet identifier.
  hyphenate(s):: std.strReplace(s, '_', '-'),

  // mapToNamedList makes the list of a map's values, each with its key as its
  // name unless it has one. Nulls are left out.
  mapToNamedList(o):: [
    { name: kube.hyphenate(key) } + o[key]
    for key in std.objectFields(o)
    if o[key] != null
  ],

  // orNull is the list, or null if there is nothing in it: most lists of the API
  // are better not there than empty.
  orNull(list):: if std.length(list) == 0 then null else list,

  // withoutEmptyLists leaves out fields that are empty lists or null.
  withoutEmptyLists(o):: {
    [key]: o[key]
    for key in std.objectFields(o)
    if o[key] != null && o[key] != []
  },

  // envList makes environment variables of a map: of strings, numbers and
  // booleans values, of objects references (see SecretKeyRef and its kin).
  // They are in the order of their names; write `env` itself where a variable
  // refers to one that sorts after it.
  envList(o):: [
    if std.isObject(o[key]) then { name: key, valueFrom: o[key] } else { name: key, value: std.toString(o[key]) }
    for key in std.objectFields(o)
    if o[key] != null
  ],

  // argsList makes command line flags of a map: `--key=value`, `--key` for an
  // empty string, and one flag per item of a list.
  argsList(o, dashes='--'):: std.flatMap(
    function(key)
      local value = o[key];
      if value == null then []
      else if value == '' then [dashes + key]
      else if std.isArray(value) then [dashes + key + '=' + item for item in value]
      else [dashes + key + '=' + value],
    std.objectFields(o)
  ),

  // Quantities ////////////////////////////////////////////////////////////////

  local suffixes = {
    n: 1e-9,
    u: 1e-6,
    m: 1e-3,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    T: 1e12,
    P: 1e15,
    Ki: 1024,
    Mi: 1024 * 1024,
    Gi: 1024 * 1024 * 1024,
    Ti: 1024 * 1024 * 1024 * 1024,
    Pi: 1024 * 1024 * 1024 * 1024 * 1024,
  },

  // siToNum is a quantity's number: of '250m' 0.25, of '1Gi' 1073741824.
  siToNum(quantity)::
    if std.isNumber(quantity) then quantity else
      local length = std.length(quantity);
      local two = std.substr(quantity, length - 2, 2);
      local one = std.substr(quantity, length - 1, 1);
      local number(text, factor) = std.parseJson(text) * factor;
      if length > 2 && std.objectHas(suffixes, two) then number(std.substr(quantity, 0, length - 2), suffixes[two])
      else if length > 1 && std.objectHas(suffixes, one) then number(std.substr(quantity, 0, length - 1), suffixes[one])
      else number(quantity, 1),

  // cpu writes a number of cores as a quantity: of 0.25 '250m'.
  cpu(cores)::
    local milli = std.ceil(cores * 1000 - 1e-9);
    if milli % 1000 == 0 then '' + (milli / 1000) else milli + 'm',

  // bytes writes a number of bytes as a quantity, in whole mebibytes or, where
  // that is exact, gibibytes.
  bytes(n)::
    local mebi = std.ceil(n / suffixes.Mi);
    if mebi % 1024 == 0 then (mebi / 1024) + 'Gi' else mebi + 'Mi',

  // scaleBytes multiplies a quantity of bytes: of '4Gi' and 0.5 '2Gi'.
  scaleBytes(quantity, factor):: kube.bytes(kube.siToNum(quantity) * factor),

  // podRequests is what the scheduler reserves for a pod: {cpu, memory} as
  // numbers. Init containers that run before the others count where one of them
  // alone asks for more; those that keep running count like the others.
  podRequests(spec)::
    local request(container, resource) = kube.siToNum(
      std.get(std.get(std.get(container, 'resources', {}), 'requests', {}), resource, 0)
    );
    local listOf(name) = local list = std.get(spec, name); if list == null then [] else list;
    local sidecar(container) = std.get(container, 'restartPolicy') == 'Always';
    local inits = listOf('initContainers');
    local running = listOf('containers') + std.filter(sidecar, inits);
    {
      [resource]: std.max(
        std.foldl(function(sum, container) sum + request(container, resource), running, 0),
        std.foldl(function(most, container) std.max(most, request(container, resource)), inits, 0)
      )
      for resource in ['cpu', 'memory']
    },

  // Objects ///////////////////////////////////////////////////////////////////

  // _Object is what all objects have. Its label is what selectors go by unless
  // the pods have labels of their own.
  _Object(apiVersion, kind, name):: {
    assert std.isString(name) && std.length(name) > 0 && std.length(name) <= 253 : kind + ': want a name of 1 to 253 characters, got ' + std.manifestJsonMinified(name),
    apiVersion: apiVersion,
    kind: kind,
    metadata: {
      name: name,
      labels: { 'app.kubernetes.io/name': std.strReplace(name, ':', '-') },
    },
  },

  // List is a list of objects, given as a map in `items_`.
  List():: {
    apiVersion: 'v1',
    kind: 'List',
    items_:: {},
    items: kube.objectValues(self.items_),
  },

  // stableLabels are the labels that selectors may go by: not those that an
  // upgrade changes, since selectors of workloads can't be changed.
  stableLabels(labels):: {
    [key]: labels[key]
    for key in std.objectFields(labels)
    if key != 'app.kubernetes.io/version' && key != 'app.kubernetes.io/managed-by'
  },

  // Namespace is a namespace.
  Namespace(name):: kube._Object('v1', 'Namespace', name) {
    metadata+: { labels+: { 'app.kubernetes.io/name': name } },
  },

  // ConfigMap holds configuration: `data` maps file names to text.
  ConfigMap(name):: kube._Object('v1', 'ConfigMap', name) {
    local this = self,
    assert std.all([std.isString(this.data[key]) for key in std.objectFields(this.data)]) :
           'ConfigMap ' + name + ': values must be strings; use std.manifestJson or std.manifestYamlDoc for others',
    data: {},
  },

  // Secret holds secrets: `data_` maps keys to plain text, which is encoded.
  // Nothing that is really secret may be written into git, so this is for
  // placeholders and for what others fill in.
  Secret(name):: kube._Object('v1', 'Secret', name) {
    assert !std.objectHas(self, 'stringData') : 'Secret ' + name + ': use data_, since a key dropped from stringData would stay in the cluster',
    local secret = self,
    type: 'Opaque',
    data_:: {},
    data: { [key]: std.base64(secret.data_[key]) for key in std.objectFields(secret.data_) },
  },

  // ServiceAccount is an identity for pods. Only pods that use the API need its
  // token, and they mount it themselves (see PodSpec).
  ServiceAccount(name):: kube._Object('v1', 'ServiceAccount', name) {
    automountServiceAccountToken: false,
  },

  // PersistentVolumeClaim asks for a volume of the size `storage` and, unless
  // it is the default, the class `storageClass`.
  PersistentVolumeClaim(name):: kube._Object('v1', 'PersistentVolumeClaim', name) {
    local pvc = self,
    storage:: error 'PersistentVolumeClaim ' + name + ': must provide storage',
    storageClass:: null,
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: pvc.storage } },
      storageClassName: pvc.storageClass,
    },
  },

  // Pods //////////////////////////////////////////////////////////////////////

  // Container is a container of a pod. Twins: `env_` (see envList), `args_` (see
  // argsList; flags with one dash: `argsDashes: '-'`), `ports_`, `volumeMounts_`.
  Container(name):: {
    local container = self,
    name: name,
    image: error 'Container ' + name + ': must provide image',
    imagePullPolicy: if std.endsWith(self.image, ':latest') then 'Always' else 'IfNotPresent',
    argsDashes:: '--',
    args_:: {},
    args: kube.argsList(container.args_, container.argsDashes),
    env_:: {},
    env: kube.envList(container.env_),
    ports_:: {},
    ports: [{ protocol: 'TCP' } + port for port in kube.mapToNamedList(container.ports_)],
    volumeMounts_:: {},
    volumeMounts: kube.mapToNamedList(container.volumeMounts_),
  },

  // PodSpec is the spec of a pod. Twins: `containers_`, `initContainers_`,
  // `volumes_`. The container named by `default_container` comes first: it is
  // the one that `kubectl logs` and `exec` use.
  PodSpec:: {
    local spec = self,
    assert std.length(self.containers) > 0 : 'PodSpec: must provide at least one container',
    assert kube._volumesExist(self) : 'unreachable',
    local list(containers, first=null) =
      local names = [key for key in std.objectFields(containers) if containers[key] != null];
      [
        kube._checkContainer({ name: kube.hyphenate(key) } + containers[key])
        for key in (if first == null then names else [first] + std.filter(function(key) key != first, names))
      ],
    containers_:: {},
    default_container::
      local names = std.objectFields(self.containers_);
      if std.length(names) == 0 then null else names[0],
    containers: list(spec.containers_, spec.default_container),
    initContainers_:: {},
    initContainers: kube.orNull(list(spec.initContainers_)),
    volumes_:: {},
    volumes: kube.orNull(kube.mapToNamedList(spec.volumes_)),
    // claims_ are names of volumes that come from elsewhere, as a StatefulSet's
    // claim templates do.
    claims_:: [],
    terminationGracePeriodSeconds: 30,
    automountServiceAccountToken: false,
    // Environment variables for each Service of the namespace help nobody and
    // have broken programs (a Service called "kibana" sets KIBANA_PORT).
    enableServiceLinks: false,
  },

  // _checkContainer gives the container without its empty lists, and refuses
  // one whose limits are below its requests.
  _checkContainer(container)::
    local resources = std.get(container, 'resources', {});
    local requests = std.get(resources, 'requests', {});
    local limits = std.get(resources, 'limits', {});
    local bad = [
      resource
      for resource in std.objectFields(requests)
      if std.get(limits, resource) != null && kube.siToNum(limits[resource]) < kube.siToNum(requests[resource])
    ];
    if bad != [] then error 'Container ' + container.name + ': the limit of ' + bad[0] + ' is below the request'
    else kube.withoutEmptyLists(container),

  // _volumesExist checks that each volume that is mounted is there.
  _volumesExist(spec)::
    local listOf(name) = local list = std.get(spec, name); if list == null then [] else list;
    local volumes = std.set([volume.name for volume in listOf('volumes')] + spec.claims_);
    local missing = [
      'container ' + container.name + ' mounts a volume ' + mount.name + ' that the pod does not have'
      for container in listOf('containers') + listOf('initContainers')
      for mount in std.get(container, 'volumeMounts', [])
      if !std.setMember(mount.name, volumes)
    ];
    if missing == [] then true else error 'PodSpec: ' + missing[0],

  // Pod is a bare pod. Nothing restarts it on another node: use a workload.
  Pod(name):: kube._Object('v1', 'Pod', name) {
    spec: kube.PodSpec,
  },

  // Volumes: values for `volumes_` //////////

  // EmptyDirVolume is scratch space that goes with the pod.
  EmptyDirVolume():: { emptyDir: {} },

  // ConfigMapVolume mounts a ConfigMap.
  ConfigMapVolume(configmap):: { configMap: { name: configmap.metadata.name } },

  // SecretVolume mounts a Secret, given as an object or by name.
  SecretVolume(secret):: { secret: { secretName: kube._name(secret) } },

  // HostPathVolume mounts a path of the node.
  HostPathVolume(path, type=''):: { hostPath: { path: path, type: if type == '' then null else type } },

  // PersistentVolumeClaimVolume mounts a claim.
  PersistentVolumeClaimVolume(pvc):: { persistentVolumeClaim: { claimName: pvc.metadata.name } },

  // ServiceAccountTokenVolume mounts a token for the audience, an hour long by
  // default.
  ServiceAccountTokenVolume(audience, path='token', seconds=3600):: {
    projected: { sources: [{ serviceAccountToken: { audience: audience, path: path, expirationSeconds: seconds } }] },
  },

  // References: values for `env_` //////////

  // SecretKeyRef is the value under a key of a Secret, which is given as an
  // object or by name.
  SecretKeyRef(secret, key):: { secretKeyRef: { name: kube._name(secret), key: key } },

  // ConfigMapRef is the value under a key of a ConfigMap.
  ConfigMapRef(configmap, key):: { configMapKeyRef: { name: kube._name(configmap), key: key } },

  // FieldRef is a field of the pod, such as metadata.namespace.
  FieldRef(path):: { fieldRef: { fieldPath: path } },

  // ResourceFieldRef is a resource of the container, such as limits.memory.
  ResourceFieldRef(resource, divisor='1'):: { resourceFieldRef: { resource: resource, divisor: divisor } },

  // _name is the name of an object, or the name itself.
  _name(object):: if std.isString(object) then object else object.metadata.name,

  // Workloads /////////////////////////////////////////////////////////////////

  // _Workload is what workloads have in common: pods whose labels are the
  // object's and a selector made of them.
  _Workload(kind, name):: kube._Object('apps/v1', kind, name) {
    local workload = self,
    assert kube._matches(self.spec.selector.matchLabels, self.spec.template.metadata.labels) :
           kind + ' ' + name + ": the selector doesn't match the labels of its own pods",
    spec: {
      selector: { matchLabels: kube.stableLabels(workload.spec.template.metadata.labels) },
      template: {
        metadata: { labels: workload.metadata.labels },
        spec: kube.PodSpec,
      },
      revisionHistoryLimit: 10,
      // Ready isn't enough to go on: a pod that falls over as soon as it has work
      // is to stop the rollout before the next one is replaced.
      minReadySeconds: 10,
    },
  },

  // _matches says whether the labels have all that the selector wants.
  _matches(selector, labels):: std.all([std.get(labels, key) == selector[key] for key in std.objectFields(selector)]),

  // Deployment keeps a number of equal pods running. An update takes no pod away
  // before its successor has been ready for ten seconds, and has failed when
  // nothing moves for four minutes.
  Deployment(name):: kube._Workload('Deployment', name) {
    spec+: {
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
      // Shorter than the time that `platform` waits, so that it can say why.
      progressDeadlineSeconds: 240,
    },
  },

  // StatefulSet keeps a number of pods with names and volumes of their own.
  // Twin: `volumeClaimTemplates_`, of PersistentVolumeClaims.
  StatefulSet(name):: kube._Workload('StatefulSet', name) {
    local workload = self,
    spec+: {
      replicas: 1,
      serviceName: name,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      podManagementPolicy: 'OrderedReady',
      volumeClaimTemplates_:: {},
      volumeClaimTemplates: kube.orNull([
        // Written as the API server would complete it, so that nothing differs.
        { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: kube.hyphenate(key) } } +
        { spec: { volumeMode: 'Filesystem' } + workload.spec.volumeClaimTemplates_[key].spec }
        for key in std.objectFields(workload.spec.volumeClaimTemplates_)
      ]),
      template+: {
        spec+: { claims_:: [kube.hyphenate(key) for key in std.objectFields(workload.spec.volumeClaimTemplates_)] },
      },
    },
  },

  // DaemonSet runs a pod on each node.
  DaemonSet(name):: kube._Workload('DaemonSet', name) {
    spec+: {
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    },
  },

  // Job runs pods until one has succeeded.
  Job(name):: kube._Object('batch/v1', 'Job', name) {
    local job = self,
    spec: {
      backoffLimit: 6,
      completions: 1,
      parallelism: 1,
      template: {
        metadata: { labels: job.metadata.labels },
        spec: kube.PodSpec { restartPolicy: 'OnFailure' },
      },
    },
  },

  // CronJob runs a Job by the clock. Its `schedule` is in UTC unless timeZone is
  // set; a run that is still going is never joined by a second one.
  CronJob(name):: kube._Object('batch/v1', 'CronJob', name) {
    assert std.length(name) <= 52 : 'CronJob ' + name + ': the name may have 52 characters, since its Jobs need the rest',
    local cronjob = self,
    spec: {
      schedule: error 'CronJob ' + name + ': must provide schedule',
      concurrencyPolicy: 'Forbid',
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
      jobTemplate: {
        metadata: { labels: cronjob.metadata.labels },
        spec: kube.Job(name).spec { template+: { metadata+: { labels: cronjob.metadata.labels } } },
      },
    },
  },

  // Services //////////////////////////////////////////////////////////////////

  // Service gives pods a stable name and address: those of the pod template
  // `target_pod`, on the port `port`, which leads to the container port
  // `target_port`. By default these are the first port of the first container.
  // Twin: `spec.ports_`, for more than one port.
  Service(name):: kube._Object('v1', 'Service', name) {
    local service = self,
    target_pod:: error 'Service ' + name + ': must provide target_pod',
    local containers = self.target_pod.spec.containers,
    local containerPorts = std.get(containers[0], 'ports', []),
    local first = if containerPorts == [] then null else containerPorts[0],
    port:: if first == null then error 'Service ' + name + ': must provide port, since the container has none' else first.containerPort,
    // The port's name where it has one, so that its number can change.
    target_port:: if first == null then null else std.get(first, 'name', first.containerPort),
    // Addresses of the Service as others in the cluster see it.
    host:: self.metadata.name + '.' + self.metadata.namespace + '.svc',
    host_colon_port:: self.host + ':' + self.spec.ports[0].port,
    http_url:: 'http://' + self.host_colon_port + '/',
    spec: {
      local spec = self,
      selector: kube.stableLabels(service.target_pod.metadata.labels),
      type: 'ClusterIP',
      ports_:: {
        default: { port: service.port, name: if first == null then null else std.get(first, 'name'), targetPort: service.target_port },
      },
      ports: [kube.withoutEmptyLists({ protocol: 'TCP' } + port) for port in kube.mapToNamedList(spec.ports_)],
    },
    assert std.length(std.set([port.name for port in self.spec.ports if std.objectHas(port, 'name')])) >= std.length(self.spec.ports) ||
           std.length(self.spec.ports) == 1 : 'Service ' + name + ': several ports need different names',
    assert self.spec.type != 'ClusterIP' || std.all([!std.objectHas(port, 'nodePort') for port in self.spec.ports]) :
           'Service ' + name + ': node ports need the type NodePort or LoadBalancer',
  },

  // HeadlessService gives each pod a name of its own, as StatefulSets need it,
  // before the pod is ready.
  HeadlessService(name):: kube.Service(name) {
    spec+: { clusterIP: 'None', publishNotReadyAddresses: true },
  },

  // IngressClass is a kind of ingress controller.
  IngressClass(name):: kube._Object('networking.k8s.io/v1', 'IngressClass', name) {
    spec: { controller: error 'IngressClass ' + name + ': must provide spec.controller' },
  },

  // Ingress leads requests for host names to Services. Twin: `spec.rules_`,
  // which maps host names to maps of paths to backends (see IngressBackend).
  Ingress(name):: kube._Object('networking.k8s.io/v1', 'Ingress', name) {
    local ingress = self,
    assert std.all([
      !std.objectHas(rule, 'http') || std.length(rule.http.paths) > 0
      for rule in self.spec.rules
    ]) : 'Ingress ' + name + ': a rule needs at least one path',
    spec: {
      rules_:: {},
      rules: [
        {
          host: host,
          http: {
            paths: [
              { path: path, pathType: 'Prefix', backend: ingress.spec.rules_[host][path] }
              for path in std.objectFields(ingress.spec.rules_[host])
            ],
          },
        }
        for host in std.objectFields(ingress.spec.rules_)
      ],
    },
  },

  // IngressBackend is a Service as an Ingress refers to it, by the name of its
  // first port if it has one.
  IngressBackend(service):: {
    local port = service.spec.ports[0],
    service: {
      name: service.metadata.name,
      port: if std.objectHas(port, 'name') then { name: port.name } else { number: port.port },
    },
  },

  // NetworkPolicy says who may talk to pods and whom they may talk to. It holds
  // for all pods of its namespace, or those of `target_pod`. A direction for
  // which it has rules, or which policyTypes names, is closed otherwise. Twins:
  // `spec.ingress_` and `spec.egress_`.
  NetworkPolicy(name):: kube._Object('networking.k8s.io/v1', 'NetworkPolicy', name) {
    local policy = self,
    target_pod:: null,
    spec: {
      local spec = self,
      podSelector:
        if policy.target_pod == null then {}
        else { matchLabels: kube.stableLabels(policy.target_pod.metadata.labels) },
      ingress_:: {},
      ingress: kube.orNull([rule for rule in kube.objectValues(spec.ingress_) if rule != null]),
      egress_:: {},
      egress: kube.orNull([rule for rule in kube.objectValues(spec.egress_) if rule != null]),
      policyTypes: (if spec.ingress != null then ['Ingress'] else []) + (if spec.egress != null then ['Egress'] else []),
    },
    assert self.spec.policyTypes != [] : 'NetworkPolicy ' + name + ': must provide rules or policyTypes',
  },

  // Staying up ////////////////////////////////////////////////////////////////

  // PodDisruptionBudget keeps drains from taking too many pods of `target_pod`
  // away at once. By default that is more than one.
  PodDisruptionBudget(name):: kube._Object('policy/v1', 'PodDisruptionBudget', name) {
    local budget = self,
    target_pod:: error 'PodDisruptionBudget ' + name + ': must provide target_pod',
    assert std.length([key for key in ['minAvailable', 'maxUnavailable'] if std.get(self.spec, key) != null]) == 1 :
           'PodDisruptionBudget ' + name + ': needs either minAvailable or maxUnavailable',
    spec: {
      selector: { matchLabels: kube.stableLabels(budget.target_pod.metadata.labels) },
      minAvailable: null,
      maxUnavailable: if self.minAvailable == null then 1 else null,
      // A pod that isn't ready anyway mustn't keep a node from being drained.
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  },

  // HorizontalPodAutoscaler sets the number of pods of `target` by their use of
  // CPU (per cent of their request) or other metrics. The target must leave its
  // `replicas` null.
  HorizontalPodAutoscaler(name):: kube._Object('autoscaling/v2', 'HorizontalPodAutoscaler', name) {
    local hpa = self,
    target:: error 'HorizontalPodAutoscaler ' + name + ': must provide target',
    cpu:: 75,
    assert self.spec.minReplicas <= self.spec.maxReplicas : 'HorizontalPodAutoscaler ' + name + ': minReplicas is above maxReplicas',
    assert std.get(self.target.spec, 'replicas') == null :
           'HorizontalPodAutoscaler ' + name + ': ' + self.target.metadata.name + ' must leave replicas null, else each update resets them',
    spec: {
      scaleTargetRef: { apiVersion: hpa.target.apiVersion, kind: hpa.target.kind, name: hpa.target.metadata.name },
      minReplicas: error 'HorizontalPodAutoscaler ' + name + ': must provide spec.minReplicas',
      maxReplicas: error 'HorizontalPodAutoscaler ' + name + ': must provide spec.maxReplicas',
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: hpa.cpu } } },
      ],
    },
  },

  // PriorityClass says which pods go first when there isn't room for all.
  PriorityClass(name, value):: kube._Object('scheduling.k8s.io/v1', 'PriorityClass', name) {
    assert value <= 1000000000 : 'PriorityClass ' + name + ': values above 1000000000 are for Kubernetes itself',
    value: value,
    globalDefault: false,
    preemptionPolicy: 'PreemptLowerPriority',
    description: error 'PriorityClass ' + name + ': must provide description',
  },

  // ResourceQuota limits what a namespace may ask for in all.
  ResourceQuota(name):: kube._Object('v1', 'ResourceQuota', name) {
    spec: { hard: error 'ResourceQuota ' + name + ': must provide spec.hard' },
  },

  // LimitRange gives containers that don't say how much they need a default.
  LimitRange(name):: kube._Object('v1', 'LimitRange', name) {
    spec: { limits: error 'LimitRange ' + name + ': must provide spec.limits' },
  },

  // Who may do what ///////////////////////////////////////////////////////////

  // Group is a group of users, as a subject.
  Group(name):: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: name },

  // User is a user, as a subject.
  User(name):: { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: name },

  // Role gives rights in its namespace.
  Role(name):: kube._Object('rbac.authorization.k8s.io/v1', 'Role', name) {
    rules: [],
  },

  // ClusterRole gives rights everywhere.
  ClusterRole(name):: kube._Object('rbac.authorization.k8s.io/v1', 'ClusterRole', name) {
    rules: [],
  },

  // rule is a rule of a role.
  rule(apiGroups, resources, verbs, resourceNames=null):: {
    assert std.isArray(apiGroups) && std.isArray(resources) && std.isArray(verbs) : 'rule: apiGroups, resources and verbs are lists',
    apiGroups: apiGroups,
    resources: resources,
    verbs: verbs,
    resourceNames: resourceNames,
  },

  // _Binding is what bindings have in common. Twins: `roleRef_`, a role, and
  // `subjects_`, a list of ServiceAccounts, Groups and Users.
  _Binding(kind, name):: kube._Object('rbac.authorization.k8s.io/v1', kind, name) {
    local binding = self,
    roleRef_:: error kind + ' ' + name + ': must provide roleRef_',
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: binding.roleRef_.kind, name: binding.roleRef_.metadata.name },
    subjects_:: error kind + ' ' + name + ': must provide subjects_',
    subjects: [
      if subject.kind != 'ServiceAccount' then subject
      else { kind: subject.kind, name: subject.metadata.name, namespace: subject.metadata.namespace }
      for subject in binding.subjects_
    ],
  },

  // RoleBinding gives a role's rights to subjects, in its namespace.
  RoleBinding(name):: kube._Binding('RoleBinding', name),

  // ClusterRoleBinding gives a cluster role's rights to subjects, everywhere.
  ClusterRoleBinding(name):: kube._Binding('ClusterRoleBinding', name) {
    assert self.roleRef.kind == 'ClusterRole' : 'ClusterRoleBinding ' + name + ': needs a ClusterRole',
  },

  // Storage ///////////////////////////////////////////////////////////////////

  // StorageClass is a kind of volume. Volumes are made where the pod that first
  // uses them runs, and can grow.
  StorageClass(name):: kube._Object('storage.k8s.io/v1', 'StorageClass', name) {
    isDefault:: false,
    metadata+: if self.isDefault then { annotations+: { 'storageclass.kubernetes.io/is-default-class': 'true' } } else {},
    provisioner: error 'StorageClass ' + name + ': must provide provisioner',
    parameters: {},
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'WaitForFirstConsumer',
    allowVolumeExpansion: true,
  },

  // Extending the API /////////////////////////////////////////////////////////

  // CustomResourceDefinition adds a kind to the API. `schema` is its structural
  // schema; without one, anything goes.
  CustomResourceDefinition(group, version, kind)::
    local singular = std.asciiLower(kind);
    kube._Object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', singular + 's.' + group) {
      local crd = self,
      schema:: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      spec: {
        group: group,
        scope: 'Namespaced',
        names: { kind: kind, listKind: kind + 'List', singular: singular, plural: singular + 's' },
        versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: crd.schema } }],
      },
    },

  // ValidatingAdmissionPolicy has the API server refuse objects by rules written
  // in CEL.
  ValidatingAdmissionPolicy(name):: kube._Object('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', name) {
    spec: { failurePolicy: 'Fail', validations: error 'ValidatingAdmissionPolicy ' + name + ': must provide spec.validations' },
  },

  // ValidatingAdmissionPolicyBinding puts the policy `policy` into force.
  ValidatingAdmissionPolicyBinding(name):: kube._Object('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding', name) {
    local binding = self,
    policy:: error 'ValidatingAdmissionPolicyBinding ' + name + ': must provide policy',
    spec: { policyName: binding.policy.metadata.name, validationActions: ['Deny', 'Audit'] },
  },

  // MutatingAdmissionPolicy has the API server complete objects by rules written
  // in CEL. Kubernetes 1.36 and newer.
  MutatingAdmissionPolicy(name):: kube._Object('admissionregistration.k8s.io/v1', 'MutatingAdmissionPolicy', name) {
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'IfNeeded',
      mutations: error 'MutatingAdmissionPolicy ' + name + ': must provide spec.mutations',
    },
  },

  // MutatingAdmissionPolicyBinding puts the policy `policy` into force.
  MutatingAdmissionPolicyBinding(name):: kube._Object('admissionregistration.k8s.io/v1', 'MutatingAdmissionPolicyBinding', name) {
    local binding = self,
    policy:: error 'MutatingAdmissionPolicyBinding ' + name + ': must provide policy',
    spec: { policyName: binding.policy.metadata.name },
  },

  // _WebhookConfiguration is what webhook configurations have in common. Twin:
  // `webhooks_`, by their full names.
  _WebhookConfiguration(kind, name):: kube._Object('admissionregistration.k8s.io/v1', kind, name) {
    local configuration = self,
    webhooks_:: {},
    webhooks: [
      { name: key, admissionReviewVersions: ['v1'], sideEffects: 'None' } + configuration.webhooks_[key]
      for key in std.objectFields(configuration.webhooks_)
    ],
  },

  // ValidatingWebhookConfiguration has a server of ours refuse objects.
  ValidatingWebhookConfiguration(name):: kube._WebhookConfiguration('ValidatingWebhookConfiguration', name),

  // MutatingWebhookConfiguration has a server of ours complete objects.
  MutatingWebhookConfiguration(name):: kube._WebhookConfiguration('MutatingWebhookConfiguration', name),
}
