// Two instances of each stack in one namespace. What a cluster can have only once
// (custom resource definitions, the default class, a node's ports) belongs to the
// first.
local cluster = import 'clusters/dev/this.libsonnet';

local two(stack, second={}) = {
  local params = cluster.params('shared'),
  first: stack(params { name: 'first' }),
  second: stack(params { name: 'second' } + second),
};

{
  'cert-manager': two(import 'addons/cert-manager/cert-manager.libsonnet', { shared: false }),
  'nginx-ingress': two(import 'addons/nginx-ingress/nginx-ingress.libsonnet', {
    isDefaultClass: false,
    nodePorts: { http: 31080, https: 31443 },
  }),
}
