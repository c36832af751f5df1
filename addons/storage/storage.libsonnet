// Volumes on EBS: their classes, and snapshots of them.
//
// kops installs the driver that makes and mounts volumes. It has snapshots only
// together with a cert-manager of its own, so their definitions, their controller
// and the part of the driver that takes them are here.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local definitions = import 'crds/crds.libsonnet';

local stack = 'storage';
local driver = 'ebs.csi.aws.com';

function(params)
  local p = platform.params(stack, platform.stackParams(stack) {
    local p = self,
    images: {
      controller: 'registry.k8s.io/sig-storage/snapshot-controller:' + p.versions['snapshot-controller'],
      snapshotter: 'registry.k8s.io/sig-storage/csi-snapshotter:' + p.versions['snapshot-controller'],
      driver: 'public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver:' + p.versions['aws-ebs-csi-driver'],
    },
    // Whether this instance brings what there can only be one of: definitions, and
    // classes under the names that claims go by.
    shared: true,
    replicas: 2,
    monitoringNamespace: 'monitoring',
  }, params);
  local version = p.versions['snapshot-controller'];

  local read = ['get', 'list', 'watch'];
  local snapshots = ['snapshot.storage.k8s.io'];

  // A controller with a leader, and rights in the cluster.
  local controller(component, rules) = {
    local all = self,
    local this = platform.component(p, stack, component, version),
    local name = p.name + '-' + component,

    service_account: kube.ServiceAccount(name) + this,
    cluster_role: kube.ClusterRole(platform.scoped(p, component)) + platform.clusterComponent(p, stack, component) { rules: rules },
    cluster_role_binding: kube.ClusterRoleBinding(platform.scoped(p, component)) + platform.clusterComponent(p, stack, component) {
      roleRef_:: all.cluster_role,
      subjects_:: [all.service_account],
    },
    role: kube.Role(name) + this {
      rules: [kube.rule(['coordination.k8s.io'], ['leases'], read + ['create', 'update', 'patch', 'delete'])],
    },
    role_binding: kube.RoleBinding(name) + this {
      roleRef_:: all.role,
      subjects_:: [all.service_account],
    },
    deployment: kube.Deployment(name) + this + platform.spread() {
      spec+: {
        replicas: p.replicas,
        template+: {
          metadata+: { annotations+: platform.scrape(8080) },
          spec+: platform.restricted() + {
            serviceAccountName: all.service_account.metadata.name,
            automountServiceAccountToken: true,
            priorityClassName: platform.priority.standard,
            containers_+: {
              [component]: platform.Container(component) {
                image: p.images[component],
                args_+: { v: '2', 'leader-election': 'true', 'leader-election-namespace': '$(POD_NAMESPACE)', 'http-endpoint': ':8080' },
                env_+: { POD_NAMESPACE: kube.FieldRef('metadata.namespace') },
                ports_+: { metrics: { containerPort: 8080 } },
                resources_:: { cpu: '10m', memory: '64Mi', memoryLimit: '128Mi' },
                readinessProbe: platform.httpProbe('/healthz/leader-election', 'metrics'),
                livenessProbe: platform.httpProbe('/healthz/leader-election', 'metrics', failures=6),
              },
            },
          },
        },
      },
    },
    disruption_budget: kube.PodDisruptionBudget(name) + this {
      target_pod:: all.deployment.spec.template,
    },
    network_policy: kube.NetworkPolicy(name) + this {
      target_pod:: all.deployment.spec.template,
      spec+: {
        ingress_+: { metrics: platform.fromPeers(['metrics'], [platform.inNamespace(p.monitoringNamespace)]) },
        egress_+: { api: platform.toAPI() },
      },
    },
  };

  {
    [if p.shared then 'classes']: {
      local class(name) = kube.StorageClass(name) + platform.clusterComponent(p, stack, 'class') {
        provisioner: driver,
        parameters: { 'csi.storage.k8s.io/fstype': 'ext4', encrypted: 'true' },
      },
      // Solid state, with twice the throughput that AWS gives for nothing.
      fast: class('fast') {
        isDefault:: true,
        parameters+: { type: 'gp3', iops: '3000', throughput: '250' },
      },
      // Disks, for much data that is read in order. AWS sells no less than 125 GiB.
      slow: class('slow') { parameters+: { type: 'st1' } },
      snapshots: kube._Object('snapshot.storage.k8s.io/v1', 'VolumeSnapshotClass', 'snapshots') + platform.clusterComponent(p, stack, 'class') {
        metadata+: { annotations+: { 'snapshot.storage.kubernetes.io/is-default-class': 'true' } },
        driver: driver,
        deletionPolicy: 'Delete',
      },
    },
    [if p.shared then 'definitions']: {
      [name]: definitions[platform.tag(version)][name] { metadata+: { labels+: { 'app.kubernetes.io/name': stack } } }
      for name in std.objectFields(definitions[platform.tag(version)])
    },

    // Binds snapshots that people ask for to those that the driver takes.
    controller: controller('controller', [
      kube.rule([''], ['persistentvolumes'], read),
      kube.rule([''], ['persistentvolumeclaims'], read + ['update']),
      kube.rule([''], ['events'], ['list', 'watch', 'create', 'update', 'patch']),
      kube.rule(snapshots, ['volumesnapshotclasses'], read),
      kube.rule(snapshots, ['volumesnapshotcontents', 'volumesnapshots'], read + ['create', 'update', 'patch', 'delete']),
      kube.rule(snapshots, ['volumesnapshotcontents/status', 'volumesnapshots/status'], ['update', 'patch']),
    ]),

    // Takes them: the sidecar that watches, next to a driver that serves it alone.
    snapshotter: controller('snapshotter', [
      kube.rule([''], ['events'], ['list', 'watch', 'create', 'update', 'patch']),
      kube.rule(snapshots, ['volumesnapshotclasses'], read),
      kube.rule(snapshots, ['volumesnapshotcontents'], read + ['update', 'patch']),
      kube.rule(snapshots, ['volumesnapshotcontents/status'], ['update', 'patch']),
    ]) {
      local all = self,
      local socket = { volumeMounts_+: { socket: { mountPath: '/csi' } } },
      deployment+: {
        spec+: {
          template+: {
            spec+: {
              volumes_+: platform.awsVolumes { socket: kube.EmptyDirVolume() },
              containers_+: {
                snapshotter+: socket { args_+: { 'csi-address': '/csi/csi.sock' } },
                driver: platform.Container('driver') + platform.awsContainer(p, all.service_account) + socket {
                  image: p.images.driver,
                  args: ['controller', '--endpoint=unix:///csi/csi.sock', '--v=2', '--extra-tags=Cluster=' + p.cluster.fullName],
                  resources_:: { cpu: '10m', memory: '64Mi', memoryLimit: '128Mi' },
                },
              },
            },
          },
        },
      },
      network_policy+: { spec+: { egress_+: { aws: platform.toInternet([443]) } } },
    },
  }
