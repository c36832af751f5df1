// Experiments. Open to the office and the VPN.
local org = import 'clusters/org.libsonnet';
local aws = import 'lib/aws.libsonnet';
local kops = import 'lib/kops.libsonnet';
local cluster = org.cluster('dev');

{
  name: cluster.name,
  protected: false,

  kops: { stateStore: org.stateStore } + kops.cluster({
    name: cluster.fqdn,
    kubernetesVersion: cluster.version('kubernetes'),
    image: cluster.version('node-image'),
    region: org.region,
    zones: ['a', 'b'],
    networkCIDR: cluster.vpcCIDR,
    stateStore: org.stateStore,
    discoveryStore: org.discoveryStore,
    controlPlane: { zones: ['a'], machineType: 'm6i.large' },
    nodes: { machineType: 't3.xlarge', min: 1, max: 3 },
    apiAccess: [org.networks.office, org.networks.vpn],
    sshAccess: [org.networks.vpn],
    serviceAccounts: {
      'cert-manager/cert-manager': aws.dns01Statements(org.hostedZone.id),
    },
  }),

  aws: aws.cluster(org, cluster, access=[org.networks.office, org.networks.vpn, cluster.vpcCIDR]),
}
