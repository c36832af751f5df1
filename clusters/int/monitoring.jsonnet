local monitoring = import 'addons/monitoring/monitoring.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('monitoring'),
  monitoring: monitoring(cluster.params('monitoring') {
    // The nightly job of this cluster's Jenkins reports on all.
    driftReports: ['dev', 'int', 'web'],
  }),
}
