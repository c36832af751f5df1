local logging = import 'addons/logging/logging.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('logging'),
  logging: logging(cluster.params('logging') {
    replicas: { elasticsearch: 1, kibana: 1 },
    storage: { elasticsearch: '20Gi' },
    resources+: { elasticsearch: { cpu: '200m', memory: '2Gi' } },
    retention: { logs: '7d', snapshots: '14d' },
  }),
}
