// Measuring and alerting: Prometheus and what it needs, Alertmanager, Grafana.
// Machines' own measurements are in node-exporter.libsonnet, since that can't live
// in a namespace as strict as this one's.
local platform = import 'lib/platform.libsonnet';

local stack = 'monitoring';

function(params)
  local p = platform.params(stack, platform.stackParams(stack) {
    local p = self,
    local versions = p.versions,
    images: {
      alertmanager: 'quay.io/prometheus/alertmanager:' + versions.alertmanager,
      blackbox: 'quay.io/prometheus/blackbox-exporter:' + versions['blackbox-exporter'],
      grafana: 'docker.io/grafana/grafana:' + versions.grafana,
      kubeStateMetrics: 'registry.k8s.io/kube-state-metrics/kube-state-metrics:' + versions['kube-state-metrics'],
      prometheus: 'quay.io/prometheus/prometheus:' + versions.prometheus,
      pushgateway: 'quay.io/prometheus/pushgateway:' + versions.pushgateway,
    },
    // Host names of the user interfaces, below the cluster's suffix.
    local prefix = if p.name == stack then '' else p.name + '-',
    hosts: {
      alertmanager: p.cluster.host(prefix + 'alertmanager'),
      grafana: p.cluster.host(prefix + 'grafana'),
      prometheus: p.cluster.host(prefix + 'prometheus'),
    },
    replicas: { prometheus: 1, alertmanager: 3, grafana: 1, blackbox: 2 },
    storage: { prometheus: '50Gi', alertmanager: '1Gi' },
    retention: { time: '30d', size: '45GB' },
    resources: {
      prometheus: { cpu: '500m', memory: '4Gi' },
      alertmanager: { cpu: '10m', memory: '64Mi', memoryLimit: '128Mi' },
      grafana: { cpu: '50m', memory: '256Mi', memoryLimit: '512Mi' },
      kubeStateMetrics: { cpu: '20m', memory: '128Mi', memoryLimit: '256Mi' },
      blackbox: { cpu: '10m', memory: '32Mi', memoryLimit: '64Mi' },
      pushgateway: { cpu: '10m', memory: '32Mi', memoryLimit: '64Mi' },
    },
    // Which rules there are, and of which clusters drift reports are pushed here.
    rules: ['node', 'pods', 'ingress', 'elasticsearch', 'self'] + (if p.cluster.hasJenkins then ['jenkins'] else []),
    driftReports: [],
    // Those clusters' nightly report, unless Jenkins makes it: null, or {} and what is
    // to differ from the defaults in drift-report.libsonnet. Its permissions in AWS are
    // the cluster's `reportsOn`.
    driftJob: null,
    // Where alerts go: see alertmanager.libsonnet.
    mail: { to: p.cluster.org.team, from: p.cluster.org.team, smarthost: p.cluster.org.smarthost },
    // Whether critical alerts call somebody: the key is in the Secret
    // <name>-alertmanager-pager, which somebody puts there.
    pager: false,
    runbooks: p.cluster.org.runbooks,
    ingressNamespace: 'nginx-ingress',
  }, params);

  {
    prometheus: (import 'prometheus.libsonnet')(p),
    alertmanager: (import 'alertmanager.libsonnet')(p),
    grafana: (import 'grafana.libsonnet')(p),
    kube_state_metrics: (import 'kube-state-metrics.libsonnet')(p),
    blackbox: (import 'blackbox.libsonnet')(p),
    local pushgateway = (import 'pushgateway.libsonnet')(p),
    [if p.driftReports != [] then 'pushgateway']: pushgateway,
    [if p.driftJob != null then 'drift_report']: (import 'drift-report.libsonnet')(p, pushgateway),
  }
