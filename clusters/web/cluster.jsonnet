// Public production. The edge in front of it may come from anywhere; operators
// come through the VPN.
local org = import 'clusters/org.libsonnet';
local aws = import 'lib/aws.libsonnet';
local kops = import 'lib/kops.libsonnet';
local cluster = org.cluster('web');

{
  name: cluster.name,
  protected: true,

  kops: { stateStore: org.stateStore } + kops.cluster({
    name: cluster.fqdn,
    kubernetesVersion: cluster.version('kubernetes'),
    image: cluster.version('node-image'),
    region: org.region,
    zones: ['a', 'b', 'c'],
    networkCIDR: cluster.vpcCIDR,
    stateStore: org.stateStore,
    discoveryStore: org.discoveryStore,
    controlPlane: { zones: ['a', 'b', 'c'], machineType: 'm6i.large' },
    nodes: { machineType: 'm6i.xlarge', min: 1, max: 6 },
    apiAccess: [org.networks.vpn],
    sshAccess: [],
    serviceAccounts: {
      'cert-manager/cert-manager': aws.dns01Statements(org.hostedZone.id),
    },
  }),

  aws: aws.cluster(org, cluster, access=['0.0.0.0/0']),
}
