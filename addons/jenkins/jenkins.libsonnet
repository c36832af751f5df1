// Jenkins, as git describes it: the controller's configuration, its plugins and its
// jobs. Builds run in pods of a namespace of their own, none on the controller.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local iam = import 'iam.libsonnet';

local stack = 'jenkins';

function(params)
  local p = platform.params(stack, platform.stackParams(stack) {
    local p = self,
    images: {
      controller: 'docker.io/jenkins/jenkins:' + p.versions.jenkins,
      agent: 'docker.io/jenkins/inbound-agent:' + p.versions['jenkins-agent'],
      // Has Go, Python and make.
      build: 'docker.io/library/golang:' + p.versions.golang,
    },
    host: p.cluster.host(p.name),
    storage: '50Gi',
    resources: { cpu: '500m', memory: '3Gi' },
    // The namespace of builds, and what they may use at most.
    agents: {
      namespace: p.namespace + '-agents',
      pods: 10,
      quota: { cpu: '16', memory: '48Gi' },
      resources: { cpu: '2', memory: '6Gi' },
    },
    repository: p.cluster.org.repository,
    clusters: p.cluster.org.clusters,
    // Whether it builds pull requests and deploys what reaches main: one Jenkins of
    // an organisation does.
    followsMain: true,
    mail: p.cluster.org.team,
    pushgateway: 'http://monitoring-pushgateway.monitoring.svc:9091',
    ingressNamespace: 'nginx-ingress',
    monitoringNamespace: 'monitoring',
  }, params);
  local this = platform.component(p, stack, 'controller', p.versions.jenkins);
  local agents = platform.component(p, stack, 'agent') + { metadata+: { namespace: p.agents.namespace } };

  {
    local all = self,

    admin: platform.GeneratedSecret(p, stack, 'admin', p.images.controller) {
      uid_:: 1000,
      keys_:: { JENKINS_ADMIN_PASSWORD: '$PASSWORD' },
    },

    config: kube.ConfigMap(p.name) + this {
      data: {
        'jenkins.yaml': std.manifestJsonEx((import 'casc.libsonnet')(p), '  '),
      },
    },
    plugins: kube.ConfigMap(p.name + '-plugins') + this {
      data: { 'plugins.txt': importstr 'plugins.txt' },
    },

    service_account: kube.ServiceAccount(p.name) + this,
    local agentLabels = { 'app.kubernetes.io/instance': p.name, 'app.kubernetes.io/component': 'agent' },
    stateful_set: kube.StatefulSet(p.name) + this + platform.provides([
      'Pod ' + p.agents.namespace + '/*: ' + std.join(', ', [key + '=' + agentLabels[key] for key in std.objectFields(agentLabels)]),
    ]) {
      spec+: {
        volumeClaimTemplates_+: {
          home: kube.PersistentVolumeClaim('home') { storage:: p.storage, storageClass:: 'fast' },
        },
        template+: {
          metadata+: {
            annotations+: platform.scrape(8080, '/prometheus/') + {
              'checksum/config': std.md5(std.manifestJsonMinified([all.config.data, all.plugins.data])),
            },
          },
          spec+: platform.restricted(1000) + {
            serviceAccountName: all.service_account.metadata.name,
            // It makes and watches the agents' pods.
            automountServiceAccountToken: true,
            priorityClassName: platform.priority.standard,
            terminationGracePeriodSeconds: 120,
            volumes_+: {
              config: kube.ConfigMapVolume(all.config),
              'plugin-list': kube.ConfigMapVolume(all.plugins),
              plugins: kube.EmptyDirVolume(),
              secrets: {
                projected: {
                  sources: [
                    { secret: { name: all.admin.secretName } },
                    { secret: { name: p.name + '-forge', optional: true } },
                  ],
                },
              },
              tmp: kube.EmptyDirVolume(),
            },
            local mounts = {
              home: { mountPath: '/var/jenkins_home' },
              plugins: { mountPath: '/usr/share/jenkins/ref/plugins' },
              tmp: { mountPath: '/tmp' },
            },
            initContainers_+: {
              plugins: platform.Container('plugins') {
                image: p.images.controller,
                command: ['jenkins-plugin-cli', '--plugin-file', '/etc/jenkins/plugins/plugins.txt', '--plugin-download-directory', '/usr/share/jenkins/ref/plugins'],
                resources_:: { cpu: '100m', memory: '512Mi' },
                volumeMounts_+: mounts { 'plugin-list': { mountPath: '/etc/jenkins/plugins', readOnly: true } },
              },
            },
            containers_+: {
              jenkins: platform.Container('jenkins') {
                image: p.images.controller,
                env_+: {
                  CASC_JENKINS_CONFIG: '/etc/jenkins/config',
                  JAVA_OPTS: '-Djenkins.install.runSetupWizard=false -XX:MaxRAMPercentage=65 -XX:+ExitOnOutOfMemoryError',
                  // Files whose names are the variables of the configuration.
                  SECRETS: '/etc/jenkins/secrets',
                },
                ports_+: { http: { containerPort: 8080 } },
                resources_:: p.resources,
                startupProbe: platform.httpProbe('/login', 'http', period=10, failures=60, timeout=5),
                readinessProbe: platform.httpProbe('/login', 'http', timeout=5),
                livenessProbe: platform.httpProbe('/login', 'http', period=20, failures=6, timeout=10),
                volumeMounts_+: mounts {
                  config: { mountPath: '/etc/jenkins/config', readOnly: true },
                  secrets: { mountPath: '/etc/jenkins/secrets', readOnly: true },
                },
              },
            },
          },
        },
      },
    },
    service: kube.Service(p.name) + this { target_pod:: all.stateful_set.spec.template },
    ingress: platform.Ingress(p.name) + this {
      host:: p.host,
      target_service:: all.service,
      metadata+: { annotations+: { 'nginx.org/proxy-read-timeout': '90s', 'nginx.org/websocket-services': all.service.metadata.name } },
    },
    // It is one pod, and a drain has to wait for no more than its restart.
    disruption_budget: kube.PodDisruptionBudget(p.name) + this { target_pod:: all.stateful_set.spec.template },
    network_policy: kube.NetworkPolicy(p.name) + this {
      target_pod:: all.stateful_set.spec.template,
      spec+: {
        ingress_+: {
          http: platform.fromPeers(['http'], [
            platform.inNamespace(namespace)
            for namespace in [p.ingressNamespace, p.monitoringNamespace, p.agents.namespace]
          ]),
        },
        egress_+: {
          api: platform.toAPI(),
          // The repository and, when it starts, its plugins.
          internet: platform.toInternet([22, 443]),
        },
      },
    },

    // Builds /////////////////////////////////////////////////////////////////////

    agents: {
      local inAgents = self,

      service_account: kube.ServiceAccount(p.name + '-agent') + agents,
      role: kube.Role(p.name) + agents {
        rules: [
          kube.rule([''], ['pods', 'pods/exec', 'persistentvolumeclaims'], ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']),
          kube.rule([''], ['pods/log', 'events'], ['get', 'list', 'watch']),
        ],
      },
      role_binding: kube.RoleBinding(p.name) + agents {
        roleRef_:: inAgents.role,
        subjects_:: [all.service_account],
      },
      // As whom builds deploy: see iam.libsonnet.
      aws: kube.ConfigMap(p.name + '-aws') + agents {
        data: {
          config: |||
            [default]
            region = %(region)s
            role_arn = %(deploy)s
            source_profile = pod

            [profile pod]
            role_arn = %(pod)s
            web_identity_token_file = /var/run/secrets/amazonaws.com/token
          ||| % {
            region: p.cluster.region,
            deploy: iam.role(p.cluster),
            pod: p.cluster.roleARN(p.agents.namespace, inAgents.service_account.metadata.name),
          },
        },
      },
      quota: kube.ResourceQuota(p.name) + agents {
        spec+: {
          hard: {
            pods: '' + (p.agents.pods * 2),
            'requests.cpu': p.agents.quota.cpu,
            'requests.memory': p.agents.quota.memory,
          },
        },
      },
      network_policy: kube.NetworkPolicy(p.name + '-agents') + agents {
        spec+: {
          podSelector: { matchLabels: agentLabels },
          egress_+: {
            jenkins: platform.toPeers([8080], [platform.inNamespace(p.namespace)]),
            reports: platform.toPeers([9091], [platform.inNamespace(p.monitoringNamespace)]),
            // Modules, images, AWS, and the APIs of clusters.
            internet: platform.toInternet([22, 80, 443]),
            api: platform.toAPI(),
          },
        },
      },
    },
  }
