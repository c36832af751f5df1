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

    teams: {
      [namespace]: platform.Namespace(namespace) {
        editors: kube.RoleBinding('editors') {
          metadata+: { namespace: namespace },
          roleRef_:: { kind: 'ClusterRole', metadata: { name: 'edit' } },
          subjects_:: [kube.Group(group) for group in p.editors[namespace]],
        },
      }
      for namespace in std.objectFields(p.editors)
    },
  }
