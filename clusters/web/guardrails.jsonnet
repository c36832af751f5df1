// The one cluster whose Services may face the internet.
local guardrails = import 'addons/guardrails/guardrails.libsonnet';
local cluster = import 'this.libsonnet';

guardrails(cluster.params('kube-system') { publicLoadBalancers: true })
