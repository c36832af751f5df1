// web: what customers use. Its API is reached from inside only; its ingress takes
// connections from anywhere, which reach its internal load balancer through the
// company's edge, whose proxies keep the customers' addresses.
local org = import 'clusters/org.libsonnet';

(import 'clusters/cluster.libsonnet')({
  name: 'web',
  networkCIDR: '10.30.0.0/16',
  controlPlane: { machineType: 'm6i.xlarge', zones: org.zones },
  nodes: { machineType: 'm6i.xlarge', minSize: 2, maxSize: 5 },
  clusterAutoscaler: true,
  hasJenkins: false,
  // Not left to int's Jenkins alone: whoever is called at night hears of it here.
  reportsOn: ['web'],
  access: {
    api: [org.networks.vpn],
    ssh: [],
    ingress: ['0.0.0.0/0'],
  },
})
