// What the API server refuses, whoever asks: see the messages. Each refusal counts
// in its metric apiserver_validating_admission_policy_check_total, by policy, on
// which addons/monitoring alerts.
local kube = import 'lib/kube.libsonnet';
local platform = import 'lib/platform.libsonnet';

local stack = 'guardrails';

function(params)
  local p = platform.params(stack, platform.stackParams(stack) {
    local p = self,
    // The policies have no namespace; this one is only part of their names.
    namespace: 'kube-system',
    // Whether Services may ask for load balancers that the internet reaches.
    publicLoadBalancers: false,
    // Host names of Ingresses must end in it.
    hostSuffix: p.cluster.hostSuffix,
    // Namespaces that nothing is refused in: what the cluster itself needs.
    exempt: ['kube-system', 'kube-public', 'kube-node-lease'],
    // Deny, or Warn to begin with.
    action: 'Deny',
  }, params);

  // A policy and its binding. Rules: what it applies to.
  local policy(name, rules, validations, variables=[]) = {
    local all = self,
    local fullName = platform.scoped(p, name),
    policy: kube.ValidatingAdmissionPolicy(fullName) + platform.clusterComponent(p, stack, name) {
      spec+: {
        matchConstraints: {
          resourceRules: [{ apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'] } + rule for rule in rules],
          namespaceSelector: {
            matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: p.exempt }],
          },
        },
        // Updates that finish a deletion must not be held up.
        matchConditions: [{ name: 'living', expression: '!has(object.metadata.deletionTimestamp)' }],
        variables: kube.orNull(variables),
        validations: validations,
      },
    },
    binding: kube.ValidatingAdmissionPolicyBinding(fullName) + platform.clusterComponent(p, stack, name) {
      policy:: all.policy,
      spec+: { validationActions: [p.action, 'Audit'] },
    },
  };

  {
    [if !p.publicLoadBalancers then 'load_balancers']: policy(
      'no-public-load-balancers',
      [{ apiGroups: [''], resources: ['services'] }],
      [{
        expression: |||
          object.spec.type != "LoadBalancer" || (has(object.metadata.annotations) && (
            ("service.beta.kubernetes.io/aws-load-balancer-scheme" in object.metadata.annotations &&
             object.metadata.annotations["service.beta.kubernetes.io/aws-load-balancer-scheme"] == "internal") ||
            ("service.beta.kubernetes.io/aws-load-balancer-internal" in object.metadata.annotations &&
             object.metadata.annotations["service.beta.kubernetes.io/aws-load-balancer-internal"] == "true")))
        |||,
        message: 'Load balancers that the internet reaches belong in the cluster web. Use an Ingress, or annotate the Service with service.beta.kubernetes.io/aws-load-balancer-scheme: internal.',
        reason: 'Forbidden',
      }],
    ),

    // A name outside of the wildcard would never lead here, and a name two labels
    // below it would have no certificate.
    hosts:
      local ok(host) = host + '.matches("^[*a-z0-9-]+' + std.strReplace('.' + p.hostSuffix, '.', '[.]') + '$")';
      policy(
        'ingress-hosts',
        [{ apiGroups: ['networking.k8s.io'], resources: ['ingresses'] }],
        [
          {
            expression: '!has(object.spec.rules) || object.spec.rules.all(rule, has(rule.host) && ' + ok('rule.host') + ')',
            message: 'Host names of Ingresses must be directly below ' + p.hostSuffix + ': no others lead to this cluster.',
            reason: 'Forbidden',
          },
          {
            expression: '!has(object.spec.tls) || object.spec.tls.all(tls, !has(tls.hosts) || tls.hosts.all(host, ' + ok('host') + '))',
            message: 'Certificates are issued for names directly below ' + p.hostSuffix + ' only.',
            reason: 'Forbidden',
          },
        ],
      ),

    // A pod that names no version runs another program after its next restart.
    images: policy(
      'exact-images',
      [
        { apiGroups: [''], resources: ['pods'] },
        { apiGroups: ['apps'], resources: ['deployments', 'statefulsets', 'daemonsets'] },
        { apiGroups: ['batch'], resources: ['jobs', 'cronjobs'] },
      ],
      [{
        expression: 'variables.images.all(image, image.contains("@sha256:") || image.matches("^.+:[^/:]+$") && !image.endsWith(":latest"))',
        messageExpression: '"Images must name their version by a tag other than latest, or a digest. These don\'t: " + ' +
                           'variables.images.filter(image, !(image.contains("@sha256:") || image.matches("^.+:[^/:]+$") && !image.endsWith(":latest"))).join(", ")',
        reason: 'Forbidden',
      }],
      [
        {
          name: 'pod',
          expression: 'object.kind == "Pod" ? object.spec : object.kind == "CronJob" ? object.spec.jobTemplate.spec.template.spec : object.spec.template.spec',
        },
        {
          name: 'images',
          expression: '(variables.pod.containers + (has(variables.pod.initContainers) ? variables.pod.initContainers : [])).map(container, container.image)',
        },
      ],
    ),
  }
