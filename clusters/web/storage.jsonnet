local storage = import 'addons/storage/storage.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('storage'),
  storage: storage(cluster.params('storage')),
}
