package admission

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/version"

	"platform/internal/check/checktest"
	"platform/internal/render"
)

var current = version.MajorMinor(1, 36)

const namespaces = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {tier: public}}
---
apiVersion: v1
kind: Namespace
metadata: {name: lab}`

const binding = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: p}
spec: {policyName: p, validationActions: [Deny]}`

// policyOf makes a policy about Deployments; the spec comes on top.
func policyOf(spec string) string {
	return `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}
` + spec
}

// constrained makes a policy that refuses whatever its constraints match.
func constrained(constraints string) string {
	return `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  matchConstraints: ` + constraints + `
  validations: [{expression: "false", message: "no"}]`
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "web:1", ports: [{containerPort: 80}]}
      - {name: log, image: "log:latest"}`

func review(t *testing.T, object string, policies ...string) []Decision {
	t.Helper()
	c := checktest.Cluster(t, "dev", "{}", map[string]string{
		"guardrails": strings.Join(append([]string{namespaces}, policies...), "\n---\n"),
		"object":     object,
	})
	a, errs := New(c, current)
	for _, err := range errs {
		t.Fatal(err)
	}
	return a.Review(t.Context(), c.Files[1].Objects[0])
}

func TestReview(t *testing.T) {
	for _, c := range []struct {
		name, policy, binding, object string
		// want are the decisions as "path: message"; with a ~ in front those that
		// only warn, with a ! those that couldn't be made.
		want []string
	}{
		{
			name:   "passes",
			policy: policyOf(`  validations: [{expression: "object.spec.replicas >= 2"}]`),
		},
		{
			name:   "refused, with the message",
			policy: policyOf(`  validations: [{expression: "object.spec.replicas >= 3", message: "Too few."}]`),
			want:   []string{"spec.replicas: Too few."},
		},
		{
			name:   "refused, without a message",
			policy: policyOf(`  validations: [{expression: "object.spec.replicas >= 3"}]`),
			want:   []string{"spec.replicas: failed expression: object.spec.replicas >= 3"},
		},
		{
			name:   "refused, with a message that is made",
			policy: policyOf(`  validations: [{expression: "object.spec.replicas >= 3", message: "x", messageExpression: "'only ' + string(object.spec.replicas)"}]`),
			want:   []string{"spec.replicas: only 2"},
		},
		{
			name:   "a message that can't be made",
			policy: policyOf(`  validations: [{expression: "object.spec.replicas >= 3", message: "x", messageExpression: "string(object.spec.nothing)"}]`),
			want:   []string{"spec.replicas: x"},
		},
		{
			name: "several validations",
			policy: policyOf(`  validations:
  - {expression: "object.spec.replicas >= 3", message: a}
  - {expression: "object.metadata.name == 'web'", message: b}
  - {expression: "object.metadata.labels.app == 'shop'", message: c}`),
			want: []string{"spec.replicas: a", "metadata.labels.app: c"},
		},
		{
			name: "variables",
			policy: policyOf(`  variables: [{name: containers, expression: "object.spec.template.spec.containers"}, {name: names, expression: "variables.containers.map(c, c.name)"}]
  validations: [{expression: "variables.names == ['web']", message: x}]`),
			want: []string{`spec.template.spec.containers[name="log"].name: x`},
		},
		{
			name:   "the list's one bad element",
			policy: policyOf(`  validations: [{expression: "object.spec.template.spec.containers.all(c, !c.image.endsWith(':latest'))", message: x}]`),
			want:   []string{`spec.template.spec.containers[name="log"].image: x`},
		},
		{
			name:   "several bad elements",
			policy: policyOf(`  validations: [{expression: "object.spec.template.spec.containers.all(c, c.image.startsWith('good'))", message: x}]`),
			want:   []string{"spec.template.spec.containers: x"},
		},
		{
			name:   "nothing is to blame",
			policy: policyOf(`  validations: [{expression: "has(object.spec.minReadySeconds)", message: x}]`),
			want:   []string{"spec: x"},
		},
		{
			name:   "a condition that isn't met",
			policy: policyOf("  matchConditions: [{name: a, expression: \"object.spec.replicas > 5\"}]\n  validations: [{expression: \"false\"}]"),
		},
		{
			name:   "a condition that is met",
			policy: policyOf("  matchConditions: [{name: a, expression: \"object.spec.replicas < 5\"}]\n  validations: [{expression: \"false\", message: x}]"),
			want:   []string{": x"},
		},
		{
			name:   "a condition that can't be evaluated",
			policy: policyOf("  matchConditions: [{name: a, expression: \"object.spec.nothing > 5\"}]\n  validations: [{expression: \"false\", message: x}]"),
			want:   []string{"!: expression 'object.spec.nothing > 5' resulted in error: no such key: nothing"},
		},
		{
			name:   "an expression that can't be evaluated",
			policy: policyOf(`  validations: [{expression: "object.spec.nothing > 5"}]`),
			want:   []string{"!: expression 'object.spec.nothing > 5' resulted in error: no such key: nothing"},
		},
		{
			name:   "the same, to be ignored",
			policy: policyOf("  failurePolicy: Ignore\n  validations: [{expression: \"object.spec.nothing > 5\"}]"),
		},
		{
			name:   "who asks may do everything",
			policy: policyOf(`  validations: [{expression: "authorizer.group('').resource('secrets').check('delete').allowed() && request.userInfo.groups.exists(g, g == 'system:masters') && request.operation == 'CREATE'", message: x}]`),
		},
		{
			name:   "the namespace's labels",
			policy: policyOf(`  validations: [{expression: "namespaceObject.metadata.labels['tier'] != 'public' && request.namespace == 'shop'", message: x}]`),
			want:   []string{": x"},
		},
		{
			name:    "a warning",
			policy:  policyOf(`  validations: [{expression: "false", message: x}]`),
			binding: strings.Replace(binding, "[Deny]", "[Warn, Audit]", 1),
			want:    []string{"~: x"},
		},
		{
			name:    "an audit only",
			policy:  policyOf(`  validations: [{expression: "false", message: x}]`),
			binding: strings.Replace(binding, "[Deny]", "[Audit]", 1),
		},
		{
			name:    "another policy's binding",
			policy:  policyOf(`  validations: [{expression: "false", message: x}]`),
			binding: strings.Replace(binding, "policyName: p", "policyName: q", 1),
		},
		{
			name:    "a binding for another namespace",
			policy:  policyOf(`  validations: [{expression: "false", message: x}]`),
			binding: strings.Replace(binding, "policyName: p", "policyName: p, matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: lab}}}", 1),
		},
		{
			name:    "parameters by name",
			policy:  policyOf("  paramKind: {apiVersion: apps/v1, kind: Deployment}\n  validations: [{expression: \"params.spec.replicas > 2\", message: x}]"),
			binding: strings.Replace(binding, "policyName: p", "policyName: p, paramRef: {name: web, parameterNotFoundAction: Deny}", 1),
			want:    []string{": x"},
		},
		{
			name:    "parameters by label",
			policy:  policyOf("  paramKind: {apiVersion: v1, kind: Namespace}\n  validations: [{expression: \"params.metadata.name == 'lab'\", messageExpression: string(params.metadata.name)}]"),
			binding: strings.Replace(binding, "policyName: p", "policyName: p, paramRef: {selector: {matchLabels: {tier: public}}, parameterNotFoundAction: Deny}", 1),
			want:    []string{": shop"},
		},
		{
			name:    "parameters that aren't there",
			policy:  policyOf("  paramKind: {apiVersion: v1, kind: ConfigMap}\n  validations: [{expression: \"true\"}]"),
			binding: strings.Replace(binding, "policyName: p", "policyName: p, paramRef: {name: x, parameterNotFoundAction: Deny}", 1),
			want:    []string{"!: no parameters: there is no ConfigMap that the binding refers to"},
		},
		{
			name:    "parameters that needn't be there",
			policy:  policyOf("  paramKind: {apiVersion: v1, kind: ConfigMap}\n  validations: [{expression: \"false\"}]"),
			binding: strings.Replace(binding, "policyName: p", "policyName: p, paramRef: {name: x, parameterNotFoundAction: Allow}", 1),
		},
		{
			name:   "every resource",
			policy: constrained(`{resourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"]}]}`),
			want:   []string{": no"},
		},
		{
			name:   "updates only",
			policy: constrained(`{resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [deployments]}]}`),
		},
		{
			name:   "a subresource only",
			policy: constrained(`{resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments/scale]}]}`),
		},
		{
			name:   "another version of the resource",
			policy: constrained(`{resourceRules: [{apiGroups: [apps], apiVersions: [v1beta1], operations: [CREATE], resources: [deployments]}]}`),
			want:   []string{": no"},
		},
		{
			name:   "exactly another version of the resource",
			policy: constrained(`{matchPolicy: Exact, resourceRules: [{apiGroups: [apps], apiVersions: [v1beta1], operations: [CREATE], resources: [deployments]}]}`),
		},
		{
			name:   "another name",
			policy: constrained(`{resourceRules: [{resourceNames: [shop], apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}`),
		},
		{
			name:   "its name",
			policy: constrained(`{resourceRules: [{resourceNames: [web], apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}`),
			want:   []string{": no"},
		},
		{
			name:   "all but this resource",
			policy: constrained(`{resourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"]}], excludeResourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: ["*"], resources: [deployments]}]}`),
		},
		{
			name:   "other namespaces",
			policy: constrained(`{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [shop]}]}, resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}`),
		},
		{
			name:   "namespaces with its label",
			policy: constrained(`{namespaceSelector: {matchLabels: {tier: public}}, resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}`),
			want:   []string{": no"},
		},
		{
			name:   "objects with its label",
			policy: constrained(`{objectSelector: {matchLabels: {app: web}}, resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}`),
			want:   []string{": no"},
		},
		{
			name:   "objects with another label",
			policy: constrained(`{objectSelector: {matchLabels: {app: shop}}, resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}`),
		},
		{
			name:   "a namespace by its own labels",
			policy: constrained(`{namespaceSelector: {matchLabels: {tier: secret}}, resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [namespaces]}]}`),
			object: "apiVersion: v1\nkind: Namespace\nmetadata: {name: vault, labels: {tier: secret}}",
			want:   []string{": no"},
		},
		{
			name:   "a namespace without the label",
			policy: constrained(`{namespaceSelector: {matchLabels: {tier: secret}}, resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [namespaces]}]}`),
			object: "apiVersion: v1\nkind: Namespace\nmetadata: {name: vault}",
		},
		{
			name:   "objects without a namespace, whatever the selector",
			policy: constrained(`{namespaceSelector: {matchLabels: {tier: secret}}, resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [persistentvolumes]}]}`),
			object: "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: disk}",
			want:   []string{": no"},
		},
		{
			name:   "policies themselves",
			policy: constrained(`{resourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"]}]}`),
			object: strings.Replace(binding, "name: p", "name: other", 1),
		},
		{
			name:   "defaults of a Service",
			policy: constrained(`{resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [services]}]}`),
			object: "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {ports: [{port: 80}]}",
			want:   []string{": no"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.binding == "" {
				c.binding = binding
			}
			if c.object == "" {
				c.object = deployment
			}
			var got []string
			for _, d := range review(t, c.object, c.policy, c.binding) {
				mark := map[bool]string{true: "", false: "~"}[d.Refused]
				if d.Broken {
					mark = "!"
				}
				got = append(got, mark+d.Path+": "+d.Message)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// What the API server fills in is there when policies look.
func TestDefaults(t *testing.T) {
	rules := func(group, resource, expression string) string {
		return fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [%q], apiVersions: [v1], operations: [CREATE], resources: [%s]}]}
  validations: [{expression: %q}]`, group, resource, expression)
	}
	for _, c := range []struct{ group, resource, expression, object string }{
		{"", "services", "object.spec.type == 'ClusterIP' && object.spec.ports.all(p, p.protocol == 'TCP' && p.targetPort == p.port)",
			"apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {ports: [{port: 80}]}"},
		{"", "services", "object.spec.externalTrafficPolicy == 'Cluster' && object.spec.allocateLoadBalancerNodePorts",
			"apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {type: LoadBalancer, ports: [{port: 80}]}"},
		{"", "pods", "object.spec.restartPolicy == 'Always' && object.spec.containers[0].imagePullPolicy == 'Always' && object.spec.containers[0].resources.requests.memory == '1Gi'",
			"apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {containers: [{name: web, image: web, resources: {limits: {memory: 1Gi}}}], initContainers: [{name: i, image: 'i:1'}]}"},
		{"apps", "deployments", "object.spec.replicas == 1 && has(object.spec.template.spec.securityContext) && object.spec.template.spec.containers[0].imagePullPolicy == 'IfNotPresent' && !has(object.spec.template.spec.containers[0].resources.requests)",
			"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {template: {spec: {containers: [{name: web, image: 'r.example.net:5000/web:1', resources: {limits: {memory: 1Gi}}}]}}}"},
		{"apps", "statefulsets", "object.spec.replicas == 1", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web, namespace: shop}\nspec: {}"},
		{"apps", "replicasets", "object.spec.replicas == 1", "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web, namespace: shop}\nspec: {}"},
		{"apps", "daemonsets", "object.spec.template.spec.dnsPolicy == 'ClusterFirst'", "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: web, namespace: shop}\nspec: {}"},
		{"batch", "jobs", "object.spec.backoffLimit == 6 && object.spec.completions == 1 && object.spec.parallelism == 1", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: web, namespace: shop}\nspec: {}"},
		{"batch", "cronjobs", "!object.spec.suspend && object.spec.concurrencyPolicy == 'Allow' && object.spec.jobTemplate.spec.template.spec.schedulerName == 'default-scheduler'",
			"apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: web, namespace: shop}\nspec: {}"},
		{"", "namespaces", "object.metadata.labels['kubernetes.io/metadata.name'] == 'web'", "apiVersion: v1\nkind: Namespace\nmetadata: {name: web}"},
	} {
		for _, d := range review(t, c.object, rules(c.group, c.resource, c.expression), binding) {
			t.Errorf("%s: %s: %s", c.resource, c.expression, d.Message)
		}
	}
}

// A policy that the API server wouldn't take is said to be wrong, and where.
func TestBrokenPolicies(t *testing.T) {
	for _, c := range []struct{ spec, path, message string }{
		{`  validations: [{expression: "object.spec."}]`, "spec.validations[0].expression", "Syntax error"},
		{`  validations: [{expression: "true"}, {expression: "'x'"}]`, "spec.validations[1].expression", "must evaluate to bool"},
		{`  validations: [{expression: "nothing == 1"}]`, "spec.validations[0].expression", "undeclared reference"},
		{`  validations: [{expression: "params.x"}]`, "spec.validations[0].expression", "undeclared reference"},
		{`  validations: [{expression: "true", messageExpression: "1"}]`, "spec.validations[0].messageExpression", "must evaluate to string"},
		{"  variables: [{name: a, expression: \"]\"}]\n  validations: [{expression: \"true\"}]", "spec.variables[0].expression", "Syntax error"},
		{"  matchConditions: [{name: a, expression: \"1\"}]\n  validations: [{expression: \"true\"}]", "spec.matchConditions[0].expression", "must evaluate to bool"},
	} {
		cluster := checktest.Cluster(t, "dev", "{}", map[string]string{"guardrails": policyOf(c.spec) + "\n---\n" + binding, "object": deployment})
		a, errs := New(cluster, current)
		if len(errs) != 1 || errs[0].Path != c.path || !strings.Contains(errs[0].Message, c.message) || !strings.Contains(errs[0].Error(), "ValidatingAdmissionPolicy p: ") {
			t.Errorf("%s: got %v, want %s: %s", c.spec, errs, c.path, c.message)
		}
		if d := a.Review(t.Context(), cluster.Files[1].Objects[0]); d != nil {
			t.Errorf("%s: is evaluated all the same: %v", c.spec, d)
		}
	}
}

// Expressions may use what the cluster's version knows, and its predecessor.
func TestVersions(t *testing.T) {
	// The library of semantic versions came with 1.33.
	spec := policyOf(`  validations: [{expression: "isSemver('1.2.3')"}]`)
	for minor, want := range map[uint]bool{32: false, 34: true, 36: true} {
		cluster := checktest.Cluster(t, "dev", "{}", map[string]string{"guardrails": spec})
		if _, errs := New(cluster, version.MajorMinor(1, minor)); (len(errs) == 0) != want {
			t.Errorf("1.%d: got %v", minor, errs)
		}
	}
}

const mutation = `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: m}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}
  matchConditions: [{name: few, expression: "object.spec.replicas < 3"}]
  mutations:
  - patchType: JSONPatch
    jsonPatch: {expression: "[JSONPatch{op: 'replace', path: '/spec/replicas', value: 3}]"}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: m}
