// Two instances of each stack in one namespace, which is called like the stack.
// What a cluster can have only once (custom resource definitions, the default
// class, a node's ports) belongs to the first.
local cluster = import 'clusters/dev/this.libsonnet';

local two(name, stack, second={}) = {
  local params = cluster.params(name),
  first: stack(params { name: 'first' }),
  second: stack(params { name: 'second' } + second),
};

{
  'cert-manager': two('cert-manager', import 'addons/cert-manager/cert-manager.libsonnet', { shared: false }),
  fluentd: two('fluentd', import 'addons/logging/fluentd.libsonnet'),
  guardrails: two('guardrails', import 'addons/guardrails/guardrails.libsonnet'),
  jenkins: {
    local jenkins = import 'addons/jenkins/jenkins.libsonnet',
    [name]: jenkins(cluster.params('jenkins') { name: name, agents+: { namespace: 'jenkins' } })
    for name in ['first', 'second']
  },
  logging: two('logging', import 'addons/logging/logging.libsonnet'),
  monitoring: {
    local monitoring = import 'addons/monitoring/monitoring.libsonnet',
    local params = cluster.params('monitoring') { driftReports: ['dev', 'int', 'web'], driftJob: { shards: 3 } },
    [name]: monitoring(params { name: name })
    for name in ['first', 'second']
  },
  'node-exporter': two('node-exporter', import 'addons/monitoring/node-exporter.libsonnet'),
  'nginx-ingress': two('nginx-ingress', import 'addons/nginx-ingress/nginx-ingress.libsonnet', {
    isDefaultClass: false,
    nodePorts: { http: 31080, https: 31443 },
  }),
  storage: two('storage', import 'addons/storage/storage.libsonnet', { shared: false }),
  'web-proxy': two('web-proxy', import 'addons/web-proxy/web-proxy.libsonnet'),
}
