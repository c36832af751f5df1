local certManager = import 'addons/cert-manager/cert-manager.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('cert-manager'),
  cert_manager: certManager(cluster.params('cert-manager') {
    replicas: { controller: 1, webhook: 2, cainjector: 1 },
  }),
}
