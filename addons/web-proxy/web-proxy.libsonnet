// squid as the cluster's proxy to the web, with a cache: a small stack, and the
// example to begin a new one with. From top to bottom: the parameters, then each
// object, under a key by which a cluster's file can change it.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'web-proxy';

function(params)
  // What can be said about an instance, with defaults. Whatever else it is given
  // is an error.
  local p = platform.params(stack, platform.stackParams(stack) {
    local p = self,
    image: 'docker.io/ubuntu/squid:' + p.versions.squid,
    replicas: 2,
    cacheSize: '2Gi',
    // Names that may be asked for; everything, if there are none. A leading dot
    // stands for all names below.
    allowed: [],
    resources: { cpu: '50m', memory: '256Mi' },
  }, params);

  // Mixed into each object: its namespace and labels.
  local squid = platform.component(p, stack, 'squid');

  {
    local all = self,

    config: kube.ConfigMap(p.name) + squid {
      local megabytes = std.floor(kube.siToNum(p.cacheSize) / 1024 / 1024 * 0.8),
      data: {
        'squid.conf': std.join('\n', [
          'http_port 3128',
          'pid_filename none',
          'access_log stdio:/dev/stdout',
          'cache_log /dev/stderr',
          'cache_store_log none',
          'coredump_dir none',
          'cache_mem 64 MB',
          'cache_dir ufs /var/spool/squid/cache ' + megabytes + ' 16 256',
          'maximum_object_size 512 MB',
          'shutdown_lifetime 20 seconds',
          // Only to ports of the web, and only outwards.
          'acl web port 80 443',
          'acl tls port 443',
          'acl CONNECT method CONNECT',
          'acl inside dst 10.0.0.0/8 100.64.0.0/10 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8',
          'http_access deny !web',
          'http_access deny CONNECT !tls',
          'http_access deny inside',
        ] + (
          if p.allowed == [] then ['http_access allow all']
          else ['acl allowed dstdomain ' + std.join(' ', p.allowed), 'http_access allow allowed', 'http_access deny all']
        )) + '\n',
      },
    },

    deployment: kube.Deployment(p.name) + squid + platform.spread() {
      spec+: {
        replicas: p.replicas,
        template+: {
          // squid reads its configuration when it starts.
          metadata+: { annotations+: platform.checksum(all.config) },
          spec+: platform.restricted(13) + {
            priorityClassName: platform.priority.standard,
            volumes_+: {
              config: kube.ConfigMapVolume(all.config),
              cache: { emptyDir: { sizeLimit: p.cacheSize } },
              run: kube.EmptyDirVolume(),
            },
            local container(name, args) = platform.Container(name) {
              image: p.image,
              command: ['/usr/sbin/squid', '-N', '-f', '/etc/squid/squid.conf'] + args,
              resources_:: p.resources,
              volumeMounts_+: {
                config: { mountPath: '/etc/squid/squid.conf', subPath: 'squid.conf', readOnly: true },
                cache: { mountPath: '/var/spool/squid' },
                run: { mountPath: '/run' },
              },
            },
            initContainers_+: { 'make-cache': container('make-cache', ['-z']) },
            containers_+: {
              squid: container('squid', []) {
                ports_+: { proxy: { containerPort: 3128 } },
                startupProbe: platform.tcpProbe('proxy', period=2, failures=30),
                readinessProbe: platform.tcpProbe('proxy'),
                livenessProbe: platform.tcpProbe('proxy', failures=6),
              },
            },
          },
        },
      },
    },

    // http://web-proxy.<namespace> for those who set http_proxy.
    service: kube.Service(p.name) + squid {
      target_pod:: all.deployment.spec.template,
      port:: 80,
    },

    disruption_budget: kube.PodDisruptionBudget(p.name) + squid {
      target_pod:: all.deployment.spec.template,
    },

    network_policy: kube.NetworkPolicy(p.name) + squid {
      target_pod:: all.deployment.spec.template,
      spec+: {
        ingress_+: { pods: platform.fromPeers(['proxy'], [{ namespaceSelector: {} }]) },
        egress_+: { web: platform.toInternet([80, 443]) },
      },
    },
  }
