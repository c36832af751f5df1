// The dashboards, by the names of their files.
local lib = import 'lib.libsonnet';

{
  ingress: lib.dashboard('ingress', 'Ingress', [
    [
      lib.number('Requests per second', 'sum(rate(nginx_ingress_controller_upstream_server_response_latency_ms_count[5m]))', 'reqps'),
      lib.number('Errors', 'sum(rate(nginx_ingress_controller_upstream_server_response_latency_ms_count{code=~"5.."}[5m])) / sum(rate(nginx_ingress_controller_upstream_server_response_latency_ms_count[5m]))', 'percentunit', 0.01, 0.05),
      lib.number('Host names that fail', 'count(probe_success{job="probe-ingresses"} == 0) or vector(0)', 'short', 1, 1),
      lib.number('Next certificate expires in', 'min(probe_ssl_earliest_cert_expiry) - time()', 's'),
    ],
    [
      lib.graph('Requests by host', { '{{host}}': 'sum by (host) (host:ingress_requests:rate5m{host=~"$host"})' }, 'reqps', stack=true),
      lib.graph('Requests by status', { '{{code}}': 'sum by (code) (host:ingress_requests:rate5m{host=~"$host"})' }, 'reqps', stack=true),
    ],
    [
      lib.graph('Response time', {
        '{{resource_name}} 50 %': 'histogram_quantile(0.5, sum by (resource_name, le) (rate(nginx_ingress_controller_upstream_server_response_latency_ms_bucket[5m])))',
        '{{resource_name}} 95 %': 'histogram_quantile(0.95, sum by (resource_name, le) (rate(nginx_ingress_controller_upstream_server_response_latency_ms_bucket[5m])))',
      }, 'ms'),
      lib.graph('Connections', { '{{pod}}': 'nginx_ingress_nginx_connections_active' }),
    ],
    [
      lib.graph('Answers to probes', { '{{instance}}': 'probe_duration_seconds{job="probe-ingresses"}' }, 's'),
      lib.graph('Reloads of nginx', { '{{pod}}': 'increase(nginx_ingress_controller_nginx_reloads_total[5m])' }),
    ],
  ], [lib.variable('host', 'label_values(host:ingress_requests:rate5m, host)')]),

  jenkins: lib.dashboard('jenkins', 'Jenkins', [
    [
      lib.number('Waiting', 'sum(default_jenkins_queue_size_value)', 'short', 3, 10),
      lib.number('Building', 'sum(default_jenkins_executors_busy)'),
      lib.number('Jobs whose last build failed', 'count(default_jenkins_builds_last_build_result_ordinal > 0) or vector(0)', 'short', 1, 5),
    ],
    [
      lib.graph('Queue', { waiting: 'sum(default_jenkins_queue_size_value)', stuck: 'sum(default_jenkins_queue_stuck_value)' }),
      lib.graph('Duration of builds', { '{{jenkins_job}}': 'default_jenkins_builds_last_build_duration_milliseconds' }, 'ms'),
    ],
    [
      lib.graph('Memory', { '{{pod}}': 'sum by (pod) (container_memory_working_set_bytes{namespace=~"jenkins.*",container!=""})' }, 'bytes'),
      lib.graph('Processor', { '{{pod}}': 'sum by (pod) (rate(container_cpu_usage_seconds_total{namespace=~"jenkins.*",container!=""}[5m]))' }),
    ],
  ]),

  elasticsearch: lib.dashboard('elasticsearch', 'Elasticsearch', [
    [
      lib.number('Not green', 'sum(elasticsearch_cluster_health_status{color=~"yellow|red"})', 'short', 1, 1),
      lib.number('Nodes', 'max(elasticsearch_cluster_health_number_of_nodes)'),
      lib.number('Disk used', 'max(1 - elasticsearch_filesystem_data_available_bytes / elasticsearch_filesystem_data_size_bytes)', 'percentunit', 0.75, 0.85),
      lib.number('Newest snapshot', 'time() - max(elasticsearch_snapshot_stats_latest_snapshot_timestamp_seconds)', 's', 90000, 129600),
    ],
    [
      lib.graph('Logs taken', { '{{name}}': 'rate(elasticsearch_indices_indexing_index_total[5m])' }, 'ops'),
      lib.graph('Searches', { '{{name}}': 'rate(elasticsearch_indices_search_query_total[5m])' }, 'ops'),
    ],
    [
      lib.graph('Heap', { '{{name}}': 'elasticsearch_jvm_memory_used_bytes{area="heap"} / elasticsearch_jvm_memory_max_bytes{area="heap"}' }, 'percentunit'),
      lib.graph('Disk', { '{{name}}': '1 - elasticsearch_filesystem_data_available_bytes / elasticsearch_filesystem_data_size_bytes' }, 'percentunit'),
    ],
    [
      lib.graph('Buffer of fluentd that is left', { '{{node}}': 'fluentd_output_status_buffer_available_space_ratio' }, 'percent'),
      lib.graph('Logs that were refused', { '{{node}}': 'increase(fluentd_dead_letters_total[5m])' }),
    ],
  ]),

  cluster: lib.dashboard('cluster', 'Cluster', [
    [
      lib.number('Nodes', 'sum(kube_node_status_condition{condition="Ready",status="true"})'),
      lib.number('Pods not running', 'sum(kube_pod_status_phase{phase=~"Pending|Failed|Unknown"})', 'short', 1, 10),
      lib.number('CPU requested', 'sum(kube_pod_container_resource_requests{resource="cpu"}) / sum(kube_node_status_allocatable{resource="cpu"})', 'percentunit', 0.8, 0.95),
      lib.number('Memory requested', 'sum(kube_pod_container_resource_requests{resource="memory"}) / sum(kube_node_status_allocatable{resource="memory"})', 'percentunit', 0.8, 0.95),
    ],
    [
      lib.graph('Processors', { '{{instance}}': 'instance:node_cpu_utilisation:rate5m' }, 'percentunit'),
      lib.graph('Memory', { '{{instance}}': 'instance:node_memory_utilisation:ratio' }, 'percentunit'),
    ],
    [
      lib.graph('Restarts', { '{{namespace}}/{{pod}}': 'increase(kube_pod_container_status_restarts_total[15m]) > 0' }),
      lib.graph('Volumes', { '{{namespace}}/{{persistentvolumeclaim}}': '1 - kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes' }, 'percentunit'),
    ],
    [
      lib.graph('Requests to the API', { '{{code}}': 'sum by (code) (rate(apiserver_request_total[5m]))' }, 'reqps', stack=true),
      lib.table('Alerts', 'ALERTS{alertstate="firing",alertname!="Watchdog"}'),
    ],
  ]),

  drift: lib.dashboard('drift', 'Drift', [
    [
      lib.number('Places that differ from git', 'sum(platform_drift_changes)', 'short', 1, 10),
      lib.number('Oldest report', 'max(time() - platform_drift_report_timestamp_seconds)', 's', 90000, 93600),
    ],
    [
      lib.graph('By cluster', { '{{cluster}}': 'max by (cluster) (platform_drift_changes)' }),
      lib.table('Refused by guardrails, last day', 'sum by (policy) (increase(apiserver_validating_admission_policy_check_total{enforcement_action="deny"}[1d])) > 0'),
    ],
  ]),
}
