// The nightly report on where clusters have left git: what Jenkins pushes after
// `platform drift`, or each shard of the Job in drift-report.libsonnet.
{
  found(alert):: [
    {
      name: 'drift',
      rules: [
        // A shard that there is no more stays in the Pushgateway as it was last.
        alert('DriftFound', 'max by (cluster) (platform_drift_changes unless on (job, shard) (time() - push_time_seconds{shard!=""} > 26 * 3600)) > 0', '0m', 'warning', '{{ $labels.cluster }} differs from git in {{ $value }} places.'),
        alert('DriftReportOld', 'time() - max by (cluster) (platform_drift_report_timestamp_seconds) > 26 * 3600', '0m', 'warning', 'The newest drift report of {{ $labels.cluster }} is {{ $value | humanizeDuration }} old.'),
      ],
    },
  ],

  // Of a cluster that a report is expected of.
  missing(alert, cluster):: [
    {
      name: 'drift-' + cluster,
      rules: [
        alert('DriftReportMissing', 'absent(platform_drift_report_timestamp_seconds{cluster="' + cluster + '"})', '26h', 'warning', 'There is no drift report of {{ $labels.cluster }}.'),
      ],
    },
  ],
}
