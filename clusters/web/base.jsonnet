// What customers use is for the platform's people alone.
local base = import 'addons/base/base.libsonnet';
local cluster = import 'this.libsonnet';

base(cluster.params('kube-system') {
  admins: [cluster.org.groups.admins],
})
