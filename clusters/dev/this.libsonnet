// dev: where developers try things. Small, open to the office.
local org = import 'clusters/org.libsonnet';

(import 'clusters/cluster.libsonnet')({
  name: 'dev',
  protected: false,
  networkCIDR: '10.10.0.0/16',
  zones: ['eu-central-1a', 'eu-central-1b'],
  controlPlane: { machineType: 'm6i.large', zones: ['eu-central-1a'] },
  nodes: { machineType: 't3.xlarge', minSize: 1, maxSize: 3 },
  access: {
    api: [org.networks.office, org.networks.vpn],
    ssh: [org.networks.vpn],
    ingress: [org.networks.office, org.networks.internal],
  },
})
