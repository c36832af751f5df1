local certManager = import 'addons/cert-manager/cert-manager.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('cert-manager'),
  cert_manager: certManager(cluster.params('cert-manager') {
    // Names come and go here, and Let's Encrypt limits certificates per week.
    defaultIssuer: 'letsencrypt-staging',
    replicas: { controller: 1, webhook: 2, cainjector: 1 },
  }),
}
