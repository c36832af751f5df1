local guardrails = import 'addons/guardrails/guardrails.libsonnet';
local cluster = import 'this.libsonnet';

guardrails(cluster.params('kube-system'))
