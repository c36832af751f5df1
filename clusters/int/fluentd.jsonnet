local fluentd = import 'addons/logging/fluentd.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  // It reads the machine's files.
  namespace: platform.Namespace('fluentd', 'privileged'),
  fluentd: fluentd(cluster.params('fluentd')),
}
