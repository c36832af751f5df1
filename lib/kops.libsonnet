// Clusters as kops takes them: ordinary manifests, a Cluster and its
// InstanceGroups, which `kops replace -f` would take as they are.
//
// Cluster(params) gives {stateStore, cluster, instanceGroups}. All of a manifest
// can be overridden: `kops.Cluster(…) { cluster+: { spec+: { … } } }`.
{
  local kops = self,

  // roleName is the name of the AWS role that kops makes for a service account.
  roleName(cluster, namespace, serviceAccount)::
    local name = serviceAccount + '.' + namespace + '.sa.' + cluster;
    // kops would shorten it and add a hash, which nobody could predict.
    if std.length(name) > 64 then error 'role ' + name + ': AWS allows 64 characters; shorten the name of the service account'
    else name,

  // policyDocument is an AWS policy of statements.
  policyDocument(statements):: std.manifestJsonMinified(statements),

  // serviceAccountPermission gives a service account an AWS role with the policy.
  serviceAccountPermission(namespace, name, statements):: {
    namespace: namespace,
    name: name,
    aws: { inlinePolicy: kops.policyDocument(statements) },
  },

  local defaults = {
    // The cluster's full name, such as dev.example.net.
    name: error "kops: must provide 'name'",
    stateStore: error "kops: must provide 'stateStore', such as s3://example-net-kops-state",
    // A bucket whose objects are public: AWS checks service accounts' tokens by
    // the keys in it.
    discoveryStore: error "kops: must provide 'discoveryStore', such as s3://example-net-kops-oidc",
    kubernetesVersion: error "kops: must provide 'kubernetesVersion'",
    // The machines' image, as owner/name.
    image: error "kops: must provide 'image'",
    zones: error "kops: must provide 'zones'",
    // Networks don't overlap, so that they can be connected.
    networkCIDR: error "kops: must provide 'networkCIDR', such as 10.10.0.0/16",
    // Who may reach the API and, on the machines, SSH.
    apiAccess: error "kops: must provide 'apiAccess', a list of networks",
    sshAccess: [],
    controlPlane: {},
    nodes: {},
    // See serviceAccountPermission.
    permissions: [],
    clusterAutoscaler: false,
    // Tags of everything in AWS.
    tags: {},
  },

  local controlPlaneDefaults = {
    machineType: error "kops: must provide 'controlPlane.machineType'",
    // One machine in each: an odd number.
    zones: error "kops: must provide 'controlPlane.zones'",
    volumeSize: 64,
  },

  local nodesDefaults = {
    machineType: error "kops: must provide 'nodes.machineType'",
    // Per zone.
    minSize: 1,
    maxSize: self.minSize,
    volumeSize: 128,
  },

  local merge(what, defaults, given) =
    local unknown = [key for key in std.objectFields(given) if !std.objectHas(defaults, key)];
    if unknown == [] then defaults + given else error 'kops: unknown parameter ' + what + unknown[0],

  // Cluster gives the manifests of a cluster: private machines, an internal load
  // balancer for the API, one control-plane machine per zone that is named, nodes
  // in every zone.
  Cluster(params)::
    local p = merge('', defaults, params);
    local controlPlane = merge('controlPlane.', controlPlaneDefaults, p.controlPlane);
    local nodes = merge('nodes.', nodesDefaults, p.nodes);

    assert std.endsWith(p.networkCIDR, '.0.0/16') : 'kops: networkCIDR: want a network such as 10.10.0.0/16, got ' + p.networkCIDR;
    assert std.length(p.zones) >= 1 && std.length(p.zones) <= 7 : 'kops: zones: want 1 to 7, got ' + std.length(p.zones);
    assert std.length(controlPlane.zones) % 2 == 1 : 'kops: controlPlane.zones: want an odd number, since etcd needs a majority';
    assert std.all([std.member(p.zones, zone) for zone in controlPlane.zones]) : 'kops: controlPlane.zones must be among the zones';
    assert nodes.minSize >= 1 && nodes.minSize <= nodes.maxSize : 'kops: nodes.minSize must be from 1 to nodes.maxSize';

    local prefix = std.substr(p.networkCIDR, 0, std.length(p.networkCIDR) - std.length('.0.0/16'));
    local letter(zone) = std.substr(zone, std.length(zone) - 1, 1);
    local controlPlaneGroup(zone) = 'control-plane-' + zone;

    local instanceGroup(name, spec) = {
      apiVersion: 'kops.k8s.io/v1alpha2',
      kind: 'InstanceGroup',
      metadata: { name: name, labels: { 'kops.k8s.io/cluster': p.name } },
      spec: {
        image: p.image,
        rootVolumeType: 'gp3',
        rootVolumeEncryption: true,
        // Pods can't get at the machine's credentials: they need a token, and its
        // answer doesn't travel as far as a pod's network.
        instanceMetadata: { httpTokens: 'required', httpPutResponseHopLimit: 1 },
      } + spec,
    };

    {
      stateStore: p.stateStore,

      cluster: {
        apiVersion: 'kops.k8s.io/v1alpha2',
        kind: 'Cluster',
        metadata: { name: p.name },
        spec: {
          channel: 'none',
          cloudProvider: 'aws',
          configBase: p.stateStore + '/' + p.name,
          kubernetesVersion: p.kubernetesVersion,
          cloudLabels: p.tags,

          // No names in DNS: machines find the API by its load balancer.
          topology: { dns: { type: 'None' } },
          api: { loadBalancer: { class: 'Network', type: 'Internal', crossZoneLoadBalancing: true } },
          kubernetesApiAccess: p.apiAccess,
          sshAccess: p.sshAccess,

          networkCIDR: p.networkCIDR,
          // Pods and Services: not seen outside of the cluster, so it may be the
          // same in all.
          nonMasqueradeCIDR: '100.64.0.0/10',
          networking: { cilium: { enableNodePort: true, enablePrometheusMetrics: true } },
          kubeProxy: { enabled: false },
          subnets: [
            { name: p.zones[i], zone: p.zones[i], type: 'Private', cidr: prefix + '.' + (32 * (i + 1)) + '.0/19' }
            for i in std.range(0, std.length(p.zones) - 1)
          ] + [
            { name: 'utility-' + p.zones[i], zone: p.zones[i], type: 'Utility', cidr: prefix + '.' + (4 * i) + '.0/22' }
            for i in std.range(0, std.length(p.zones) - 1)
          ],

          etcdClusters: [
            {
              name: name,
              etcdMembers: [
                { name: letter(zone), instanceGroup: controlPlaneGroup(zone), volumeType: 'gp3', volumeSize: 20, encryptedVolume: true }
                for zone in controlPlane.zones
              ],
              manager: { backupInterval: '15m0s', backupRetentionDays: 90 },
            }
            for name in ['main', 'events']
          ],

          authorization: { rbac: {} },
          iam: {
            legacy: false,
            allowContainerRegistry: true,
            // Roles per service account instead of one per machine.
            useServiceAccountExternalPermissions: true,
            serviceAccountExternalPermissions: p.permissions,
          },
          serviceAccountIssuerDiscovery: {
            discoveryStore: p.discoveryStore + '/' + p.name,
            enableAWSOIDCProvider: true,
          },

          // Who did what, for ten days.
          kubeAPIServer: {
            auditLogPath: '/var/log/kube-apiserver-audit.log',
            auditLogMaxAge: 10,
            auditLogMaxBackups: 1,
            auditLogMaxSize: 100,
          },
          kubelet: { anonymousAuth: false, authenticationTokenWebhook: true, authorizationMode: 'Webhook' },

          // The volumes' driver is kops', their classes are ours: addons/storage.
          cloudConfig: { awsEBSCSIDriver: { enabled: true }, manageStorageClasses: false },
          // kops can secure it only by a cert-manager that is there before it; ours
          // comes after. What it reads are measurements, over the nodes' own network.
          metricsServer: { enabled: true, insecure: true },
          nodeTerminationHandler: { enabled: true, enableSQSTerminationDraining: true, prometheusEnable: true },
          [if p.clusterAutoscaler then 'clusterAutoscaler']: { enabled: true, balanceSimilarNodeGroups: true, skipNodesWithLocalStorage: false },

          rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
        },
      },

      instanceGroups: {
        [controlPlaneGroup(zone)]: instanceGroup(controlPlaneGroup(zone), {
          role: 'ControlPlane',
          machineType: controlPlane.machineType,
          minSize: 1,
          maxSize: 1,
          subnets: [zone],
          rootVolumeSize: controlPlane.volumeSize,
          rollingUpdate: { maxSurge: 0, maxUnavailable: 1 },
        })
        for zone in controlPlane.zones
      } + {
        ['nodes-' + zone]: instanceGroup('nodes-' + zone, {
          role: 'Node',
          machineType: nodes.machineType,
          minSize: nodes.minSize,
          maxSize: nodes.maxSize,
          subnets: [zone],
          rootVolumeSize: nodes.volumeSize,
          // Elasticsearch maps its indices into memory.
          sysctlParameters: ['vm.max_map_count=1048576'],
        })
        for zone in p.zones
      },
    },
}
