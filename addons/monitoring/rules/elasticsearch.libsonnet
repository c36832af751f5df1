// Logs: Elasticsearch and what writes to it.
function(alert) [
  {
    name: 'elasticsearch',
    rules: [
      alert('ElasticsearchRed', 'elasticsearch_cluster_health_status{color="red"} == 1', '5m', 'critical', 'Elasticsearch {{ $labels.cluster }} misses data: some shards have no copy.'),
      alert('ElasticsearchYellow', 'elasticsearch_cluster_health_status{color="yellow"} == 1', '30m', 'warning', 'Elasticsearch {{ $labels.cluster }} misses copies of some shards.'),
      alert('ElasticsearchDiskAlmostFull', 'elasticsearch_filesystem_data_available_bytes / elasticsearch_filesystem_data_size_bytes < 0.15', '15m', 'critical', '{{ $labels.name }} has {{ $value | humanizePercentage }} of its disk left; at 5 % it stops taking logs.'),
      alert('ElasticsearchHeapHigh', 'elasticsearch_jvm_memory_used_bytes{area="heap"} / elasticsearch_jvm_memory_max_bytes{area="heap"} > 0.9', '15m', 'warning', '{{ $labels.name }} uses {{ $value | humanizePercentage }} of its heap.'),
      alert('ElasticsearchSnapshotOld', 'time() - max by (repository) (elasticsearch_snapshot_stats_latest_snapshot_timestamp_seconds) > 36 * 3600', '1h', 'warning', 'The newest snapshot in {{ $labels.repository }} is {{ $value | humanizeDuration }} old.'),
      alert('LogsPileUp', 'fluentd_output_status_buffer_available_space_ratio < 30', '15m', 'warning', 'fluentd on {{ $labels.node }} has {{ $value }} % of its buffer left: logs come faster than they are taken.'),
      alert('LogsNotDelivered', 'increase(fluentd_output_status_retry_count[15m]) > 10', '15m', 'warning', 'fluentd on {{ $labels.node }} cannot deliver logs.'),
      alert('LogsRejected', 'increase(fluentd_dead_letters_total[1h]) > 0', '0m', 'warning', 'Elasticsearch refused logs, which fluentd on {{ $labels.node }} has put aside.'),
    ],
  },
]
