// See kube_test.jsonnet for the form of these tests.
local kops = import 'lib/kops.libsonnet';

local params = {
  name: 'dev.example.net',
  stateStore: 's3://state',
  discoveryStore: 's3://oidc',
  kubernetesVersion: '1.36.1',
  image: 'owner/image',
  zones: ['eu-central-1a', 'eu-central-1b'],
  networkCIDR: '10.10.0.0/16',
  apiAccess: ['10.0.0.0/8'],
  controlPlane: { machineType: 'm6i.large', zones: ['eu-central-1a'] },
  nodes: { machineType: 't3.large' },
};
local cluster = kops.Cluster(params);
local spec = cluster.cluster.spec;
local refuses(change, message) = { fails: function() kops.Cluster(params + change), message: message };

{
  'a control-plane group per zone that is named, nodes in every zone': {
    actual: { [name]: cluster.instanceGroups[name].spec.role for name in std.objectFields(cluster.instanceGroups) },
    expected: {
      'control-plane-eu-central-1a': 'ControlPlane',
      'nodes-eu-central-1a': 'Node',
      'nodes-eu-central-1b': 'Node',
    },
  },
  'groups are called like their keys and belong to the cluster': {
    actual: [
      [group.metadata.name == name, group.metadata.labels['kops.k8s.io/cluster']]
      for name in std.objectFields(cluster.instanceGroups)
      for group in [cluster.instanceGroups[name]]
    ],
    expected: [[true, 'dev.example.net'], [true, 'dev.example.net'], [true, 'dev.example.net']],
  },
  'subnets are cut out of the network': {
    actual: [[subnet.name, subnet.type, subnet.cidr] for subnet in spec.subnets],
    expected: [
      ['eu-central-1a', 'Private', '10.10.32.0/19'],
      ['eu-central-1b', 'Private', '10.10.64.0/19'],
      ['utility-eu-central-1a', 'Utility', '10.10.0.0/22'],
      ['utility-eu-central-1b', 'Utility', '10.10.4.0/22'],
    ],
  },
  'etcd has a member on each control-plane group': {
    actual: [[etcd.name, [[member.name, member.instanceGroup] for member in etcd.etcdMembers]] for etcd in spec.etcdClusters],
    expected: [[name, [['a', 'control-plane-eu-central-1a']]] for name in ['main', 'events']],
  },
  'stores are folders called like the cluster': {
    actual: [spec.configBase, spec.serviceAccountIssuerDiscovery.discoveryStore],
    expected: ['s3://state/dev.example.net', 's3://oidc/dev.example.net'],
  },
  'permissions are inline policies': {
    actual: kops.serviceAccountPermission('shop', 'web', [{ Effect: 'Allow' }]),
    expected: { namespace: 'shop', name: 'web', aws: { inlinePolicy: '[{"Effect":"Allow"}]' } },
  },
  "roleName is kops'": { actual: kops.roleName('dev.example.net', 'shop', 'web'), expected: 'web.shop.sa.dev.example.net' },
  'a role name that is too long': {
    fails: function() kops.roleName('dev.example.net', 'shop', std.repeat('x', 64)),
    message: 'AWS allows 64 characters',
  },
  'everything can be overridden': {
    actual: (cluster { cluster+: { spec+: { networking: { calico: {} } } } }).cluster.spec.networking,
    expected: { calico: {} },
  },
  'no autoscaler unless it is asked for': {
    actual: [std.objectHas(spec, 'clusterAutoscaler'), kops.Cluster(params { clusterAutoscaler: true }).cluster.spec.clusterAutoscaler.enabled],
    expected: [false, true],
  },
  'an even number of control-plane zones': refuses({ controlPlane+: { zones: ['eu-central-1a', 'eu-central-1b'] } }, 'etcd needs a majority'),
  'a zone that is not one of the cluster': refuses({ controlPlane+: { zones: ['eu-central-1c'] } }, 'controlPlane.zones must be among the zones'),
  'a network of another size': refuses({ networkCIDR: '10.10.0.0/20' }, 'want a network such as 10.10.0.0/16'),
  'an unknown parameter': refuses({ zone: 'a' }, 'unknown parameter zone'),
  'an unknown parameter of nodes': refuses({ nodes+: { min: 1 } }, 'unknown parameter nodes.min'),
  'fewer nodes at most than at least': refuses({ nodes+: { minSize: 3, maxSize: 2 } }, 'nodes.minSize must be from 1 to nodes.maxSize'),
  'a missing parameter': { fails: function() kops.Cluster({ name: 'x' }), message: "must provide '" },
}
