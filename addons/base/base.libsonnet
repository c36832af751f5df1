// What every cluster has before any stack: priorities, and who may do what.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'base';

function(params)
  local p = platform.params(stack, platform.stackParams(stack) {
    // Nothing here is in a namespace.
    namespace: 'kube-system',
    // Groups that may do everything, and that may look at everything but Secrets.
    admins: [],
    viewers: [],
    // Groups that may change what is in a namespace, by namespace. Namespaces that
    // are named here are made here.
    editors: {},
    ingressNamespace: 'nginx-ingress',
    monitoringNamespace: 'monitoring',
  }, params);

  local priority(name, value, description) = kube.PriorityClass(name, value) + platform.clusterComponent(p, stack, 'priority') {
    description: description,
  };

  {
    priorities: {
      critical: priority(platform.priority.critical, 1000000, 'What other things need to work at all, such as ingress and certificates.'),
      standard: priority(platform.priority.standard, 100000, 'What the platform runs.'),
      batch: priority(platform.priority.batch, -1000, 'What can wait, such as builds.') { preemptionPolicy: 'Never' },
    },

    local binding(name, groups, role) = kube.ClusterRoleBinding('platform.' + name) + platform.clusterComponent(p, stack, 'access') {
      // The role is Kubernetes' own.
      roleRef_:: { kind: 'ClusterRole', metadata: { name: role } },
      subjects_:: [kube.Group(group) for group in groups],
    },
    [if p.admins != [] then 'admins']: binding('admins', p.admins, 'cluster-admin'),
    [if p.viewers != [] then 'viewers']: binding('viewers', p.viewers, 'view'),

    // Namespaces in which people try things.
    teams: {
      [namespace]: platform.Namespace(namespace) {
        local here = { metadata+: { namespace: namespace } },
        editors: kube.RoleBinding('editors') + here {
          roleRef_:: { kind: 'ClusterRole', metadata: { name: 'edit' } },
          subjects_:: [kube.Group(group) for group in p.editors[namespace]],
        },
        // Within the namespace, from the ingress and to the world, but not to what
        // else is in the cluster.
        network_policy: kube.NetworkPolicy('team') + here {
          spec+: {
            local own = { podSelector: {} },
            ingress_+: { pods: { from: [own, platform.inNamespace(p.ingressNamespace), platform.inNamespace(p.monitoringNamespace)] } },
            egress_+: { pods: { to: [own] }, internet: { to: [platform.network('0.0.0.0/0', ['169.254.0.0/16'])] }, api: platform.toAPI() },
          },
        },
        // For containers that don't say what they need.
        limits: kube.LimitRange('defaults') + here {
          spec+: {
            limits: [{ type: 'Container', defaultRequest: { cpu: '50m', memory: '128Mi' }, default: { memory: '512Mi' } }],
          },
        },
      }
      for namespace in std.objectFields(p.editors)
    },
  }
