// The rule files, one per subject: what to record, and when to tell somebody.
local subjects = {
  node: import 'rules/node.libsonnet',
  pods: import 'rules/pods.libsonnet',
  ingress: import 'rules/ingress.libsonnet',
  elasticsearch: import 'rules/elasticsearch.libsonnet',
  jenkins: import 'rules/jenkins.libsonnet',
  'self': import 'rules/self.libsonnet',
};

local drift = import 'rules/drift.libsonnet';

function(p)
  // An alert: each has its section in the runbooks.
  local alert(name, expr, duration, severity, summary) = {
    alert: name,
    expr: expr,
    'for': duration,
    labels: { severity: severity },
    annotations: { summary: summary, runbook_url: p.runbooks + '#' + std.asciiLower(name) },
  };
  local file(groups) = std.manifestJsonEx({ groups: groups }, '  ');

  { [subject + '.yml']: file(subjects[subject](alert)) for subject in p.rules } +
  (if p.driftReports == [] then {} else { 'drift.yml': file(drift.found(alert)) }) +
  { ['drift-' + cluster + '.yml']: file(drift.missing(alert, cluster)) for cluster in p.driftReports }
