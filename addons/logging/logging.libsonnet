// Logs of all pods: Elasticsearch keeps them, Kibana shows them. fluentd, which
// collects them, reads machines' files and so lives in a namespace of its own: see
// fluentd.libsonnet.
local platform = import 'lib/platform.libsonnet';

local stack = 'logging';

function(params)
  local p = platform.params(stack, platform.stackParams(stack) {
    local p = self,
    images: {
      elasticsearch: 'docker.elastic.co/elasticsearch/elasticsearch:' + p.versions.elasticsearch,
      kibana: 'docker.elastic.co/kibana/kibana:' + p.versions.kibana,
      exporter: 'quay.io/prometheuscommunity/elasticsearch-exporter:' + p.versions['elasticsearch-exporter'],
    },
    host: p.cluster.host(if p.name == stack then 'kibana' else p.name + '-kibana'),
    replicas: { elasticsearch: 3, kibana: 2 },
    storage: { elasticsearch: '200Gi' },
    resources: {
      elasticsearch: { cpu: '500m', memory: '4Gi' },
      kibana: { cpu: '100m', memory: '1Gi', memoryLimit: '1536Mi' },
      exporter: { cpu: '10m', memory: '64Mi', memoryLimit: '128Mi' },
      setup: { cpu: '10m', memory: '32Mi', memoryLimit: '64Mi' },
    },
    // How long logs are kept, and how long snapshots of them.
    retention: { logs: '30d', snapshots: '90d' },
    // Where snapshots go, in a folder called like the cluster and the instance.
    snapshotBucket: p.cluster.org.snapshotBucket,
    // Namespaces of fluentd, which gets its password by a Secret of that name there.
    fluentd: { namespace: 'fluentd', secret: 'fluentd-elasticsearch' },
    ingressNamespace: 'nginx-ingress',
    monitoringNamespace: 'monitoring',
  }, params);

  {
    local all = self,
    // Passwords of the programs and of the administrator, elastic.
    users: platform.GeneratedSecret(p, stack, 'users', p.images.elasticsearch) {
      uid_:: 1000,
      keys_:: {
        elastic: '$(random)',
        exporter: '$(random)',
        fluentd: '$(random)',
        kibana: '$(random)',
        'kibana-encryption': '$(random)$(random)',
      },
    },
    certificates: (import 'certificates.libsonnet')(p),
    elasticsearch: (import 'elasticsearch.libsonnet')(p, all.users.secretName),
    setup: (import 'setup.libsonnet')(p, all.users.secretName, all.elasticsearch.service),
    kibana: (import 'kibana.libsonnet')(p, all.users.secretName, all.elasticsearch.service),
    exporter: (import 'exporter.libsonnet')(p, all.users.secretName, all.elasticsearch.service),
  }
