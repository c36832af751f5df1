// The nightly drift report of a cluster that no Jenkins reports on: a Job of as many
// pods as `shards` says, each of which looks at its share of `driftReports`. See
// docs/drift.md.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'monitoring';

function(p, pushgateway) {
  local all = self,
  local name = p.name + '-drift',
  local this = platform.component(p, stack, 'drift', p.versions.platform),

  local job = platform.params(stack + ': driftJob', {
    image: p.cluster.org.registry + '/platform:' + p.versions.platform,
    repository: p.cluster.org.repository,
    branch: 'main',
    // After Jenkins' report, so that what happens in a day is new in that one.
    schedule: '30 4 * * *',
    shards: 1,
    // Per pod: half a gigabyte for each cluster that it looks at side by side.
    resources: { cpu: '500m', memory: '1Gi', memoryLimit: '2Gi' },
    parallel: 2,
    // In which a report is made, or failed.
    seconds: 3600,
  }, p.driftJob),
  local clusters = p.driftReports,

  assert job.shards >= 1 && job.shards <= std.length(clusters) :
         'stack ' + stack + ': driftJob.shards: want 1 to the number of driftReports, which is ' + std.length(clusters) + ', got ' + job.shards,
  assert std.startsWith(job.repository, 'https://') :
         'stack ' + stack + ": driftJob.repository: want an address that begins with https://, got '" + job.repository + "'",

  // The files are those of a Secret of the type kubernetes.io/basic-auth.
  local clone = |||
    set -eu
    rm -rf "$TMPDIR/repository"
    if [ -r "$GIT_LOGIN/password" ]; then
      helper='!f() { [ "$1" != get ] || printf "username=%s\npassword=%s\n" "$(cat "$GIT_LOGIN/username")" "$(cat "$GIT_LOGIN/password")"; }; f'
      git config --global credential.helper "$helper"
    fi
    git clone --quiet --depth 1 --branch "$BRANCH" "$REPOSITORY" "$TMPDIR/repository"
  |||,

  // Its arguments are the clusters. They are looked at once; the other forms are made
  // of that and end as it did. Drift is no failure. That a cluster couldn't be read is
  // one, after all that is known was pushed.
  local report = |||
    set -eu
    cd "$TMPDIR/repository"
    shard=$((JOB_COMPLETION_INDEX + 1))
    code=0
    platform drift --shard "$shard/$SHARDS" --parallel "$PARALLEL" --format json "$@" >"$TMPDIR/drift.json" || code=$?
    if [ ! -s "$TMPDIR/drift.json" ]; then exit 1; fi
    form() { platform drift --merge "$TMPDIR/drift.json" --format "$1" || [ $? -eq "$code" ]; }
    form text
    form prometheus >"$TMPDIR/drift.prom"
    # PUT takes away what this shard measured last time and doesn't any more.
    curl --fail --silent --show-error --max-time 30 --retry 3 --request PUT \
      --data-binary "@$TMPDIR/drift.prom" "$PUSHGATEWAY/metrics/job/platform-drift/shard/$shard"
    if [ "$code" -ne 2 ]; then exit "$code"; fi
  |||,

  service_account: kube.ServiceAccount(name) + this,
  cron_job: kube.CronJob(name) + this {
    spec+: {
      schedule: job.schedule,
      // Later than this, the next one isn't far.
      startingDeadlineSeconds: 4 * 3600,
      jobTemplate+: {
        spec+: {
          completionMode: 'Indexed',
          completions: job.shards,
          parallelism: job.shards,
          activeDeadlineSeconds: job.seconds,
          // Each share is tried again by itself.
          backoffLimit: null,
          backoffLimitPerIndex: 1,
          template+: {
            spec+: platform.restricted() + {
              restartPolicy: 'Never',
              serviceAccountName: all.service_account.metadata.name,
              priorityClassName: platform.priority.batch,
              volumes_+: platform.awsVolumes {
                git: { secret: { secretName: name + '-git', optional: true } },
                tmp: kube.EmptyDirVolume(),
              },
              local container(name) = platform.Container(name) {
                image: job.image,
                env_+: { HOME: '/tmp', TMPDIR: '/tmp' },
                volumeMounts_+: { tmp: { mountPath: '/tmp' } },
              },
              initContainers_+: {
                clone: container('clone') {
                  command: ['sh', '-c', clone],
                  env_+: { BRANCH: job.branch, GIT_LOGIN: '/etc/git', GIT_TERMINAL_PROMPT: '0', REPOSITORY: job.repository },
                  resources_:: { cpu: '50m', memory: '256Mi' },
                  volumeMounts_+: { git: { mountPath: '/etc/git', readOnly: true } },
                },
              },
              containers_+: {
                drift: container('drift') + platform.awsContainer(p, all.service_account) {
                  command: ['sh', '-c', report, 'drift'],
                  args: clusters,
                  env_+: {
                    PARALLEL: job.parallel,
                    PLATFORM_CACHE_DIR: '/tmp/cache',
                    PUSHGATEWAY: 'http://' + pushgateway.service.host_colon_port,
                    SHARDS: job.shards,
                  },
                  resources_:: job.resources,
                },
              },
            },
          },
        },
      },
    },
  },
  network_policy: kube.NetworkPolicy(name) + this {
    target_pod:: all.cron_job.spec.jobTemplate.spec.template,
    spec+: {
      egress_+: {
        pushgateway: platform.toPeers([9091], [platform.podsOf(pushgateway.deployment)]),
        // The repository, AWS, and the APIs of other clusters.
        internet: platform.toInternet([443]),
        api: platform.toAPI(),
      },
    },
  },
}
