// The AWS resources in front of a cluster: the ingress load balancer and its
// wildcard DNS name.
{
  // The node ports at which the ingress controller listens on every node.
  nodePorts:: { http: 30080, https: 30443 },

  // An internal load balancer for ports 80 and 443, in front of the ingress
  // controller's node ports, reachable from the networks of access.
  ingress(cluster, access):: {
    name: '%s-ingress' % std.strReplace(cluster.fqdn, '.', '-'),
    scheme: 'internal',
    listeners: {
      http: { port: 80, nodePort: $.nodePorts.http, healthCheckPath: '/nginx-health' },
      https: { port: 443, nodePort: $.nodePorts.https },
    },
    access: access,
  },

  // What the AWS layer reads.
  cluster(org, cluster, access):: {
    region: org.region,
    cluster: cluster.fqdn,
    hostedZone: org.hostedZone.name,
    wildcard: '*.%s' % cluster.hostSuffix,
    ingress: $.ingress(cluster, access),
  },

  // The IAM statements that let cert-manager answer DNS-01 challenges in a
  // hosted zone, and nothing else in it.
  dns01Statements(zoneID):: [
    { Effect: 'Allow', Action: ['route53:GetChange'], Resource: ['arn:aws:route53:::change/*'] },
    {
      Effect: 'Allow',
      Action: ['route53:ChangeResourceRecordSets'],
      Resource: ['arn:aws:route53:::hostedzone/%s' % zoneID],
      Condition: { 'ForAllValues:StringEquals': { 'route53:ChangeResourceRecordSetsRecordTypes': ['TXT'] } },
    },
    { Effect: 'Allow', Action: ['route53:ListResourceRecordSets'], Resource: ['arn:aws:route53:::hostedzone/%s' % zoneID] },
    { Effect: 'Allow', Action: ['route53:ListHostedZonesByName'], Resource: ['*'] },
  ],
}
