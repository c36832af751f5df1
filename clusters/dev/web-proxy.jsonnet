local webProxy = import 'addons/web-proxy/web-proxy.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('web-proxy'),
  proxy: webProxy(cluster.params('web-proxy') { name: 'proxy', replicas: 1, cacheSize: '1Gi' }),
}
