// Machines: those of the cluster, and virtual machines outside of it.
function(alert) [
  {
    name: 'node',
    rules: [
      { record: 'instance:node_cpu_utilisation:rate5m', expr: '1 - avg without (cpu) (sum without (mode) (rate(node_cpu_seconds_total{mode=~"idle|iowait|steal"}[5m])))' },
      { record: 'instance:node_memory_utilisation:ratio', expr: '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes' },

      alert('NodeDown', 'up{job=~"node-exporter|virtual-machines"} == 0', '5m', 'critical', 'Machine {{ $labels.instance }} does not answer.'),
      alert('NodeNotReady', 'kube_node_status_condition{condition="Ready",status="true"} == 0', '10m', 'critical', 'Node {{ $labels.node }} has not been ready for 10 minutes.'),
      alert('NodeFilesystemAlmostFull', 'node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs"} / node_filesystem_size_bytes < 0.1 and node_filesystem_readonly == 0', '15m', 'warning', '{{ $labels.mountpoint }} of {{ $labels.instance }} has {{ $value | humanizePercentage }} left.'),
      alert('NodeFilesystemFillingUp', 'predict_linear(node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs"}[6h], 24 * 3600) < 0 and node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.4 and node_filesystem_readonly == 0', '1h', 'warning', '{{ $labels.mountpoint }} of {{ $labels.instance }} will be full within a day.'),
      alert('NodeMemoryPressure', 'instance:node_memory_utilisation:ratio > 0.95', '15m', 'warning', '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory.'),
      alert('NodeCPUSaturated', 'instance:node_cpu_utilisation:rate5m > 0.95', '1h', 'warning', "{{ $labels.instance }}'s processors have been busy for an hour."),
      alert('NodeClockSkewed', 'abs(node_timex_offset_seconds) > 0.05', '10m', 'warning', "{{ $labels.instance }}'s clock is {{ $value | humanizeDuration }} off."),
    ],
  },
]
