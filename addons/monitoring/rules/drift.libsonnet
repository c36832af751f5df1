// The nightly report on where clusters have left git: what Jenkins pushes after
// `platform drift`. Clusters: those that a report is expected of.
function(alert, clusters) [
  {
    name: 'drift',
    rules: [
      alert('DriftFound', 'max by (cluster) (platform_drift_changes) > 0', '0m', 'warning', '{{ $labels.cluster }} differs from git in {{ $value }} places.'),
      alert('DriftReportOld', 'time() - max by (cluster) (platform_drift_report_timestamp_seconds) > 26 * 3600', '0m', 'warning', 'The newest drift report of {{ $labels.cluster }} is {{ $value | humanizeDuration }} old.'),
    ] + [
      alert('DriftReportMissing', 'absent(platform_drift_report_timestamp_seconds{cluster="' + cluster + '"})', '26h', 'warning', 'There is no drift report of {{ $labels.cluster }}.')
      for cluster in clusters
    ],
  },
]
