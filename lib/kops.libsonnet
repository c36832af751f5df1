// Clusters as kops knows them: ordinary Cluster and InstanceGroup manifests
// of kops.k8s.io/v1alpha2, as `kops replace -f` takes them.
//
// Every field of kops' API can be set or overridden: the values of this file's
// functions are whole manifests.
{
  local kops = self,

  apiVersion:: 'kops.k8s.io/v1alpha2',

  // A cluster and its instance groups in private subnets of their own VPC, its
  // API behind an internal load balancer, ready for one namespace file after
  // the other. Parameters, all but the last group required:
  //
  //   name                full name, such as dev.example.net
  //   kubernetesVersion   such as 1.36.1
  //   image               machine image, OWNER/NAME
  //   region              AWS region
  //   zones               letters of the zones, such as ['a', 'b', 'c']
  //   networkCIDR         the VPC's network, a /16
  //   stateStore          kops' state store
  //   discoveryStore      public store of the OpenID documents
  //   controlPlane        { zones, machineType }: one machine per zone
  //   nodes               { machineType, min, max } per zone
  //   apiAccess           networks that reach the Kubernetes API
  //   sshAccess           networks that reach the machines by SSH, may be empty
  //   serviceAccounts     IAM permissions by 'namespace/name' of the service
  //                       account: a list of statements (optional)
  cluster(params):: {
    local p = kops.defaults + params,
    local required = ['name', 'kubernetesVersion', 'image', 'region', 'zones', 'networkCIDR', 'stateStore', 'discoveryStore', 'controlPlane', 'nodes', 'apiAccess', 'sshAccess'],
    local known = required + std.objectFields(kops.defaults),
    assert std.all([
      std.objectHas(params, field) || error 'kops.cluster: must provide %s' % field
      for field in required
    ]),
    assert std.all([
      std.member(known, field) || error 'kops.cluster: unknown parameter %s' % field
      for field in std.objectFields(params)
    ]),
    assert std.all([
      std.member(p.zones, zone) || error 'kops.cluster: the control plane wants zone %s, which is none of the zones' % zone
      for zone in p.controlPlane.zones
    ]),
    assert std.length(p.controlPlane.zones) % 2 == 1 : 'kops.cluster: etcd needs an odd number of control-plane zones',

    cluster: kops.Cluster(p.name) {
      spec+: {
        kubernetesVersion: p.kubernetesVersion,
        configBase: '%s/%s' % [p.stateStore, p.name],
        networkCIDR: p.networkCIDR,
        subnets: kops.subnets(p.region, p.zones, p.networkCIDR),
        etcdClusters: [
          kops.etcdCluster(name, p.controlPlane.zones, p.region)
          for name in ['main', 'events']
        ],
        kubernetesApiAccess: p.apiAccess,
        sshAccess: p.sshAccess,
        serviceAccountIssuerDiscovery: {
          discoveryStore: '%s/%s' % [p.discoveryStore, p.name],
          enableAWSOIDCProvider: true,
        },
        iam+: {
          serviceAccountExternalPermissions: [
            kops.serviceAccount(key, p.serviceAccounts[key])
            for key in std.objectFields(p.serviceAccounts)
          ],
        },
      },
    },

    instanceGroups: {
      [kops.controlPlaneName(p.region, zone)]: kops.InstanceGroup(p.name, kops.controlPlaneName(p.region, zone)) {
        spec+: {
          role: 'ControlPlane',
          image: p.image,
          machineType: p.controlPlane.machineType,
          minSize: 1,
          maxSize: 1,
          subnets: [p.region + zone],
        },
      }
      for zone in p.controlPlane.zones
    } + {
      ['nodes-%s%s' % [p.region, zone]]: kops.InstanceGroup(p.name, 'nodes-%s%s' % [p.region, zone]) {
        spec+: {
          role: 'Node',
          image: p.image,
          machineType: p.nodes.machineType,
          minSize: p.nodes.min,
          maxSize: p.nodes.max,
          subnets: [p.region + zone],
          // Elasticsearch maps its index files; the default is too low for it.
          sysctlParameters: ['vm.max_map_count=1048576'],
        },
      }
      for zone in p.zones
    },
  },

  defaults:: { serviceAccounts: {} },

  controlPlaneName(region, zone):: 'control-plane-%s%s' % [region, zone],

  // A Cluster manifest with all that doesn't depend on the cluster.
  Cluster(name):: {
    apiVersion: kops.apiVersion,
    kind: 'Cluster',
    metadata: { name: name },
    spec: {
      // Versions and images come from git, not from a channel.
      channel: 'none',
      cloudProvider: 'aws',
      // Nothing to wait for in DNS: clients get the load balancer's own name.
      topology: { dns: { type: 'None' } },
      api: { loadBalancer: { class: 'Network', type: 'Internal' } },
      authorization: { rbac: {} },
      networking: { cilium: {} },
      nonMasqueradeCIDR: '100.64.0.0/10',
      iam: {
        legacy: false,
        allowContainerRegistry: true,
        useServiceAccountExternalPermissions: true,
      },
      kubelet: { anonymousAuth: false },
      kubeAPIServer: {
        auditLogPath: '/var/log/kube-apiserver-audit.log',
        auditLogMaxAge: 10,
        auditLogMaxBackups: 1,
        auditLogMaxSize: 100,
      },
      cloudConfig: { awsEBSCSIDriver: { enabled: true } },
      nodeTerminationHandler: { enabled: true, enableSQSTerminationDraining: true, managedASGTag: 'aws-node-termination-handler/managed' },
      // One new machine before an old one goes.
      rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
    },
  },

  // An InstanceGroup manifest with all that doesn't depend on the group.
  InstanceGroup(cluster, name):: {
    apiVersion: kops.apiVersion,
    kind: 'InstanceGroup',
    metadata: { name: name, labels: { 'kops.k8s.io/cluster': cluster } },
    spec: {
      rootVolumeEncryption: true,
      // Pods must not get at the machine's own credentials.
      instanceMetadata: { httpTokens: 'required', httpPutResponseHopLimit: 1 },
    },
  },

  // An etcd cluster with a member on each control-plane machine.
  etcdCluster(name, zones, region):: {
    name: name,
    etcdMembers: [
      { name: zone, instanceGroup: kops.controlPlaneName(region, zone), encryptedVolume: true }
      for zone in zones
    ],
  },

  // A private and a utility subnet per zone, cut out of a /16: 8 private
  // networks of 8192 addresses, of which the first holds the utility networks
  // of 1024.
  subnets(region, zones, networkCIDR):: (
    local parts = std.split(networkCIDR, '/');
    assert std.length(parts) == 2 && parts[1] == '16' : 'kops.subnets: want a /16, got %s' % networkCIDR;
    assert std.length(zones) <= 7 : 'kops.subnets: at most 7 zones';
    local octets = std.split(parts[0], '.');
    local prefix = '%s.%s' % [octets[0], octets[1]];
    [
      { name: region + zones[i], zone: region + zones[i], type: 'Private', cidr: '%s.%d.0/19' % [prefix, 32 * (i + 1)] }
      for i in std.range(0, std.length(zones) - 1)
    ] + [
      { name: 'utility-%s%s' % [region, zones[i]], zone: region + zones[i], type: 'Utility', cidr: '%s.%d.0/22' % [prefix, 4 * i] }
      for i in std.range(0, std.length(zones) - 1)
    ]
  ),

  // The IAM role of a service account, 'namespace/name', with the statements
  // that it may use. No pod needs a key of its own.
  serviceAccount(key, statements):: (
    local parts = std.split(key, '/');
    assert std.length(parts) == 2 : "kops.serviceAccount: want 'namespace/name', got '%s'" % key;
    {
      namespace: parts[0],
      name: parts[1],
      aws: { inlinePolicy: std.manifestJsonMinified(statements) },
    }
  ),
}
