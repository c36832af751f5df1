// node-exporter: what machines measure of themselves. It sees all of a machine, so
// its namespace is privileged and holds nothing else.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'node-exporter';

function(params)
  local p = platform.params(stack, platform.stackParams(stack) {
    local p = self,
    image: 'quay.io/prometheus/node-exporter:' + p.versions[stack],
    port: 9100,
    resources: { cpu: '20m', memory: '48Mi', memoryLimit: '96Mi' },
    monitoringNamespace: 'monitoring',
  }, params);
  local this = platform.component(p, stack, 'node-exporter', p.versions[stack]);

  {
    local all = self,

    service_account: kube.ServiceAccount(p.name) + this,
    daemon_set: kube.DaemonSet(p.name) + this {
      spec+: {
        updateStrategy+: { rollingUpdate+: { maxUnavailable: '10%' } },
        template+: {
          metadata+: { annotations+: platform.scrape(p.port) },
          spec+: platform.restricted(65534) + {
            serviceAccountName: all.service_account.metadata.name,
            priorityClassName: 'system-node-critical',
            // The machine's own network and processes are what is measured.
            hostNetwork: true,
            hostPID: true,
            tolerations: [{ operator: 'Exists' }],
            volumes_+: { root: kube.HostPathVolume('/') },
            containers_+: {
              'node-exporter': platform.Container('node-exporter') {
                image: p.image,
                args_+: {
                  'path.rootfs': '/host',
                  'web.listen-address': ':' + p.port,
                  'collector.filesystem.mount-points-exclude': '^/(dev|proc|run/containerd/.+|sys|var/lib/kubelet/.+)($|/)',
                  'collector.netclass.ignored-devices': '^(lxc|cilium).*',
                  'collector.netdev.device-exclude': '^(lxc|cilium).*',
                },
                ports_+: { metrics: { containerPort: p.port, hostPort: p.port } },
                resources_:: p.resources,
                readinessProbe: platform.httpProbe('/', 'metrics'),
                livenessProbe: platform.httpProbe('/', 'metrics', failures=6),
                volumeMounts_+: { root: { mountPath: '/host', readOnly: true, mountPropagation: 'HostToContainer' } },
              },
            },
          },
        },
      },
    },
  }