spec: {policyName: m}`

// Validating policies see objects as mutating ones have made them.
func TestMutations(t *testing.T) {
	validation := policyOf(`  validations: [{expression: "object.spec.replicas >= 3", message: x}]`)
	if got := review(t, deployment, validation, binding, mutation); got != nil {
		t.Errorf("got %v", got)
	}
	for _, unlike := range []struct{ from, to string }{
		{"policyName: m", "policyName: other"},
		{"replicas < 3", "replicas < 2"},
		{"resources: [deployments]", "resources: [statefulsets]"},
	} {
		if got := review(t, deployment, validation, binding, strings.Replace(mutation, unlike.from, unlike.to, 1)); len(got) != 1 {
			t.Errorf("%s: got %v", unlike.to, got)
		}
	}
	cluster := checktest.Cluster(t, "dev", "{}", map[string]string{"guardrails": strings.Replace(mutation, "value: 3", "value: nothing", 1)})
	if _, errs := New(cluster, current); len(errs) != 1 || errs[0].Path != "spec.mutations[0].jsonPatch.expression" {
		t.Errorf("got %v", errs)
	}
}

const root = "../../../.."

// A plain Ingress, without a host, is completed by a policy of the ingress stack
// before the guardrails ask for its host: on clusters whose Kubernetes knows such
// policies.
func TestPlainIngress(t *testing.T) {
	const ingress = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: playground}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}}]}`
	c, err := render.Render(t.Context(), render.Options{Root: root}, "dev")
	if err != nil {
		t.Fatal(err)
	}
	object := checktest.Cluster(t, "dev", "{}", map[string]string{"shop": ingress}).Files[0].Objects[0]
	a, errs := New(c, current)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if got := a.Review(t.Context(), object); got != nil {
		t.Errorf("got %v", got)
	}
	a.mutating = nil
	if got := a.Review(t.Context(), object); len(got) != 1 || got[0].Path != "spec.rules[0]" {
		t.Errorf("without the policy: got %v", got)
	}
}

func BenchmarkReview(b *testing.B) {
	c, err := render.Render(b.Context(), render.Options{Root: root}, "dev")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		a, _ := New(c, current)
		for _, file := range c.Files {
			for _, o := range file.Objects {
				a.Review(b.Context(), o)
			}
		}
	}
}
