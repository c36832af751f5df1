// The controller's configuration, as its plugin configuration-as-code takes it.
// ${…} are files of two Secrets: the administrator's password, which is made in the
// cluster, and <name>-forge, which somebody puts there (see docs/pipeline.md).
function(p)
  local podLabels = {
    'app.kubernetes.io/name': 'jenkins',
    'app.kubernetes.io/instance': p.name,
    'app.kubernetes.io/component': 'agent',
  };
  // The plugin adds what the restricted level wants to each container.
  local container(name, image, resources) = {
    name: name,
    image: image,
    resourceRequestCpu: resources.cpu,
    resourceRequestMemory: resources.memory,
    resourceLimitMemory: resources.memory,
    workingDir: '/home/jenkins/agent',
  };
  // https://host/owner/name.git, in its parts.
  local address = {
    local parts = std.split(p.repository, '/'),
    assert std.length(parts) == 5 && parts[0] == 'https:' : "jenkins: want https://HOST/OWNER/NAME for repository, not '" + p.repository + "'",
    host: parts[2],
    owner: parts[3],
    name: if std.endsWith(parts[4], '.git') then std.substr(parts[4], 0, std.length(parts[4]) - 4) else parts[4],
  };

  {
    jenkins: {
      systemMessage: 'Configured by git. Changes made here are lost at the next restart.',
      // Nothing is built next to the configuration and its secrets.
      numExecutors: 0,
      mode: 'EXCLUSIVE',
      disableRememberMe: true,
      crumbIssuer: { standard: { excludeClientIPFromCrumb: true } },
      securityRealm: {
        'local': {
          allowsSignup: false,
          users: [{ id: 'admin', password: '${JENKINS_ADMIN_PASSWORD}' }],
        },
      },
      authorizationStrategy: { loggedInUsersCanDoAnything: { allowAnonymousRead: false } },
      clouds: [{
        kubernetes: {
          name: 'kubernetes',
          // The cluster that it runs in.
          serverUrl: '',
          namespace: p.agents.namespace,
          jenkinsUrl: 'http://' + p.name + '.' + p.namespace + '.svc:8080',
          // Agents call back over HTTP, so that no other port is needed.
          webSocket: true,
          containerCapStr: '' + p.agents.pods,
          garbageCollection: { timeout: 600 },
          restrictedPssSecurityContext: true,
          podLabels: [{ key: key, value: podLabels[key] } for key in std.objectFields(podLabels)],
          templates: [{
            name: 'platform',
            label: 'platform',
            namespace: p.agents.namespace,
            serviceAccount: p.name + '-agent',
            idleMinutes: 1,
            slaveConnectTimeout: 300,
            containers: [
              container('jnlp', p.images.agent, { cpu: '100m', memory: '512Mi' }),
              container('build', p.images.build, p.agents.resources) { command: 'sleep', args: 'infinity' },
            ],
            volumes: [{ configMapVolume: { configMapName: p.name + '-aws', mountPath: '/etc/aws', optional: false } }],
            envVars: [
              { envVar: { key: 'AWS_CONFIG_FILE', value: '/etc/aws/config' } },
              { envVar: { key: 'AWS_SDK_LOAD_CONFIG', value: '1' } },
              { envVar: { key: 'HOME', value: '/home/jenkins/agent' } },
              { envVar: { key: 'PUSHGATEWAY', value: p.pushgateway } },
            ],
            // What the template's own fields can't say: the token for AWS.
            yamlMergeStrategy: 'merge',
            yaml: std.manifestJsonEx({
              apiVersion: 'v1',
              kind: 'Pod',
              spec: {
                priorityClassName: 'platform-batch',
                securityContext: { fsGroup: 1000, runAsUser: 1000, runAsGroup: 1000 },
                containers: [{
                  name: 'build',
                  volumeMounts: [{ name: 'aws-token', mountPath: '/var/run/secrets/amazonaws.com', readOnly: true }],
                }],
                volumes: [{
                  name: 'aws-token',
                  projected: { sources: [{ serviceAccountToken: { audience: 'amazonaws.com', path: 'token', expirationSeconds: 86400 } }] },
                }],
              },
            }, '  '),
          }],
        },
      }],
    },
    unclassified: {
      location: { url: 'https://' + p.host + '/', adminAddress: p.mail },
      prometheusConfiguration: { useAuthenticatedEndpoint: false },
    },
    // Reads the repository and comments on its pull requests.
    credentials: {
      system: {
        domainCredentials: [{
          credentials: [{
            usernamePassword: {
              scope: 'GLOBAL',
              id: 'forge',
              description: 'The repository and its pull requests',
              username: '${FORGE_USER:-}',
              password: '${FORGE_TOKEN:-}',
            },
          }],
        }],
      },
    },
    jobs: [{
      local list(names) = std.join(', ', ["'" + name + "'" for name in names]),
      script: (importstr 'jobs.groovy') % {
        followsMain: p.followsMain,
        repository: p.repository,
        api: if address.host == 'github.com' then 'https://api.github.com' else 'https://' + address.host + '/api/v3',
        owner: address.owner,
        name: address.name,
        deployable: list((if std.length(p.clusters) > 1 then ['all'] else []) + p.clusters),
        // Not the one that it runs in itself.
        rebuildable: list([name for name in p.clusters if name != p.cluster.name]),
      },
    }],
  }
