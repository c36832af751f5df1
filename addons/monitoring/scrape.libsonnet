// Prometheus' configuration: what is measured is found by asking Kubernetes and
// AWS, and by annotations (see platform.scrape).
function(p)
  local serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';
  local keep(labels, regex) = { action: 'keep', source_labels: labels, regex: regex };
  local drop(labels, regex) = { action: 'drop', source_labels: labels, regex: regex };
  local copy(from, to) = { source_labels: [from], target_label: to };
  local alertmanager = p.name + '-alertmanager';

  // prometheus.io/path, /port and /scheme of a pod or Service, by its meta label.
  local annotated(kind) = [
    keep(['__meta_kubernetes_' + kind + '_annotation_prometheus_io_scrape'], 'true'),
    {
      source_labels: ['__meta_kubernetes_' + kind + '_annotation_prometheus_io_path'],
      regex: '(.+)',
      target_label: '__metrics_path__',
    },
    {
      source_labels: ['__meta_kubernetes_' + kind + '_annotation_prometheus_io_scheme'],
      regex: '(https?)',
      target_label: '__scheme__',
    },
  ];
  local podLabels = [
    copy('__meta_kubernetes_namespace', 'namespace'),
    copy('__meta_kubernetes_pod_name', 'pod'),
    copy('__meta_kubernetes_pod_node_name', 'node'),
    copy('__meta_kubernetes_pod_label_app_kubernetes_io_name', 'app_kubernetes_io_name'),
    copy('__meta_kubernetes_pod_label_app_kubernetes_io_instance', 'app_kubernetes_io_instance'),
    copy('__meta_kubernetes_pod_label_app_kubernetes_io_component', 'app_kubernetes_io_component'),
  ];
  local withToken = {
    scheme: 'https',
    authorization: { credentials_file: serviceAccount + '/token' },
  };
  // What the blackbox exporter is asked to try.
  local probe(module) = {
    metrics_path: '/probe',
    params: { module: [module] },
  };
  local viaBlackbox = [
    copy('__param_target', 'instance'),
    { target_label: '__address__', replacement: p.name + '-blackbox.' + p.namespace + '.svc:9115' },
  ];

  {
    global: {
      scrape_interval: '30s',
      evaluation_interval: '30s',
      external_labels: { cluster: p.cluster.name },
    },
    storage: { tsdb: { retention: p.retention } },
    rule_files: ['/etc/prometheus/rules/*.yml'],
    alerting: {
      alertmanagers: [{
        static_configs: [{
          targets: [
            alertmanager + '-' + i + '.' + alertmanager + '-pods.' + p.namespace + '.svc:9093'
            for i in std.range(0, p.replicas.alertmanager - 1)
          ],
        }],
      }],
    },

    scrape_configs: [
      withToken {
        job_name: 'kubernetes-api',
        kubernetes_sd_configs: [{ role: 'endpointslice', namespaces: { names: ['default'] } }],
        tls_config: { ca_file: serviceAccount + '/ca.crt', server_name: 'kubernetes.default.svc' },
        relabel_configs: [
          keep(['__meta_kubernetes_service_name', '__meta_kubernetes_endpointslice_port_name'], 'kubernetes;https'),
        ],
      },
    ] + [
      withToken {
        job_name: job.name,
        kubernetes_sd_configs: [{ role: 'node' }],
        metrics_path: job.path,
        // Kubelets are reached by address, which isn't in their certificates.
        tls_config: { ca_file: serviceAccount + '/ca.crt', insecure_skip_verify: true },
        relabel_configs: [
          copy('__meta_kubernetes_node_name', 'node'),
          copy('__meta_kubernetes_node_label_topology_kubernetes_io_zone', 'zone'),
        ],
      }
      for job in [{ name: 'kubelet', path: '/metrics' }, { name: 'cadvisor', path: '/metrics/cadvisor' }]
    ] + [
      {
        job_name: 'pods',
        kubernetes_sd_configs: [{ role: 'pod' }],
        relabel_configs: annotated('pod') + [
          // These have jobs of their own.
          drop(['__meta_kubernetes_pod_label_app_kubernetes_io_component'], 'kube-state-metrics|node-exporter'),
          drop(['__meta_kubernetes_pod_phase'], 'Pending|Succeeded|Failed|Completed'),
          // One target per pod, not one per port that it declares.
          drop(['__meta_kubernetes_pod_container_init'], 'true'),
          {
            source_labels: ['__meta_kubernetes_pod_ip', '__meta_kubernetes_pod_annotation_prometheus_io_port'],
            regex: '([^:]+);([0-9]+)',
            target_label: '__address__',
            replacement: '$1:$2',
          },
        ] + podLabels,
        keep_dropped_targets: 100,
      },
      {
        job_name: 'services',
        kubernetes_sd_configs: [{ role: 'endpointslice' }],
        relabel_configs: annotated('service') + [
          {
            source_labels: ['__address__', '__meta_kubernetes_service_annotation_prometheus_io_port'],
            regex: '(.+):[0-9]+;([0-9]+)',
            target_label: '__address__',
            replacement: '$1:$2',
          },
          copy('__meta_kubernetes_service_name', 'service'),
        ] + podLabels,
        keep_dropped_targets: 100,
      },
      {
        job_name: 'kube-state-metrics',
        kubernetes_sd_configs: [{ role: 'pod', namespaces: { names: [p.namespace] } }],
        // It speaks of other pods: their names are what counts, not its own.
        honor_labels: true,
        relabel_configs: [
          keep(['__meta_kubernetes_pod_label_app_kubernetes_io_component', '__meta_kubernetes_pod_container_port_name'], 'kube-state-metrics;http'),
        ],
      },
      {
        job_name: 'node-exporter',
        kubernetes_sd_configs: [{ role: 'pod' }],
        relabel_configs: [
          keep(['__meta_kubernetes_pod_label_app_kubernetes_io_component', '__meta_kubernetes_pod_container_port_name'], 'node-exporter;metrics'),
          copy('__meta_kubernetes_pod_node_name', 'instance'),
          copy('__meta_kubernetes_pod_node_name', 'node'),
        ],
      },
      // Virtual machines that are not of the cluster, by a tag that says so.
      {
        job_name: 'virtual-machines',
        ec2_sd_configs: [{
          region: p.cluster.region,
          port: 9100,
          filters: [
            { name: 'tag:monitoring', values: ['true'] },
            { name: 'instance-state-name', values: ['running'] },
          ],
        }],
        // Exporters that old send no content type.
        fallback_scrape_protocol: 'PrometheusText0.0.4',
        relabel_configs: [
          copy('__meta_ec2_tag_Name', 'instance'),
          copy('__meta_ec2_instance_id', 'instance_id'),
          copy('__meta_ec2_availability_zone', 'zone'),
        ],
      },
      // Every host name, as people reach it: through DNS and the load balancer.
      probe('https') {
        job_name: 'probe-ingresses',
        kubernetes_sd_configs: [{ role: 'ingress' }],
        relabel_configs: [
          drop(['__meta_kubernetes_ingress_annotation_prometheus_io_probe'], 'false'),
          drop(['__meta_kubernetes_ingress_host'], '[*].*'),
          {
            source_labels: ['__meta_kubernetes_ingress_host', '__meta_kubernetes_ingress_path'],
            regex: '(.+);(.+)',
            target_label: '__param_target',
            replacement: 'https://$1$2',
          },
          copy('__meta_kubernetes_namespace', 'namespace'),
          copy('__meta_kubernetes_ingress_name', 'ingress'),
        ] + viaBlackbox,
      },
      probe('tcp') {
        job_name: 'probe-services',
        kubernetes_sd_configs: [{ role: 'service' }],
        relabel_configs: [
          keep(['__meta_kubernetes_service_annotation_prometheus_io_probe'], 'true'),
          copy('__address__', '__param_target'),
          copy('__meta_kubernetes_namespace', 'namespace'),
          copy('__meta_kubernetes_service_name', 'service'),
        ] + viaBlackbox,
      },
    ] + (
      if p.driftReports == [] then []
      else [{
        // Reports keep the labels that they were pushed with.
        job_name: 'reports',
        honor_labels: true,
        static_configs: [{ targets: [p.name + '-pushgateway.' + p.namespace + '.svc:9091'] }],
      }]
    ),
  }
