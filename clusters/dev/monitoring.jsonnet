local monitoring = import 'addons/monitoring/monitoring.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('monitoring'),
  monitoring: monitoring(cluster.params('monitoring') {
    replicas: { prometheus: 1, alertmanager: 1, grafana: 1, blackbox: 1 },
    retention: { time: '7d', size: '9GB' },
    storage: { prometheus: '10Gi', alertmanager: '1Gi' },
    resources+: { prometheus: { cpu: '200m', memory: '1Gi' } },
    driftReports: ['dev'],
  }),
}
