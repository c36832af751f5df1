// What is the same for all clusters of this organisation, in one place, and
// what tells one cluster from another before it is even described: its name
// and its addresses.
local versions = import 'clusters/versions.json';

{
  local org = self,

  domain: 'example.net',
  account: '123456789012',
  region: 'eu-central-1',
  team: 'platform-team@example.net',

  // The public hosted zone of the domain. Its ID restricts what cert-manager
  // may change; give it once it is known, '*' lets it change any zone.
  hostedZone: { name: org.domain, id: '*' },

  // kops' state store, and the public store of the clusters' OpenID documents.
  stateStore: 's3://example-net-kops-state',
  discoveryStore: 's3://example-net-kops-oidc',

  // Where people and other networks come from.
  networks: {
    office: '203.0.113.0/24',
    vpn: '10.200.0.0/16',
    internal: '10.0.0.0/8',
  },

  local vpcCIDRs = {
    dev: '10.10.0.0/16',
    int: '10.20.0.0/16',
    web: '10.30.0.0/16',
  },

  // cluster gives what a cluster's files need to know of it.
  cluster(name):: {
    local cluster = self,

    name: name,
    fqdn: '%s.%s' % [name, org.domain],
    // Hosts of Ingresses are below this name.
    hostSuffix: 'k.%s' % cluster.fqdn,
    vpcCIDR:
      if std.objectHas(vpcCIDRs, name) then vpcCIDRs[name]
      else error 'clusters/org.libsonnet: no VPC network for cluster %s' % name,
    // version looks up a component in clusters/versions.json.
    version(component)::
      if !std.objectHas(versions, component) then
        error 'clusters/versions.json has no component %s' % component
      else if !std.objectHas(versions[component], name) then
        error 'clusters/versions.json has no version of %s for cluster %s' % [component, name]
      else versions[component][name],
    // roleARN is the IAM role that kops makes for a service account.
    roleARN(serviceAccount, namespace)::
      'arn:aws:iam::%s:role/%s.%s.sa.%s' % [org.account, serviceAccount, namespace, cluster.fqdn],
  },
}
