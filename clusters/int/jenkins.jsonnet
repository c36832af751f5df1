local jenkins = import 'addons/jenkins/jenkins.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('jenkins'),
  agents: platform.Namespace('jenkins-agents') {
    // They push the drift report.
    namespace+: { metadata+: { labels+: { 'platform/reports': 'true' } } },
  },
  jenkins: jenkins(cluster.params('jenkins')),
}
