local monitoring = import 'addons/monitoring/monitoring.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('monitoring'),
  monitoring: monitoring(cluster.params('monitoring') {
    replicas: { prometheus: 2, alertmanager: 3, grafana: 2, blackbox: 2 },
    retention: { time: '60d', size: '180GB' },
    storage: { prometheus: '200Gi', alertmanager: '1Gi' },
    resources+: { prometheus: { cpu: '1', memory: '8Gi' } },
    pager: true,
    driftReports: cluster.reportsOn,
    driftJob: {},
  }),
}
