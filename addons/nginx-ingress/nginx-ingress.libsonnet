// NGINX Ingress Controller of F5 (github.com/nginx/kubernetes-ingress) behind the
// cluster's ingress load balancer.
//
// It serves plain Ingresses and no resources of its own kinds. The load balancer
// passes connections to fixed ports of the nodes and puts a PROXY header in front,
// from which nginx takes the client's address; for the same reason nothing but the
// load balancer can speak to these ports.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'nginx-ingress';

function(params)
  local p = platform.params(stack, platform.stackParams(stack) {
    local p = self,
    image: 'docker.io/nginx/nginx-ingress:' + p.versions[stack],
    // The class by which Ingresses choose this instance; the default one also
    // takes those that name no class, and completes what they leave out.
    class: p.name,
    isDefaultClass: true,
    nodePorts: p.cluster.nodePorts,
    // Networks whose PROXY headers are believed: those of the load balancer.
    trustedNetworks: [p.cluster.networkCIDR],
    // The load balancer's name, for the status of Ingresses.
    externalAddress: null,
    replicas: { min: 2, max: 6 },
    resources: { cpu: '200m', memory: '256Mi', memoryLimit: '512Mi' },
    // More settings for the controller's ConfigMap.
    config: {},
    monitoringNamespace: 'monitoring',
  }, params);

  local controller = platform.component(p, stack, 'controller', p.versions[stack]);

  {
    local all = self,

    service_account: kube.ServiceAccount(p.name) + controller,

    cluster_role: kube.ClusterRole(platform.scoped(p)) + platform.clusterComponent(p, stack, 'controller') {
      rules: [
        kube.rule([''], ['services', 'secrets', 'configmaps', 'pods', 'namespaces'], ['get', 'list', 'watch']),
        kube.rule(['discovery.k8s.io'], ['endpointslices'], ['get', 'list', 'watch']),
        kube.rule([''], ['nodes'], ['list']),
        kube.rule([''], ['events'], ['create', 'patch', 'list']),
        kube.rule(['apps'], ['replicasets', 'daemonsets', 'statefulsets'], ['get']),
        kube.rule(['networking.k8s.io'], ['ingresses'], ['get', 'list', 'watch']),
        kube.rule(['networking.k8s.io'], ['ingresses/status'], ['update']),
        kube.rule(['networking.k8s.io'], ['ingressclasses'], ['get', 'list']),
        kube.rule(['coordination.k8s.io'], ['leases'], ['list', 'watch']),
      ],
    },
    cluster_role_binding: kube.ClusterRoleBinding(platform.scoped(p)) + platform.clusterComponent(p, stack, 'controller') {
      roleRef_:: all.cluster_role,
      subjects_:: [all.service_account],
    },
    role: kube.Role(p.name) + controller {
      rules: [
        kube.rule(['coordination.k8s.io'], ['leases'], ['get', 'update'], [p.name + '-leader']),
        kube.rule(['coordination.k8s.io'], ['leases'], ['create']),
        kube.rule([''], ['configmaps'], ['get']),
        // It labels its own pod.
        kube.rule([''], ['pods'], ['update']),
      ],
    },
    role_binding: kube.RoleBinding(p.name) + controller {
      roleRef_:: all.role,
      subjects_:: [all.service_account],
    },

    ingress_class: kube.IngressClass(p.class) + platform.clusterComponent(p, stack, 'controller') {
      metadata+: if p.isDefaultClass then { annotations+: { 'ingressclass.kubernetes.io/is-default-class': 'true' } } else {},
      spec+: { controller: 'nginx.org/ingress-controller' },
    },

    config: kube.ConfigMap(p.name) + controller {
      data: {
        'proxy-protocol': 'True',
        'real-ip-header': 'proxy_protocol',
        'real-ip-recursive': 'True',
        'set-real-ip-from': std.join(',', p.trustedNetworks),
        'ssl-redirect': 'True',
        'http-redirect-code': '308',
        'ssl-protocols': 'TLSv1.2 TLSv1.3',
        http2: 'True',
        hsts: 'True',
        'hsts-max-age': '15768000',
        'server-tokens': 'False',
        'client-max-body-size': '32m',
        // Fewer workers than the node has cores, which the pod has to share.
        'worker-processes': '2',
        'worker-connections': '16384',
        'worker-shutdown-timeout': '60s',
        'log-format-escaping': 'json',
        'log-format': '{"time":"$time_iso8601","client":"$remote_addr","method":"$request_method","host":"$host",' +
                      '"uri":"$request_uri","status":"$status","bytes":"$body_bytes_sent","seconds":"$request_time",' +
                      '"upstream":"$upstream_addr","upstream_status":"$upstream_status","agent":"$http_user_agent",' +
                      '"namespace":"$resource_namespace","ingress":"$resource_name"}',
        [if p.externalAddress != null then 'external-status-address']: p.externalAddress,
      } + p.config,
    },

    deployment: kube.Deployment(p.name) + controller + platform.spread(strict=true) {
      spec+: {
        // The autoscaler's.
        replicas: null,
        template+: {
          metadata+: { annotations+: platform.scrape(9113) },
          spec+: platform.restricted(101) + {
            serviceAccountName: all.service_account.metadata.name,
            automountServiceAccountToken: true,
            priorityClassName: platform.priority.critical,
            // Longer than the load balancer needs to notice, plus what workers get
            // to finish their connections.
            terminationGracePeriodSeconds: 90,
            volumes_+: {
              etc: kube.EmptyDirVolume(),
              cache: kube.EmptyDirVolume(),
              lib: kube.EmptyDirVolume(),
              log: kube.EmptyDirVolume(),
            },
            initContainers_+: {
              // The image's configuration, onto a volume that can be written to.
              config: platform.Container('config') {
                image: p.image,
                command: ['cp', '-vdR', '/etc/nginx/.', '/mnt/etc'],
                resources_:: { cpu: '10m', memory: '32Mi' },
                volumeMounts_+: { etc: { mountPath: '/mnt/etc' } },
              },
            },
            containers_+: {
              nginx: platform.Container('nginx') {
                image: p.image,
                argsDashes:: '-',
                args_+: {
                  'nginx-configmaps': '$(POD_NAMESPACE)/' + all.config.metadata.name,
                  'ingress-class': p.class,
                  'enable-custom-resources': 'false',
                  'enable-telemetry-reporting': 'false',
                  'leader-election-lock-name': p.name + '-leader',
                  'enable-prometheus-metrics': 'true',
                  'enable-latency-metrics': 'true',
                  // On the ports that the load balancer checks.
                  'health-status': 'true',
                  'health-status-uri': '/nginx-health',
                  'report-ingress-status': if p.externalAddress != null then 'true',
                  'enable-config-safety': 'true',
                  'log-format': 'json',
                },
                env_+: {
                  POD_NAME: kube.FieldRef('metadata.name'),
                  POD_NAMESPACE: kube.FieldRef('metadata.namespace'),
                },
                ports_+: {
                  http: { containerPort: 80 },
                  https: { containerPort: 443 },
                  ready: { containerPort: 8081 },
                  metrics: { containerPort: 9113 },
                },
                resources_:: p.resources,
                securityContext+: { capabilities+: { add: ['NET_BIND_SERVICE'] } },
                startupProbe: platform.httpProbe('/nginx-ready', 'ready', period=2, failures=60),
                // No liveness probe: a restart would cut what nginx still serves.
                readinessProbe: platform.httpProbe('/nginx-ready', 'ready', period=2),
                lifecycle: { preStop: { sleep: { seconds: 20 } } },
                volumeMounts_+: {
                  etc: { mountPath: '/etc/nginx' },
                  cache: { mountPath: '/var/cache/nginx' },
                  lib: { mountPath: '/var/lib/nginx' },
                  log: { mountPath: '/var/log/nginx' },
                },
              },
            },
          },
        },
      },
    },

    service: kube.Service(p.name) + controller {
      target_pod:: all.deployment.spec.template,
      spec+: {
        type: 'NodePort',
        // Nodes without a pod refuse, which the load balancer's checks see.
        externalTrafficPolicy: 'Local',
        ports_: {
          http: { port: 80, targetPort: 'http', nodePort: p.nodePorts.http },
          https: { port: 443, targetPort: 'https', nodePort: p.nodePorts.https },
        },
      },
    },

    autoscaler: kube.HorizontalPodAutoscaler(p.name) + controller {
      target:: all.deployment,
      spec+: {
        minReplicas: p.replicas.min,
        maxReplicas: p.replicas.max,
        // Connections that last make going down costly.
        behavior: { scaleDown: { stabilizationWindowSeconds: 600, policies: [{ type: 'Pods', value: 1, periodSeconds: 120 }] } },
      },
    },

    disruption_budget: kube.PodDisruptionBudget(p.name) + controller {
      target_pod:: all.deployment.spec.template,
    },

    network_policy: kube.NetworkPolicy(p.name) + controller {
      target_pod:: all.deployment.spec.template,
      spec+: {
        ingress_+: {
          // Clients' addresses are kept, so it may be anybody; who can connect is
          // up to the load balancer.
          clients: platform.fromPeers(['http', 'https']),
          metrics: platform.fromPeers(['metrics'], [platform.inNamespace(p.monitoringNamespace)]),
        },
        // Services of any namespace on any port, and the API.
        egress_+: {
          api: platform.toAPI(),
          backends: { to: [{ namespaceSelector: {} }] },
        },
      },
    },

    // The page for names that nobody has taken.
    default_backend: (import 'default-backend.libsonnet')(p, platform.component(p, stack, 'default-backend', p.versions[stack])),

    // What plain Ingresses leave out. Kubernetes has the kind since 1.36.
    [if p.isDefaultClass && platform.kubernetesAtLeast(p, 36) then 'defaults']:
      (import 'defaults.libsonnet')(p, platform.clusterComponent(p, stack, 'defaults')),
  }
