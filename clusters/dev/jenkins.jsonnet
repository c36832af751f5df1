local jenkins = import 'addons/jenkins/jenkins.libsonnet';
local platform = import 'lib/platform.libsonnet';
local cluster = import 'this.libsonnet';

{
  namespace: platform.Namespace('jenkins'),
  agents: platform.Namespace('jenkins-agents') {
    // They push the drift report.
    namespace+: { metadata+: { labels+: { 'platform/reports': 'true' } } },
  },
  jenkins: jenkins(cluster.params('jenkins') {
    storage: '10Gi',
    resources: { cpu: '200m', memory: '1536Mi' },
    agents+: { pods: 2, quota: { cpu: '4', memory: '12Gi' } },
    clusters: ['dev'],
    // That of int does.
    followsMain: false,
  }),
}
