// What comes in from outside: ingress, certificates, probes of every host name.
function(alert) [
  {
    name: 'ingress',
    rules: [
      // Requests by host and status code. The controller counts by Ingress; which
      // hosts that has is known to kube-state-metrics.
      {
        record: 'host:ingress_requests:rate5m',
        expr: |||
          sum by (host, code) (
            label_replace(label_replace(
              sum by (resource_namespace, resource_name, code) (
                rate(nginx_ingress_controller_upstream_server_response_latency_ms_count[5m])
              ), "exported_namespace", "$1", "resource_namespace", "(.*)"), "ingress", "$1", "resource_name", "(.*)")
            * on (exported_namespace, ingress) group_left (host)
            max by (exported_namespace, ingress, host) (
              label_replace(kube_ingress_path, "exported_namespace", "$1", "namespace", "(.*)")
            )
          )
        |||,
      },
      {
        record: 'ingress:error_ratio:rate5m',
        expr: |||
          sum by (resource_namespace, resource_name) (rate(nginx_ingress_controller_upstream_server_response_latency_ms_count{code=~"5.."}[5m]))
          /
          sum by (resource_namespace, resource_name) (rate(nginx_ingress_controller_upstream_server_response_latency_ms_count[5m]))
        |||,
      },
      alert('IngressErrors', 'ingress:error_ratio:rate5m > 0.05', '10m', 'critical', '{{ $value | humanizePercentage }} of the requests for {{ $labels.resource_namespace }}/{{ $labels.resource_name }} fail.'),
      alert('IngressSlow', 'histogram_quantile(0.95, sum by (resource_namespace, resource_name, le) (rate(nginx_ingress_controller_upstream_server_response_latency_ms_bucket[10m]))) > 5000', '15m', 'warning', 'One request in twenty for {{ $labels.resource_namespace }}/{{ $labels.resource_name }} takes longer than {{ $value | humanize }} ms.'),
      alert('IngressConfigurationRefused', 'nginx_ingress_controller_nginx_last_reload_status == 0', '5m', 'critical', 'nginx refuses the configuration that the Ingresses make ({{ $labels.pod }}).'),
      alert('ProbeFailed', 'probe_success == 0', '5m', 'critical', '{{ $labels.instance }} does not answer as it should.'),
    ],
  },
  {
    name: 'certificates',
    rules: [
      alert('CertificateNotReady', 'max by (exported_namespace, name) (certmanager_certificate_ready_status{condition!="True"}) == 1', '1h', 'warning', 'Certificate {{ $labels.exported_namespace }}/{{ $labels.name }} is not being issued.'),
      // cert-manager renews after two thirds of a certificate's life.
      alert('CertificateExpiresSoon', 'min by (exported_namespace, name) (certmanager_certificate_expiration_timestamp_seconds) - time() < 14 * 86400', '1h', 'critical', 'Certificate {{ $labels.exported_namespace }}/{{ $labels.name }} expires in {{ $value | humanizeDuration }}.'),
      alert('ServedCertificateExpiresSoon', 'probe_ssl_earliest_cert_expiry - time() < 14 * 86400', '1h', 'critical', 'The certificate that {{ $labels.instance }} serves expires in {{ $value | humanizeDuration }}.'),
    ],
  },
]
