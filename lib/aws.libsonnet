// What is in front of a cluster in AWS: the ingress load balancer and the wildcard
// name that points at it.
{
  // nodePorts are the ports of every node behind which the ingress controller is.
  nodePorts:: { http: 30080, https: 30443 },

  local defaults = {
    // The cluster's full name, such as dev.example.net.
    name: error "aws: must provide 'name'",
    region: error "aws: must provide 'region'",
    // The zone that holds the wildcard name.
    hostedZone: error "aws: must provide 'hostedZone'",
    // Every host name of the ingress ends in it.
    hostSuffix: error "aws: must provide 'hostSuffix'",
    nodePorts: $.nodePorts,
    // The networks that may connect: the cluster's firewall.
    access: error "aws: must provide 'access', a list of networks",
    scheme: 'internal',
    deletionProtection: false,
  },

  // Cluster gives what the tool's aws layer reads: the load balancer passes ports
  // 80 and 443 on to the node ports.
  Cluster(params)::
    local unknown = [key for key in std.objectFields(params) if !std.objectHas(defaults, key)];
    assert unknown == [] : 'aws: unknown parameter ' + unknown[0];
    local p = defaults + params;
    local name = std.strReplace(p.name, '.', '-') + '-ingress';
    assert std.length(name) <= 32 : 'aws: the load balancer would be called ' + name + ', but AWS allows 32 characters';
    {
      region: p.region,
      cluster: p.name,
      hostedZone: p.hostedZone,
      wildcard: '*.' + p.hostSuffix,
      ingress: {
        name: name,
        scheme: p.scheme,
        listeners: {
          // The answer comes from the port itself, since AWS puts the PROXY header
          // in front of its health checks as well: only nginx understands it.
          http: { port: 80, nodePort: p.nodePorts.http, healthCheckPath: '/nginx-health' },
          https: { port: 443, nodePort: p.nodePorts.https },
        },
        access: p.access,
        [if p.deletionProtection then 'deletionProtection']: true,
      },
    },
}
