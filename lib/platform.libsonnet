// The platform's conventions: what every stack does in the same way.
local kube = import 'lib/kube.libsonnet';

{
  local platform = self,

  // Stacks ////////////////////////////////////////////////////////////////////

  // params gives a stack's parameters: its defaults, overridden by what it was
  // given. A parameter that the stack doesn't have is an error.
  params(stack, defaults, given)::
    local unknown = [key for key in std.objectFieldsAll(given) if !std.objectHasAll(defaults, key)];
    if unknown == [] then defaults + given
    else error 'stack ' + stack + ": unknown parameter '" + unknown[0] + "'; it has " + std.join(', ', std.objectFieldsAll(defaults)),

  // stackParams are the parameters that every stack has.
  stackParams(stack):: {
    local required(key) = error 'stack ' + stack + ": must provide '" + key + "'",
    // The instance's name, which all of its objects' names begin with.
    name: stack,
    namespace: required('namespace'),
    // The facts of the cluster: see clusters/cluster.libsonnet.
    cluster: required('cluster'),
    // Versions by component, from clusters/versions.json.
    versions: required('versions'),
  },

  // scoped is the name of a cluster-scoped object of an instance. Two instances
  // never share one, whatever their names and namespaces are.
  scoped(p, suffix=''):: p.namespace + '.' + p.name + (if suffix == '' then '' else '.' + suffix),

  // labels are the labels of a component of an instance, and what selectors are
  // made of.
  labels(p, stack, component):: {
    'app.kubernetes.io/name': stack,
    'app.kubernetes.io/instance': p.name,
    'app.kubernetes.io/component': component,
  },

  // component is mixed into an object of an instance: its namespace and labels.
  component(p, stack, component, version=null):: {
    metadata+: {
      namespace: p.namespace,
      labels+: platform.labels(p, stack, component) + (
        if version == null then {} else { 'app.kubernetes.io/version': platform.tag(version) }
      ),
    },
  },

  // clusterComponent is the same for objects that have no namespace.
  clusterComponent(p, stack, component):: {
    metadata+: { labels+: platform.labels(p, stack, component) },
  },

  // tag is a version without its digest.
  tag(version):: std.split(version, '@')[0],

  // kubernetesAtLeast says whether the cluster runs Kubernetes 1.<minor> or newer.
  kubernetesAtLeast(p, minor):: std.parseInt(std.split(p.versions.kubernetes, '.')[1]) >= minor,

  // Namespaces ////////////////////////////////////////////////////////////////

  // Namespace is a namespace and what every one has: a Pod Security level, and
  // network policies that leave nothing open but DNS. Stacks open what they need.
  Namespace(name, level='restricted'):: {
    local here = { metadata+: { namespace: name, labels+: { 'app.kubernetes.io/name': name } } },

    namespace: kube.Namespace(name) {
      assert std.member(['restricted', 'baseline', 'privileged'], level) : 'Namespace ' + name + ': unknown Pod Security level ' + level,
      metadata+: {
        labels+: {
          'pod-security.kubernetes.io/enforce': level,
          'pod-security.kubernetes.io/enforce-version': 'latest',
          'pod-security.kubernetes.io/audit': 'restricted',
          'pod-security.kubernetes.io/audit-version': 'latest',
          'pod-security.kubernetes.io/warn': level,
          'pod-security.kubernetes.io/warn-version': 'latest',
        },
      },
    },
    default_deny: kube.NetworkPolicy('default-deny') + here {
      spec+: { policyTypes: ['Ingress', 'Egress'] },
    },
    allow_dns: kube.NetworkPolicy('allow-dns') + here {
      spec+: {
        egress_+: {
          dns: {
            to: [{
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
              podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
            }],
            ports: [{ protocol: 'UDP', port: 53 }, { protocol: 'TCP', port: 53 }],
          },
        },
      },
    },
  },

  // Network policies: peers and rules for `ingress_` and `egress_` //////////

  // ports is a list of TCP ports, or `UDP/53` for others.
  ports(list):: [
    local parts = if std.isString(port) then std.split(port, '/') else [];
    if std.length(parts) == 2 then { protocol: parts[0], port: std.parseInt(parts[1]) }
    else { protocol: 'TCP', port: port }
    for port in list
  ],

  // inNamespace are all pods of a namespace.
  inNamespace(name):: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } },

  // podsOf are the pods of a workload, in the namespace at hand or another.
  podsOf(workload, namespace=null):: {
    podSelector: { matchLabels: kube.stableLabels(workload.spec.template.metadata.labels) },
    namespaceSelector: if namespace == null then null else platform.inNamespace(namespace).namespaceSelector,
  },

  // network are all addresses in a CIDR, less those excepted.
  network(cidr, except=null):: { ipBlock: { cidr: cidr, except: except } },

  // fromPeers opens ports to peers; without peers, to everybody.
  fromPeers(ports, peers=null):: { from: peers, ports: platform.ports(ports) },

  // toPeers opens ports of peers; without peers, of everybody.
  toPeers(ports, peers=null):: { to: peers, ports: platform.ports(ports) },

  // toAPI opens the Kubernetes API. It says the port alone: the API's addresses
  // are those of machines, which not all network plugins let a CIDR stand for.
  toAPI():: platform.toPeers([443]),

  // toInternet opens ports of everything that isn't in the cluster, but for link-
  // local addresses: one of them gives out the machine's credentials.
  toInternet(ports):: platform.toPeers(ports, [platform.network('0.0.0.0/0', ['169.254.0.0/16'])]),

  // Pods //////////////////////////////////////////////////////////////////////

  // scrape is the annotations by which Prometheus finds a port of a pod.
  scrape(port, path='/metrics', scheme='http')::
    { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '' + port } +
    (if path == '/metrics' then {} else { 'prometheus.io/path': path }) +
    (if scheme == 'http' then {} else { 'prometheus.io/scheme': scheme }),

  // restricted is mixed into a PodSpec: the strictest Pod Security level, as a
  // user without rights. Files of volumes belong to its group.
  restricted(uid=65532, gid=uid):: {
    securityContext: {
      runAsNonRoot: true,
      runAsUser: uid,
      runAsGroup: gid,
      fsGroup: gid,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
  },

  // Container is a container without rights: no capabilities, no writing outside
  // of volumes. `resources_` takes {cpu, memory, memoryLimit, cpuLimit}: memory is
  // limited to what is requested by default, CPU isn't limited, since throttling
  // hurts more than sharing.
  Container(name):: kube.Container(name) {
    local container = self,
    resources_:: error 'Container ' + name + ': must provide resources_, such as { cpu: "50m", memory: "64Mi" }',
    resources: {
      requests: { cpu: container.resources_.cpu, memory: container.resources_.memory },
      limits: {
        cpu: std.get(container.resources_, 'cpuLimit'),
        memory: std.get(container.resources_, 'memoryLimit', container.resources_.memory),
      },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    terminationMessagePolicy: 'FallbackToLogsOnError',
  },

  // httpProbe is a probe by HTTP of a port, given by name or number.
  httpProbe(path, port, period=10, failures=3, timeout=3):: {
    httpGet: { path: path, port: port, scheme: 'HTTP' },
    periodSeconds: period,
    failureThreshold: failures,
    timeoutSeconds: timeout,
  },

  // tcpProbe is a probe by opening a connection.
  tcpProbe(port, period=10, failures=3, timeout=3):: {
    tcpSocket: { port: port },
    periodSeconds: period,
    failureThreshold: failures,
    timeoutSeconds: timeout,
  },

  // spread is mixed into a workload: its pods go to different zones and nodes.
  // With `strict`, a pod waits rather than shares a zone more than others do.
  spread(strict=false):: {
    local workload = self,
    spec+: {
      template+: {
        spec+: {
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: key,
              whenUnsatisfiable: if strict && key == 'topology.kubernetes.io/zone' then 'DoNotSchedule' else 'ScheduleAnyway',
              labelSelector: { matchLabels: kube.stableLabels(workload.spec.template.metadata.labels) },
              // Each revision is spread by itself, else the pods that an update
              // replaces hold it up. StatefulSets replace in place.
              matchLabelKeys: if workload.kind == 'Deployment' then ['pod-template-hash'] else null,
            }
            for key in ['topology.kubernetes.io/zone', 'kubernetes.io/hostname']
          ],
        },
      },
    },
  },

  // priority are the names of the priority classes: see addons/base.
  priority:: {
    // What other things need to work at all: ingress, certificates.
    critical: 'platform-critical',
    // Everything else that the platform runs.
    standard: 'platform-standard',
    // What can wait: builds, clean-up.
    batch: 'platform-batch',
  },

  // awsContainer is mixed into a container: it acts as the AWS role that kops made
  // for the service account (see lib/kops.libsonnet), by tokens that Kubernetes
  // renews, so that there are no keys. Its pod needs awsVolumes in `volumes_+`.
  awsContainer(p, serviceAccount):: {
    env_+: {
      AWS_REGION: p.cluster.region,
      AWS_ROLE_ARN: p.cluster.roleARN(p.namespace, serviceAccount.metadata.name),
      AWS_STS_REGIONAL_ENDPOINTS: 'regional',
      AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/secrets/amazonaws.com/token',
    },
    volumeMounts_+: { aws_token: { mountPath: '/var/run/secrets/amazonaws.com', readOnly: true } },
  },

  // awsVolumes holds the token for awsContainer.
  awsVolumes:: { aws_token: kube.ServiceAccountTokenVolume('amazonaws.com', seconds=86400) },

  // provides is mixed into an object whose programs create others, so that
  // `platform check` knows of those: `Secret name: key, key` in its own namespace
  // or as namespace/name, `Pod namespace/name: label=value` where name may be *.
  provides(entries):: { metadata+: { annotations+: { 'platform/provides': std.join('; ', entries) } } },

  // Secrets ///////////////////////////////////////////////////////////////////

  // GeneratedSecret is a password that is made up once, in the cluster, and never
  // leaves it: a Job that creates the Secret unless it is there. `image` needs sh
  // and curl, so that it can be that of the program which the password is for.
  // `keys_` maps the Secret's keys to values in which $PASSWORD stands for it, and
  // $(random) for another one each time.
  GeneratedSecret(p, stack, name, image):: {
    local all = self,
    local component = platform.component(p, stack, name),
    local fullName = p.name + '-' + name,
    local job = fullName + '-generate',
    // The name of the Secret.
    secretName:: fullName,
    keys_:: { password: '$PASSWORD' },
    type_:: 'Opaque',
    uid_:: 65532,

    service_account: kube.ServiceAccount(job) + component,
    role: kube.Role(job) + component {
      rules: [
        kube.rule([''], ['secrets'], ['get'], [fullName]),
        // Creating can't be limited to a name.
        kube.rule([''], ['secrets'], ['create']),
      ],
    },
    role_binding: kube.RoleBinding(job) + component {
      roleRef_:: all.role,
      subjects_:: [all.service_account],
    },
    network_policy: kube.NetworkPolicy(job) + component {
      target_pod:: all.job.spec.template,
      spec+: { egress_+: { api: platform.toAPI() } },
    },
    local script = |||
      set -eu
      account=/var/run/secrets/kubernetes.io/serviceaccount
      secrets=https://kubernetes.default.svc/api/v1/namespaces/%(namespace)s/secrets
      call() {
        curl --silent --show-error --retry 5 --retry-connrefused --output /tmp/answer --write-out '%%{http_code}' \
          --cacert $account/ca.crt --header "Authorization: Bearer $(cat $account/token)" "$@"
      }
      encode() { printf %%s "$1" | base64 | tr -d '\n'; }
      code=$(call $secrets/%(name)s)
      if [ "$code" = 200 ]; then echo 'It is there.'; exit 0; fi
      if [ "$code" != 404 ]; then echo "Reading the Secret: $code"; cat /tmp/answer; exit 1; fi
      random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }
      PASSWORD=$(random)
      cat > /tmp/secret <<END
      {"apiVersion": "v1", "kind": "Secret", "type": "%(type)s",
       "metadata": {"name": "%(name)s", "labels": %(labels)s},
       "data": {%(data)s}}
      END
      code=$(call --request POST --header 'Content-Type: application/json' --data-binary @/tmp/secret $secrets)
      rm /tmp/secret
      # Somebody else may have been faster.
      if [ "$code" = 201 ] || [ "$code" = 409 ]; then echo 'Done.'; exit 0; fi
      echo "Creating the Secret: $code"
      cat /tmp/answer
      exit 1
    ||| % {
      namespace: p.namespace,
      name: fullName,
      type: all.type_,
      labels: std.manifestJsonMinified(platform.labels(p, stack, name)),
      data: std.join(', ', ['"' + key + '": "$(encode "' + all.keys_[key] + '")"' for key in std.objectFields(all.keys_)]),
    },
    local pod = kube.PodSpec + platform.restricted(all.uid_) + {
      restartPolicy: 'OnFailure',
      serviceAccountName: all.service_account.metadata.name,
      automountServiceAccountToken: true,
      priorityClassName: platform.priority.standard,
      volumes_+: { tmp: kube.EmptyDirVolume() },
      containers_+: {
        generate: platform.Container('generate') {
          image: image,
          command: ['sh', '-c', script],
          resources_:: { cpu: '10m', memory: '32Mi' },
          volumeMounts_+: { tmp: { mountPath: '/tmp' } },
        },
      },
    },
    local provides = platform.provides(['Secret ' + fullName + ': ' + std.join(', ', std.objectFields(all.keys_))]),
    // A Job's pods can't be changed: with another image it is another Job.
    job: kube.Job(job + '-' + std.substr(std.md5(std.manifestJsonMinified(pod)), 0, 8)) + component + provides {
      spec+: { backoffLimit: 20, template+: { spec: pod } },
    },
  },

  // checksum is an annotation for pods that read configuration only when they
  // start: another configuration makes other pods.
  checksum(config):: { 'checksum/config': std.md5(std.manifestJsonMinified(config.data)) },

  // Ingress ///////////////////////////////////////////////////////////////////

  // Ingress leads a host name to a Service. It needs `host` and `target_service`;
  // certificate, redirect to HTTPS and class follow.
  Ingress(name):: kube.Ingress(name) {
    local ingress = self,
    host:: error 'Ingress ' + name + ': must provide host',
    target_service:: error 'Ingress ' + name + ': must provide target_service',
    path:: '/',
    metadata+: {
      // The default issuer: see addons/cert-manager.
      annotations+: { 'kubernetes.io/tls-acme': 'true' },
    },
    spec+: {
      ingressClassName: 'nginx',
      tls: [{ hosts: [ingress.host], secretName: name + '-tls' }],
      rules_: { [ingress.host]: { [ingress.path]: kube.IngressBackend(ingress.target_service) } },
    },
  },
}
