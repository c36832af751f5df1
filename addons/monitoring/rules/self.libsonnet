// Monitoring itself, and the cluster's API.
function(alert) [
  {
    name: 'monitoring',
    rules: [
      // Always on: whoever hears it knows that alerts arrive.
      alert('Watchdog', 'vector(1)', '0m', 'none', 'Alerting works.'),
      alert('TargetDown', '100 * (count by (job, namespace) (up == 0) / count by (job, namespace) (up)) > 10', '15m', 'warning', '{{ printf "%.0f" $value }} % of {{ $labels.job }} in {{ $labels.namespace }} do not answer Prometheus.'),
      alert('PrometheusConfigurationRefused', 'prometheus_config_last_reload_successful == 0', '10m', 'critical', 'Prometheus refuses its configuration.'),
      alert('PrometheusRuleFails', 'increase(prometheus_rule_evaluation_failures_total[5m]) > 0', '15m', 'warning', 'Rules of {{ $labels.rule_group }} cannot be evaluated.'),
      alert('AlertmanagerFails', 'rate(alertmanager_notifications_failed_total[5m]) > 0', '10m', 'critical', 'Notifications by {{ $labels.integration }} fail.'),
      alert('APIServerErrors', 'sum(rate(apiserver_request_total{code=~"5.."}[5m])) / sum(rate(apiserver_request_total[5m])) > 0.03', '10m', 'critical', '{{ $value | humanizePercentage }} of the requests to the API fail.'),
    ],
  },
]
