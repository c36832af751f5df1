local logging = import 'addons/logging/logging.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('logging'),
  logging: logging(cluster.params('logging') {
    storage: { elasticsearch: '100Gi' },
    retention: { logs: '30d', snapshots: '30d' },
  }),
}
