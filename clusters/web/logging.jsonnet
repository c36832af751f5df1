local logging = import 'addons/logging/logging.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('logging'),
  logging: logging(cluster.params('logging') {
    storage: { elasticsearch: '500Gi' },
    resources+: { elasticsearch: { cpu: '1', memory: '8Gi' } },
    retention: { logs: '90d', snapshots: '365d' },
  }),
}
