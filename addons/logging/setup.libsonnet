// Makes Elasticsearch what git says it should be: users, how long logs are kept,
// snapshots. It does so once when something here has changed and then every hour,
// since certificates are renewed and somebody may have changed things by hand.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'logging';

function(p, users, elasticsearch) {
  local all = self,
  local name = p.name + '-setup',
  local this = platform.component(p, stack, 'setup', p.versions.elasticsearch),

  // What is written where, in the order of the keys.
  local requests = {
    '10 _ilm/policy/kubernetes': {
      policy: {
        phases: {
          hot: { actions: { rollover: { max_age: '1d', max_primary_shard_size: '30gb' }, set_priority: { priority: 100 } } },
          warm: { min_age: '2d', actions: { forcemerge: { max_num_segments: 1 }, set_priority: { priority: 50 } } },
          delete: { min_age: p.retention.logs, actions: { delete: {} } },
        },
      },
    },
    '20 _index_template/kubernetes': {
      index_patterns: ['kubernetes'],
      data_stream: {},
      // Above Elasticsearch's own.
      priority: 500,
      template: {
        settings: {
          'index.lifecycle.name': 'kubernetes',
          'index.number_of_shards': 1,
          'index.number_of_replicas': if p.replicas.elasticsearch == 1 then 0 else 1,
          'index.codec': 'best_compression',
        },
        mappings: {
          dynamic: false,
          properties: {
            '@timestamp': { type: 'date' },
            message: { type: 'text' },
            stream: { type: 'keyword' },
            // What programs write as JSON: searchable, but one field however many
            // they make up.
            json: { type: 'flattened' },
            kubernetes: {
              properties: {
                [field]: { type: 'keyword' }
                for field in ['namespace_name', 'pod_name', 'container_name', 'container_image', 'host']
              } + { labels: { type: 'flattened' } },
            },
          },
        },
      },
    },
    '30 _security/role/fluentd': {
      cluster: ['monitor'],
      indices: [{ names: ['kubernetes'], privileges: ['auto_configure', 'create_doc', 'view_index_metadata'] }],
    },
    '30 _security/role/exporter': {
      cluster: ['monitor', 'monitor_snapshot'],
      indices: [{ names: ['*'], privileges: ['monitor', 'view_index_metadata'] }],
    },
    '40 _snapshot/s3': {
      type: 's3',
      settings: { bucket: p.snapshotBucket, base_path: p.cluster.name + '/' + p.name, server_side_encryption: true },
    },
    '50 _slm/policy/daily': {
      schedule: '0 30 1 * * ?',
      name: '<daily-{now/d}>',
      repository: 's3',
      config: { indices: ['*'], include_global_state: true },
      retention: { expire_after: p.retention.snapshots, min_count: 7 },
    },
  },

  config: kube.ConfigMap(name) + this {
    data: { [std.strReplace(std.strReplace(key, ' ', '.'), '/', '.')]: std.manifestJsonEx(requests[key], '  ') for key in std.objectFields(requests) } + {
      'setup.sh': |||
        set -eu
        # Takes a method, a path and a body: text, @file, or @- for standard input.
        es() {
          curl --silent --show-error --fail-with-body --cacert /certs/ca.crt --user "elastic:$(cat /users/elastic)" \
            --header 'Content-Type: application/json' --request "$1" --data-binary "$3" "%(url)s/$2" && echo
        }
        until es GET '_cluster/health?wait_for_status=yellow&timeout=30s' ''; do sleep 5; done

        echo "{\"password\": \"$(cat /users/kibana)\"}" | es PUT _security/user/kibana_system/_password @-
        %(requests)s
        for user in exporter fluentd; do
          echo "{\"password\": \"$(cat /users/$user)\", \"roles\": [\"$user\"]}" | es PUT _security/user/$user @-
        done

        # fluentd's copy of what it needs, in its own namespace.
        account=/var/run/secrets/kubernetes.io/serviceaccount
        encode() { base64 | tr -d '\n'; }
        cat > /tmp/secret <<END
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "%(secret)s"},
         "data": {"ca.crt": "$(encode < /certs/ca.crt)", "password": "$(encode < /users/fluentd)"}}
        END
        curl --silent --show-error --fail-with-body --output /dev/null --cacert $account/ca.crt \
          --header "Authorization: Bearer $(cat $account/token)" --header 'Content-Type: application/apply-patch+yaml' \
          --request PATCH --data-binary @/tmp/secret \
          "https://kubernetes.default.svc/api/v1/namespaces/%(namespace)s/secrets/%(secret)s?fieldManager=%(name)s&force=true"
        rm /tmp/secret
        echo 'Done.'
      ||| % {
        url: elasticsearch.url,
        name: name,
        namespace: p.fluentd.namespace,
        secret: p.fluentd.secret,
        requests: std.join('\n', [
          local path = std.split(key, ' ')[1];
          'es PUT ' + path + ' @/setup/' + std.strReplace(std.strReplace(key, ' ', '.'), '/', '.')
          for key in std.objectFields(requests)
        ]),
      },
    },
  },

  service_account: kube.ServiceAccount(name) + this,
  local pod = kube.PodSpec + platform.restricted(1000) + {
    restartPolicy: 'OnFailure',
    serviceAccountName: all.service_account.metadata.name,
    automountServiceAccountToken: true,
    priorityClassName: platform.priority.standard,
    volumes_+: {
      certs: { secret: { secretName: p.name + '-elasticsearch', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      setup: kube.ConfigMapVolume(all.config),
      tmp: kube.EmptyDirVolume(),
      users: kube.SecretVolume(users),
    },
    containers_+: {
      setup: platform.Container('setup') {
        image: p.images.elasticsearch,
        command: ['bash', '/setup/setup.sh'],
        resources_:: p.resources.setup,
        volumeMounts_+: {
          certs: { mountPath: '/certs', readOnly: true },
          setup: { mountPath: '/setup', readOnly: true },
          tmp: { mountPath: '/tmp' },
          users: { mountPath: '/users', readOnly: true },
        },
      },
    },
  },
  local provides = platform.provides(['Secret %(namespace)s/%(secret)s: ca.crt, password' % p.fluentd]),
  // Jobs can't be changed, so another configuration is another Job.
  job: kube.Job(name + '-' + std.substr(std.md5(std.manifestJsonMinified([pod, all.config.data])), 0, 8)) + this + provides {
    spec+: { backoffLimit: 20, template+: { spec: pod } },
  },
  cron_job: kube.CronJob(name) + this {
    spec+: {
      schedule: '17 * * * *',
      jobTemplate+: { spec+: { backoffLimit: 3, template+: { spec: pod } } },
    },
  },
  network_policy: kube.NetworkPolicy(name) + this {
    target_pod:: all.job.spec.template,
    spec+: {
      egress_+: {
        api: platform.toAPI(),
        elasticsearch: platform.toPeers([9200], [{ podSelector: { matchLabels: elasticsearch.spec.selector } }]),
      },
    },
  },
}
