package policy

import (
	"slices"
	"strings"
	"testing"

	"platform/internal/check/checktest"
)

const declaration = `{
	"kops": {"cluster": {"spec": {"kubernetesVersion": "1.36.1"}}},
	"aws": {"wildcard": "*.k.dev.example.net"}
}`

// A small cluster in which everything is as it should be.
const good = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: Namespace
metadata: {name: agents, labels: {pod-security.kubernetes.io/enforce: privileged}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      initContainers:
      - name: init
        image: registry.example.net:5000/init:1
        resources: {requests: {cpu: 10m}, limits: {memory: 32Mi}}
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
      containers:
      - name: web
        image: web:1.2
        resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {memory: 64Mi}}
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: http}}
      - name: idle
        image: idle@sha256:0000000000000000000000000000000000000000000000000000000000000000
        resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {memory: 64Mi}}
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: agents}
spec:
  template:
    metadata: {labels: {app: agent}}
    spec:
      hostNetwork: true
      containers:
      - {name: agent, image: "agent:1", resources: {limits: {cpu: 1, memory: 64Mi}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: tidy, namespace: agents}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - {name: tidy, image: "tidy:1", ports: [{containerPort: 9000}], resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {memory: 64Mi}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  tls: [{hosts: [web.k.dev.example.net], secretName: web-tls}]
  rules: [{host: web.k.dev.example.net}]`

const guardrails = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: g, labels: {app.kubernetes.io/name: guardrails, app.kubernetes.io/component: exact-images}}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]}
  validations: [{expression: "object.spec.template.spec.containers.all(c, c.image.contains(':'))", message: "Name a tag."}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: g}
spec: {policyName: g, validationActions: [Deny]}`

func TestPolicy(t *testing.T) {
	const web = `Deployment shop/web: spec.template.spec.containers[name="web"]`
	for _, c := range []struct {
		name     string
		replaces []string
		more     string
		want     []string
	}{
		{name: "nothing is wrong"},
		{name: "nothing is wrong with guardrails", more: guardrails},
		{
			name:     "no resources",
			replaces: []string{"image: web:1.2\n        resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {memory: 64Mi}}", "image: web:1.2"},
			want:     []string{web + ".resources: the container sets no CPU request, no memory request, no memory limit"},
		},
		{
			name:     "no memory limit of an init container",
			replaces: []string{"resources: {requests: {cpu: 10m}, limits: {memory: 32Mi}}", "resources: {requests: {cpu: 10m, memory: 32Mi}}"},
			want:     []string{`Deployment shop/web: spec.template.spec.initContainers[name="init"].resources: the container sets no memory limit`},
		},
		{
			name:     "no CPU request",
			replaces: []string{`resources: {limits: {cpu: 1, memory: 64Mi}}`, `resources: {limits: {memory: 64Mi}}`},
			want:     []string{`DaemonSet agents/agent: spec.template.spec.containers[name="agent"].resources: the container sets no CPU request`},
		},
		{
			name:     "a request of nothing",
			replaces: []string{`resources: {limits: {cpu: 1, memory: 64Mi}}`, `resources: {requests: {cpu: 0}, limits: {memory: 64Mi}}`},
			want:     []string{`DaemonSet agents/agent: spec.template.spec.containers[name="agent"].resources: the container sets no CPU request`},
		},
		{
			name:     "in a cron job",
			replaces: []string{`ports: [{containerPort: 9000}], resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {memory: 64Mi}}}`, `resources: {requests: {cpu: 10m, memory: 32Mi}}}`},
			want:     []string{`CronJob agents/tidy: spec.jobTemplate.spec.template.spec.containers[name="tidy"].resources: the container sets no memory limit`},
		},
		{
			name:     "no readiness probe",
			replaces: []string{"        readinessProbe: {httpGet: {path: /, port: http}}\n", ""},
			want:     []string{web + ": the container serves port http but has no readiness probe"},
		},
		{
			name:     "no readiness probe of a sidecar",
			replaces: []string{"initContainers:\n      - name: init", "initContainers:\n      - name: init\n        restartPolicy: Always\n        ports: [{containerPort: 1}, {name: two, containerPort: 2}]"},
			want:     []string{`Deployment shop/web: spec.template.spec.initContainers[name="init"]: the container serves ports 1, two but has no readiness probe`},
		},
		{
			name:     "no tag",
			replaces: []string{"image: web:1.2", "image: web"},
			want:     []string{web + `.image: the image "web" names no exact version`},
		},
		{
			name:     "no tag behind a port",
			replaces: []string{"registry.example.net:5000/init:1", "registry.example.net:5000/init"},
			want:     []string{`Deployment shop/web: spec.template.spec.initContainers[name="init"].image: the image "registry.example.net:5000/init" names no exact version`},
		},
		{
			name:     "latest",
			replaces: []string{"image: web:1.2", "image: web:latest"},
			want:     []string{web + `.image: the image "web:latest" names no exact version`},
		},
		{
			name:     "images where the guardrails see to them",
			replaces: []string{"image: web:1.2", "image: web"},
			more:     guardrails,
			want:     []string{web + ".image: the admission policy g refuses it: Name a tag"},
		},
		{
			name: "warnings of the guardrails", more: strings.Replace(guardrails, "[Deny]", "[Warn]", 1),
			replaces: []string{"image: web:1.2", "image: web"},
			want: []string{
				"warning: " + web + ".image: the admission policy g warns of it: Name a tag",
				web + `.image: the image "web" names no exact version`,
			},
		},
		{
			name: "guardrails that can't judge", more: strings.Replace(guardrails, "object.spec.template.spec.containers", "object.spec.containers", 1),
			want: []string{"Deployment shop/web: : the admission policy g can't judge it: expression 'object.spec.containers.all(c, c.image.contains(':'))' resulted in error: no such key: containers"},
		},
		{
			name: "guardrails that are no CEL", more: strings.Replace(guardrails, "contains(':')", "contains(", 1),
			want: []string{"ValidatingAdmissionPolicy g: spec.validations[0].expression: isn't CEL as Kubernetes 1.36 takes it: "},
		},
		{
			name:     "no Pod Security level",
			replaces: []string{", labels: {pod-security.kubernetes.io/enforce: restricted}", ""},
			want:     []string{"Namespace shop: metadata.labels: enforces no Pod Security level, so that its pods may do anything"},
		},
		{
			name:     "unknown Pod Security level",
			replaces: []string{"enforce: restricted", "enforce: strict"},
			want:     []string{`Namespace shop: metadata.labels: has labels that Pod Security doesn't know: `},
		},
		{
			name:     "as root",
			replaces: []string{"runAsNonRoot: true, ", ""},
			want:     []string{"Deployment shop/web: spec.template.spec: doesn't meet the Pod Security level restricted that its namespace enforces: runAsNonRoot != true: "},
		},
		{
			name:     "without seccomp",
			replaces: []string{", seccompProfile: {type: RuntimeDefault}", ""},
			want:     []string{"Deployment shop/web: spec.template.spec: doesn't meet the Pod Security level restricted that its namespace enforces: seccompProfile: "},
		},
		{
			name:     "more rights than it had",
			replaces: []string{"cpu: 10m}, limits: {memory: 32Mi}}\n        securityContext: {allowPrivilegeEscalation: false, capabilities", "cpu: 10m}, limits: {memory: 32Mi}}\n        securityContext: {capabilities"},
			want:     []string{`Deployment shop/web: spec.template.spec.initContainers[name="init"].securityContext: doesn't meet the Pod Security level restricted that its namespace enforces: allowPrivilegeEscalation != false: container "init" must set securityContext.allowPrivilegeEscalation=false`},
		},
		{
			name:     "capabilities",
			replaces: []string{"cpu: 10m}, limits: {memory: 32Mi}}\n        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}", "cpu: 10m}, limits: {memory: 32Mi}}\n        securityContext: {allowPrivilegeEscalation: false}"},
			want:     []string{`Deployment shop/web: spec.template.spec.initContainers[name="init"].securityContext: doesn't meet the Pod Security level restricted that its namespace enforces: unrestricted capabilities: `},
		},
		{
			name:     "the machine's network",
			replaces: []string{"enforce: privileged", "enforce: baseline"},
			want:     []string{"DaemonSet agents/agent: spec.template.spec: doesn't meet the Pod Security level baseline that its namespace enforces: host namespaces: hostNetwork=true"},
		},
		{
			name:     "a host of somebody else",
			replaces: []string{"rules: [{host: web.k.dev.example.net}]", "rules: [{host: web.example.org}]"},
			want:     []string{"Ingress shop/web: spec.rules[0].host: the host name web.example.org isn't directly below k.dev.example.net"},
		},
		{
			name:     "a host two labels below",
			replaces: []string{"hosts: [web.k.dev.example.net]", "hosts: [a.b.k.dev.example.net]"},
			want:     []string{"Ingress shop/web: spec.tls[0].hosts[0]: the host name a.b.k.dev.example.net isn't directly below k.dev.example.net"},
		},
		{
			name:     "the bare name",
			replaces: []string{"rules: [{host: web.k.dev.example.net}]", "rules: [{host: k.dev.example.net}]"},
			want:     []string{"Ingress shop/web: spec.rules[0].host: the host name k.dev.example.net isn't directly below k.dev.example.net"},
		},
		{
			name:     "no host",
			replaces: []string{"rules: [{host: web.k.dev.example.net}]", "rules: [{}]"},
			want:     []string{"Ingress shop/web: spec.rules[0].host: the rule names no host"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := good
			for i := 0; i < len(c.replaces); i += 2 {
				if n := strings.Count(text, c.replaces[i]); n != 1 {
					t.Fatalf("%q is %d times in the good cluster", c.replaces[i], n)
				}
				text = strings.Replace(text, c.replaces[i], c.replaces[i+1], 1)
			}
			files := map[string]string{"shop": text}
			if c.more != "" {
				files["guardrails"] = c.more
			}
			got := checktest.Find(t, Rules(), "policy", checktest.Cluster(t, "dev", declaration, files))
			// Messages of libraries may go on.
			if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// A cluster whose declaration says nothing is judged all the same.
func TestNoDeclaration(t *testing.T) {
	for _, declaration := range []string{"", "{}", "[]", `{"kops": 1}`} {
		c := checktest.Cluster(t, "dev", declaration, map[string]string{"shop": good, "guardrails": guardrails})
		if got := checktest.Find(t, Rules(), "policy", c); got != nil {
			t.Errorf("%s: got %q", declaration, got)
		}
	}
}
