local nodeExporter = import 'addons/monitoring/node-exporter.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  // It looks at the machine.
  namespace: platform.Namespace('node-exporter', 'privileged'),
  node_exporter: nodeExporter(cluster.params('node-exporter')),
}
