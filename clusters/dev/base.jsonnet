// Developers look at everything and work in a namespace of their own.
local base = import 'addons/base/base.libsonnet';
local cluster = import 'this.libsonnet';

base(cluster.params('kube-system') {
  admins: [cluster.org.groups.admins],
  viewers: [cluster.org.groups.developers],
  editors: { playground: [cluster.org.groups.developers] },
})
