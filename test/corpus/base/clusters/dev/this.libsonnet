// A small cluster, to be right in everything.
local aws = import 'lib/aws.libsonnet';
local kops = import 'lib/kops.libsonnet';

local matrix = import 'clusters/versions.json';

{
  local cluster = self,

  name: 'dev',
  fullName: 'dev.example.net',
  hostSuffix: 'k.dev.example.net',
  versions: { [component]: matrix[component].dev for component in std.objectFields(matrix) },
  params(namespace):: { namespace: namespace, cluster: cluster, versions: cluster.versions },
  declaration:: {
    name: 'dev',
    account: '123456789012',
    protected: false,
    kops: kops.Cluster({
      name: cluster.fullName,
      stateStore: 's3://example-net-kops-state',
      discoveryStore: 's3://example-net-kops-oidc',
      kubernetesVersion: cluster.versions.kubernetes,
      image: '099720109477/ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260218',
      zones: ['eu-central-1a'],
      networkCIDR: '10.10.0.0/16',
      apiAccess: ['10.0.0.0/8'],
      controlPlane: { machineType: 'm6i.large', zones: ['eu-central-1a'] },
      nodes: { machineType: 't3.xlarge', minSize: 1, maxSize: 3 },
    }),
    aws: aws.Cluster({
      name: cluster.fullName,
      region: 'eu-central-1',
      hostedZone: 'example.net',
      hostSuffix: cluster.hostSuffix,
      access: ['10.0.0.0/8'],
    }),
  },
}
