local nginx = import 'addons/nginx-ingress/nginx-ingress.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('nginx-ingress'),
  nginx: nginx(cluster.params('nginx-ingress') {
    name: 'nginx',
    replicas: { min: 2, max: 3 },
    resources: { cpu: '100m', memory: '192Mi', memoryLimit: '384Mi' },
  }),
}
