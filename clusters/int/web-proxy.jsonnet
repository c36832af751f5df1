local webProxy = import 'addons/web-proxy/web-proxy.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('web-proxy'),
  // Builds fetch the same things all day.
  proxy: webProxy(cluster.params('web-proxy') { name: 'proxy', cacheSize: '20Gi' }),
}
