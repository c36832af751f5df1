// int: where what developers have made is put together, and where Jenkins runs.
// Reached from inside only.
local org = import 'clusters/org.libsonnet';

(import 'clusters/cluster.libsonnet')({
  name: 'int',
  networkCIDR: '10.20.0.0/16',
  controlPlane: { machineType: 'm6i.large', zones: org.zones },
  nodes: { machineType: 'm6i.xlarge', minSize: 1, maxSize: 3 },
  clusterAutoscaler: true,
  access: {
    api: [org.networks.vpn],
    ssh: [org.networks.vpn],
    ingress: [org.networks.internal],
  },
})
