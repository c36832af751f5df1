// What the organisation's clusters have in common, in one place.
{
  // The name under which the organisation's buckets and tags go.
  name: 'example-net',
  domain: 'example.net',
  account: '123456789012',
  region: 'eu-central-1',
  // In the order in which changes reach them.
  clusters: ['dev', 'int', 'web'],
  zones: ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'],

  // Who answers for the clusters: certificate authorities and alerts write here.
  team: 'platform@example.net',
  // The mail server that alerts are sent by.
  smarthost: 'smtp.example.net:587',

  // The hosted zone that the clusters' names are in. With its ID, permissions
  // name that zone; without, they are limited by the names of records alone.
  hostedZone: 'example.net',
  hostedZoneID: null,

  stateStore: 's3://example-net-kops-state',
  discoveryStore: 's3://example-net-kops-oidc',
  // The role that builds deploy as.
  deployRole: 'platform-deployer',
  snapshotBucket: 'example-net-elasticsearch-snapshots',
  // Where the tool's own image is: see docs/aws.md.
  registry: self.account + '.dkr.ecr.' + self.region + '.amazonaws.com',

  // This repository, for links and for Jenkins.
  repository: 'https://git.example.net/platform/platform.git',
  runbooks: 'https://git.example.net/platform/platform/src/branch/main/docs/runbooks.md',

  // Networks that people and other machines come from.
  networks: {
    office: '203.0.113.0/24',
    vpn: '10.200.0.0/16',
    // Everything private, the clusters' own networks among it.
    internal: '10.0.0.0/8',
  },

  // Groups of people, as the clusters' authentication names them.
  groups: {
    admins: 'platform-admins',
    developers: 'developers',
  },
}
