// See kube_test.jsonnet for the form of these tests.
local aws = import 'lib/aws.libsonnet';

local params = {
  name: 'dev.example.net',
  region: 'eu-central-1',
  hostedZone: 'example.net',
  hostSuffix: 'k.dev.example.net',
  access: ['10.0.0.0/8'],
};

{
  'what the aws layer reads': {
    actual: aws.Cluster(params),
    expected: {
      region: 'eu-central-1',
      cluster: 'dev.example.net',
      hostedZone: 'example.net',
      wildcard: '*.k.dev.example.net',
      ingress: {
        name: 'dev-example-net-ingress',
        scheme: 'internal',
        listeners: {
          http: { port: 80, nodePort: 30080, healthCheckPath: '/nginx-health' },
          https: { port: 443, nodePort: 30443 },
        },
        access: ['10.0.0.0/8'],
      },
    },
  },
  'deletion protection': { actual: aws.Cluster(params { deletionProtection: true }).ingress.deletionProtection, expected: true },
  'a name that is too long': {
    fails: function() aws.Cluster(params { name: 'a-long-name.of-a-cluster.example.net' }),
    message: 'AWS allows 32 characters',
  },
  'an unknown parameter': { fails: function() aws.Cluster(params { acess: [] }), message: 'unknown parameter acess' },
  'a missing parameter': { fails: function() aws.Cluster({ name: 'x.y' }), message: "must provide '" },
}
