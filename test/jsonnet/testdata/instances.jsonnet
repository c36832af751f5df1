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
  guardrails: two('guardrails', import 'addons/guardrails/guardrails.libsonnet'),
  'nginx-ingress': two('nginx-ingress', import 'addons/nginx-ingress/nginx-ingress.libsonnet', {
    isDefaultClass: false,
    nodePorts: { http: 31080, https: 31443 },
  }),
  storage: two('storage', import 'addons/storage/storage.libsonnet', { shared: false }),
  'web-proxy': two('web-proxy', import 'addons/web-proxy/web-proxy.libsonnet'),
}
