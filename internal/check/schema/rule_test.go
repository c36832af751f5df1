package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"platform/internal/check"
	"platform/internal/config"
	"platform/internal/render"
)

// rendered makes a cluster of objects written as YAML, separated by ---.
func rendered(t testing.TB, version, objects string) *render.Cluster {
	t.Helper()
	declaration := fmt.Sprintf(`{"name": "test", "kops": {"cluster": {"spec": {"kubernetesVersion": %q}}}}`, version)
	return declared(t, declaration, objects)
}

func declared(t testing.TB, declaration, objects string) *render.Cluster {
	t.Helper()
	c := &render.Cluster{Name: "test", Declaration: json.RawMessage(declaration)}
	file := render.File{Name: "file", Source: "clusters/test/file.jsonnet"}
	for _, text := range strings.Split(objects, "\n---\n") {
		if strings.TrimSpace(text) != "" {
			file.Objects = append(file.Objects, object(t, text))
		}
	}
	c.Files = []render.File{file}
	return c
}

// judged gives the findings about a cluster as text.
func judged(t testing.TB, c *render.Cluster, o Options) []string {
	t.Helper()
	repository := &check.Repository{Config: &config.Config{Root: t.TempDir()}, Clusters: []*render.Cluster{c}}
	findings, err := Rule(o).Find(t.Context(), repository)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range findings {
		text := fmt.Sprintf("%s: %s | %s", f.Path, f.Message, f.Fix)
		if f.Level == check.Warning {
			text = "warning: " + text
		}
		out = append(out, text)
		if strings.HasSuffix(f.Message, ".") || f.Message == "" || !strings.HasSuffix(f.Fix, ".") {
			t.Errorf("form of %q: the message must have no full stop, the fix must", text)
		}
	}
	return out
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: example.net/web:1
        args: [--verbose]
        ports: [{name: http, containerPort: 8080}]
        env: [{name: MODE, value: fast}]
        resources: {limits: {memory: 64Mi}}
        volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, emptyDir: {}}]
`

const widgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.net}
spec:
  group: example.net
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [size, colour]
            properties:
              size: {type: integer, minimum: 1}
              colour: {type: string, enum: [red, blue], default: red}
              name: {type: string, pattern: "^[a-z]+$"}
              port: {x-kubernetes-int-or-string: true}
              tags: {type: array, items: {type: string}, x-kubernetes-list-type: set}
              extra: {type: object, x-kubernetes-preserve-unknown-fields: true}
              inner: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}
              labels: {type: object, additionalProperties: {type: string}}
            x-kubernetes-validations:
            - {rule: "self.colour != 'blue' || self.size < 10", message: blue ones are small}
  - name: v1beta1
    served: true
    storage: false
    deprecated: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
  - name: v1alpha1
    served: false
    storage: false
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`

const widget = `
apiVersion: example.net/v1
kind: Widget
metadata: {name: one, namespace: shop}
spec:
  size: 20
  name: abc
  port: http
  tags: [a, b]
  extra: {anything: {goes: 1}}
  inner: {apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {}}
  labels: {a: b}
`

// Each defect is one change to a good object and what the rule says of it.
var defects = []struct {
	name, base, old, new string
	want                 []string
}{
	// Fields.
	{"misspelt field", deployment, "replicas: 2", "replicaz: 2",
		[]string{`spec.replicaz: unknown field "replicaz"; did you mean "replicas"? | Correct the name of the field, or delete it.`}},
	{"letters swapped", deployment, "containerPort: 8080", "contianerPort: 8080",
		[]string{`ports[name="http"].contianerPort: unknown field "contianerPort"; did you mean "containerPort"?`}},
	{"wrong case", deployment, "image: e", "Image: e",
		[]string{`containers[name="web"].Image: unknown field "Image"; did you mean "image"?`}},
	{"field too far out", deployment, "  replicas: 2", "  replicas: 2\n  hostNetwork: true",
		[]string{`spec.hostNetwork: unknown field "hostNetwork" | Delete the field: kubectl explain deployment.spec describes it.`}},
	{"field of the level below", deployment, "  template:", "  template:\n    hostNetwork: true",
		[]string{`spec.template.hostNetwork: unknown field "hostNetwork"; there is one in spec | Move it to spec.template.spec.hostNetwork.`}},
	{"field of the level above", deployment, "    metadata: {labels: {app: web}}", "    metadata: {labels: {app: web}}\n    replicas: 2",
		[]string{`spec.template.replicas: unknown field "replicas"; there is one in spec | Move it to spec.replicas.`}},
	{"missing field", deployment, "  selector: {matchLabels: {app: web}}\n", "",
		[]string{`spec.selector: the required field "selector" is missing | Add it: kubectl explain deployment.spec.selector describes it.`}},
	{"nothing there", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}", "", "",
		[]string{`spec.selector: the required field "selector" is missing`, `spec.template: the required field "template" is missing`}},

	// Types.
	{"text for a number", deployment, "replicas: 2", `replicas: "2"`,
		[]string{`spec.replicas: must be an integer, is the string "2" | Write the number without quotes, or convert it with std.parseInt.`}},
	{"word for a number", deployment, "replicas: 2", `replicas: two`,
		[]string{`spec.replicas: must be an integer, is the string "two" | Correct the value: kubectl explain deployment.spec.replicas describes it.`}},
	{"fraction for a number", deployment, "replicas: 2", `replicas: 2.5`,
		[]string{`spec.replicas: must be an integer, is the number 2.5`}},
	{"number too big", deployment, "replicas: 2", `replicas: 3000000000`,
		[]string{`spec.replicas: 3000000000 doesn't fit into 32 bits`}},
	{"number for text", deployment, "value: fast", "value: 3",
		[]string{`containers[name="web"].env[name="MODE"].value: must be a string, is the number 3 | Write it in quotes, or convert it with std.toString.`}},
	{"boolean for text", deployment, "value: fast", "value: true",
		[]string{`env[name="MODE"].value: must be a string, is the boolean true`}},
	{"text for a boolean", deployment, "  replicas: 2", "  replicas: 2\n  paused: \"true\"",
		[]string{`spec.paused: must be a boolean, is the string "true" | Write it without quotes.`}},
	{"text for a list", deployment, "args: [--verbose]", "args: --verbose",
		[]string{`containers[name="web"].args: must be a list, is the string "--verbose" | Put the value into brackets.`}},
	{"map for a list", deployment, "[{name: MODE, value: fast}]", "{MODE: fast}",
		[]string{`containers[name="web"].env: must be a list, is an object`}},
	{"list for a map", deployment, "{limits: {memory: 64Mi}}", "[64Mi]",
		[]string{`containers[name="web"].resources: must be an object, is a list`}},
	{"label that is a number", deployment, "{name: web, namespace: shop}", "{name: web, namespace: shop, labels: {version: 3}}",
		[]string{`metadata.labels.version: must be a string, is the number 3`}},
	{"quantity", deployment, "memory: 64Mi", "memory: 64MB",
		[]string{`containers[name="web"].resources.limits.memory: must be a quantity such as "500m" or "2Gi", is "64MB" | Write "64Mi", if that is what was meant.`}},
	{"quantity of another type", deployment, "memory: 64Mi", "memory: [64]",
		[]string{`resources.limits.memory: must be a quantity such as "500m" or "2Gi", is a list`}},
	{"int-or-string", deployment, "  replicas: 2", "  strategy: {rollingUpdate: {maxSurge: true}}",
		[]string{`spec.strategy.rollingUpdate.maxSurge: must be an integer or a string, is the boolean true`}},
	{"base64", "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\ndata: {a: b}", "", "",
		[]string{`data.a: must be base64: `}},
	{"time", "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: s, namespace: shop}\nspec: {renewTime: yesterday}", "", "",
		[]string{`spec.renewTime: must be a time such as 2006-01-02T15:04:05Z, is "yesterday"`}},
	{"enumeration", deployment, "image: e", "imagePullPolicy: IfNotpresent\n        image: e",
		[]string{`containers[name="web"].imagePullPolicy: must be "Always", "IfNotPresent" or "Never", is "IfNotpresent" | Write "IfNotPresent", if that is what was meant.`}},

	// Lists.
	{"name twice", deployment, "[{name: MODE, value: fast}]", "[{name: MODE, value: fast}, {name: MODE, value: slow}]",
		[]string{`containers[name="web"].env[1]: has the same name as element 0 of the list | Delete one of the two, or tell them apart.`}},
	{"default of a key", deployment, "[{name: http, containerPort: 8080}]", "[{name: http, containerPort: 8080}, {name: web, containerPort: 8080, protocol: TCP}]",
		[]string{`containers[name="web"].ports[name="web"]: has the same containerPort and protocol as element 0 of the list`}},
	{"set", deployment, "{name: web, namespace: shop}", "{name: web, namespace: shop, finalizers: [a/b, a/b]}",
		[]string{`metadata.finalizers[1]: has the same value as element 0 of the list`}},

	// What validation says.
	{"name", deployment, "{name: web, ", "{name: Web, ",
		[]string{`metadata.name: "Web" is invalid: a lowercase RFC 1123 subdomain must consist of`}},
	{"label value", deployment, "{name: web, namespace: shop}", "{name: web, namespace: shop, labels: {a: b c}}",
		[]string{`metadata.labels: "b c" is invalid`}},
	{"annotation key", deployment, "{name: web, namespace: shop}", "{name: web, namespace: shop, annotations: {a b: c}}",
		[]string{`metadata.annotations: "a b" is invalid`}},
	{"selector", deployment, "labels: {app: web}", "labels: {app: other}",
		[]string{`spec.template.metadata.labels: spec.selector doesn't select the pods: it wants app=web`}},
	{"port number", deployment, "8080", "80800",
		[]string{`ports[name="http"].containerPort: 80800 is invalid: must be between 1 and 65535`}},
	{"port name", deployment, "name: http,", "name: a_long_name_for_a_port,",
		[]string{`ports[name="a_long_name_for_a_port"].name: "a_long_name_for_a_port" is invalid: must be no more than 15 characters`}},
	{"negative", deployment, "replicas: 2", "replicas: -2",
		[]string{`spec.replicas: -2 is invalid: must not be negative`}},
	{"mount of no volume", deployment, "volumes: [{name: data,", "volumes: [{name: date,",
		[]string{`containers[name="web"].volumeMounts[name="data"].name: "data" is invalid: the pod has no volume of the name; did you mean "date"?`}},
	{"request over limit", deployment, "{limits: {memory: 64Mi}}", "{limits: {memory: 64Mi}, requests: {memory: 1Gi}}",
		[]string{`resources.requests.memory: "1Gi" is invalid: must not be more than the limit of 64Mi`}},
	{"restart policy", deployment, "      containers:", "      restartPolicy: Never\n      containers:",
		[]string{`spec.template.spec.restartPolicy: "Never" is invalid: must be Always`}},
	{"probe", deployment, "image: e", "livenessProbe: {periodSeconds: 3}\n        image: e",
		[]string{`containers[name="web"].livenessProbe: must have one of exec, httpGet, tcpSocket, grpc`}},

	// Custom resources.
	{"custom: misspelt", widget, "size: 20", "siez: 20",
		[]string{`spec.siez: unknown field "siez"; did you mean "size"?`}},
	{"custom: unknown", widget, "size: 20", "size: 20\n  weight: 3",
		[]string{`spec.weight: unknown field "weight"`}},
	{"custom: type", widget, "size: 20", "size: big",
		[]string{`spec.size: must be an integer, is the string "big"`}},
	{"custom: missing", widget, "  size: 20\n", "",
		[]string{`spec.size: the required field "size" is missing`}},
	{"custom: value", widget, "size: 20", "size: 0",
		[]string{`spec.size: 0 is invalid: spec.size in body should be greater than or equal to 1`}},
	{"custom: pattern", widget, "name: abc", "name: ABC",
		[]string{`spec.name: "ABC" is invalid: spec.name in body should match '^[a-z]+$'`}},
	{"custom: enumeration", widget, "size: 20", "size: 20\n  colour: rd",
		[]string{`spec.colour: must be "red" or "blue", is "rd" | Write "red", if that is what was meant.`}},
	{"custom: set", widget, "[a, b]", "[a, a]",
		[]string{`spec.tags[1]: has the same value as element 0 of the list`}},
	{"custom: rule", widget, "size: 20", "size: 20\n  colour: blue",
		[]string{`spec: blue ones are small`}},
	{"custom: name", widget, "name: one", "name: One",
		[]string{`metadata.name: "One" is invalid: a lowercase RFC 1123 subdomain`}},
	{"custom: metadata", widget, "name: one,", "name: one, label: {a: b},",
		[]string{`metadata.label: unknown field "label"; did you mean "labels"?`}},
	{"custom: embedded", widget, "{name: x}", "{nam: x}",
		[]string{`spec.inner.metadata.nam: unknown field "nam"; did you mean "name"?`}},
	{"custom: version off", widget, "example.net/v1", "example.net/v1alpha1",
		[]string{`apiVersion: the CustomResourceDefinition widgets.example.net doesn't serve v1alpha1 of Widget | Use example.net/v1.`}},
	{"custom: version old", widget, "example.net/v1", "example.net/v1beta1",
		[]string{`warning: apiVersion: example.net/v1beta1 Widget is deprecated | Use example.net/v1.`}},
	{"custom: kind", widget, "kind: Widget", "kind: Wigdet",
		[]string{`kind: no CustomResourceDefinition of the cluster defines the kind Wigdet of example.net; did you mean Widget?`}},

	// Definitions.
	{"definition: name", widgets, "name: widgets.example.net", "name: widget.example.net",
		[]string{`metadata.name: "widget.example.net" is invalid: must be spec.names.plural+"."+spec.group`}},
	{"definition: unreadable", widgets, "type: integer, minimum: 1", "type: integer, minimum: one",
		[]string{`spec.versions[name="v1"].schema.openAPIV3Schema.properties.spec.properties.size.minimum: must be a number, is the string "one"`}},
	{"definition: empty", widgets, "schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}", "schema: {}",
		[]string{`spec.versions`, `spec.versions`}},
	{"definition: breaks the API server", `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.net}
spec:
  group: example.net
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions: [{name: v1, served: true, storage: true, schema: {}, selectableFields: [{jsonPath: .spec.size}]}]`, "", "",
		[]string{`spec: the API server's validation breaks on it: `}},
	{"definition: rule", widgets, "self.size < 10", "self.weight < 10",
		[]string{`x-kubernetes-validations[0].rule: `}},
}

func TestDefects(t *testing.T) {
	for _, base := range []string{deployment, widgets, widgets + "\n---\n" + widget} {
		if found := judged(t, rendered(t, "1.36.1", base), Options{}); len(found) > 0 {
			t.Fatalf("the objects to break are broken: %q", found)
		}
	}
	for _, test := range defects {
		t.Run(test.name, func(t *testing.T) {
			text := test.base
			if test.old != "" {
				if text = strings.ReplaceAll(text, test.old, test.new); text == test.base {
					t.Fatalf("%q isn't there to be replaced", test.old)
				}
			}
			if strings.HasPrefix(test.name, "custom:") {
				text = widgets + "\n---\n" + text
			}
			found := judged(t, rendered(t, "1.36.1", text), Options{})
			if len(found) != len(test.want) {
				t.Fatalf("found\n%s\nwant\n%s", strings.Join(found, "\n"), strings.Join(test.want, "\n"))
			}
			for i := range found {
				if !strings.Contains(found[i], test.want[i]) {
					t.Errorf("found\n%s\nwant\n%s", found[i], test.want[i])
				}
			}
		})
	}
}

func TestAPIVersions(t *testing.T) {
	one := func(apiVersion, kind string) string {
		return fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata: {name: x, namespace: shop}", apiVersion, kind)
	}
	binding := func(apiVersion string) string {
		return "apiVersion: " + apiVersion + "\nkind: MutatingAdmissionPolicyBinding\nmetadata: {name: x}\nspec: {policyName: p}"
	}
	address := "apiVersion: networking.k8s.io/v1beta1\nkind: IPAddress\nmetadata: {name: 10.0.0.1}\nspec: {parentRef: {resource: services, name: x, namespace: shop}}"
	const declaration = `{"name": "test", "kops": {"cluster": {"spec": {"kubernetesVersion": %q, "kubeAPIServer": {"runtimeConfig": %s}}}}}`
	for _, test := range []struct {
		name, version, runtimeConfig, object, want string
	}{
		{"removed", "1.36.1", "", one("extensions/v1beta1", "Ingress"), `apiVersion: Kubernetes 1.36 doesn't serve extensions/v1beta1 Ingress: it was removed in 1.22 | Use networking.k8s.io/v1 Ingress.`},
		{"removed version", "1.36.1", "", one("networking.k8s.io/v1beta1", "Ingress"), `apiVersion: Kubernetes 1.36 doesn't serve networking.k8s.io/v1beta1 Ingress: it was removed in 1.22 | Use networking.k8s.io/v1.`},
		{"not yet", "1.35.4", "", binding("admissionregistration.k8s.io/v1"), `apiVersion: Kubernetes 1.35 doesn't serve admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding yet: it comes with 1.36 | Upgrade the cluster to 1.36 first.`},
		{"now", "1.36.1", "", binding("admissionregistration.k8s.io/v1"), ""},
		{"off", "1.35.4", "", binding("admissionregistration.k8s.io/v1beta1"), `apiVersion: Kubernetes 1.35 doesn't serve admissionregistration.k8s.io/v1beta1 MutatingAdmissionPolicyBinding unless it is told to | Turn it on in the cluster's kubeAPIServer.runtimeConfig.`},
		{"off, with an alternative", "1.36.1", "", binding("admissionregistration.k8s.io/v1beta1"), `apiVersion: Kubernetes 1.36 doesn't serve admissionregistration.k8s.io/v1beta1 MutatingAdmissionPolicyBinding unless it is told to | Use admissionregistration.k8s.io/v1, or turn it on in the cluster's kubeAPIServer.runtimeConfig.`},
		{"turned on", "1.34.8", `{"admissionregistration.k8s.io/v1beta1": "true"}`, binding("admissionregistration.k8s.io/v1beta1"), ""},
		{"all betas turned on", "1.34.8", `{"api/beta": "true"}`, binding("admissionregistration.k8s.io/v1beta1"), ""},
		{"turned off", "1.36.1", `{"admissionregistration.k8s.io/v1": "false"}`, binding("admissionregistration.k8s.io/v1"), `apiVersion: Kubernetes 1.36 doesn't serve admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding unless it is told to | Turn it on`},
		{"deprecated", "1.36.1", `{"api/beta": "true"}`, binding("admissionregistration.k8s.io/v1beta1"), `warning: apiVersion: admissionregistration.k8s.io/v1beta1 MutatingAdmissionPolicyBinding is deprecated from Kubernetes 1.37 on, and removed in 1.40 | Use admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding.`},
		{"removed next", "1.36.1", `{"api/beta": "true"}`, address, `warning: apiVersion: networking.k8s.io/v1beta1 IPAddress is removed in Kubernetes 1.37, the next release | Use networking.k8s.io/v1 IPAddress.`},
		{"deprecated before it is removed", "1.35.0", `{"api/beta": "true"}`, address, `warning: apiVersion: networking.k8s.io/v1beta1 IPAddress is deprecated from Kubernetes 1.34 on, and removed in 1.37 | Use networking.k8s.io/v1 IPAddress.`},
		{"misspelt kind", "1.36.1", "", one("apps/v1", "Deploymnt"), `apiVersion: Kubernetes 1.36 has no kind Deploymnt in apps/v1; did you mean Deployment? | Correct the kind, or the apiVersion.`},
		{"kind of another group", "1.36.1", "", one("v1", "Deployment"), `apiVersion: Kubernetes 1.36 has no kind Deployment in v1; there is one in apps/v1 | Set apiVersion to apps/v1.`},
		{"no such kind", "1.36.1", "", one("v1", "Zeppelin"), `apiVersion: Kubernetes 1.36 has no kind Zeppelin in v1 | Correct`},
		{"undefined", "1.36.1", "", one("cilium.io/v2", "CiliumNetworkPolicy"), `apiVersion: no CustomResourceDefinition of the cluster defines the kind CiliumNetworkPolicy of cilium.io | Declare the definition, or list it as provided in platform.yaml: "CustomResourceDefinition ciliumnetworkpolicies.cilium.io".`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.runtimeConfig == "" {
				test.runtimeConfig = "{}"
			}
			c := declared(t, fmt.Sprintf(declaration, test.version, test.runtimeConfig), test.object)
			found := strings.Join(judged(t, c, Options{}), "\n")
			if !strings.HasPrefix(found, test.want) || test.want == "" && found != "" || strings.Contains(found, "\n") {
				t.Errorf("found\n%s\nwant\n%s", found, test.want)
			}
		})
	}
}

func TestProvided(t *testing.T) {
	c := rendered(t, "1.36.1", "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: x, namespace: shop}\nspec: {}")
	for entry, known := range map[string]bool{
		"CustomResourceDefinition ciliumnetworkpolicies.cilium.io": true,
		"CustomResourceDefinition *.cilium.io":                     true,
		"CustomResourceDefinition *.istio.io":                      false,
		"Secret *.cilium.io":                                       false,
	} {
		if found := judged(t, c, Options{Provided: []string{entry}}); (len(found) == 0) != known {
			t.Errorf("with %q provided: %q", entry, found)
		}
	}
}

// A cluster of a version that nothing is known of gets one finding.
func TestUnknownVersion(t *testing.T) {
	for version, want := range map[string]string{
		"1.20.3": "warning: kops.cluster.spec.kubernetesVersion: the cluster's objects can't be checked: nothing is known of what Kubernetes 1.20 serves, only of 1.34, 1.35, 1.36, 1.37 | Add the release",
		"":       "kops.cluster.spec.kubernetesVersion: the cluster's objects can't be checked: its declaration names no version of Kubernetes | Set",
		"newest": "kops.cluster.spec.kubernetesVersion: the cluster's objects can't be checked: its declaration names no version of Kubernetes | Set",
	} {
		found := judged(t, rendered(t, version, deployment+"\n---\n"+widget), Options{})
		if len(found) != 1 || !strings.HasPrefix(found[0], want) {
			t.Errorf("version %q: found\n%s\nwant\n%s", version, strings.Join(found, "\n"), want)
		}
	}
}

// The rule doesn't change the objects, which other rules look at meanwhile.
func TestObjectsStayAsTheyAre(t *testing.T) {
	c := rendered(t, "1.36.1", widgets+"\n---\n"+widget+"\n---\n"+deployment)
	before, err := json.Marshal(c.Files)
	if err != nil {
		t.Fatal(err)
	}
	judged(t, c, Options{})
	after, err := json.Marshal(c.Files)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

// Paths of Kubernetes' validation become those that package plan makes.
func TestBelow(t *testing.T) {
	value := map[string]any{
		"data": map[string]any{"a.b": "", "a": map[string]any{"b": ""}, "c]": ""},
		"list": []any{map[string]any{"name": "x", "v": "1"}, map[string]any{"name": "y"}},
		"rows": []any{[]any{"1"}},
	}
	for from, want := range map[string]string{
		"":               "",
		"data[a.b]":      `data["a.b"]`,
		"data.a.b":       `data["a.b"]`,
		"data[a].b":      "data.a.b",
		"data[c]]":       `data["c]"]`,
		"data[new]":      "data.new",
		"data.new.field": "data.new.field",
		"list[0].v":      `list[name="x"].v`,
		"list[1].new":    `list[name="y"].new`,
		"list[7].v":      "list",
		"rows[0][0]":     "rows[0][0]",
	} {
		if got := (*path)(nil).below(value, from).String(); got != want {
			t.Errorf("%q: got %q, want %q", from, got, want)
		}
	}
}

func TestSchedules(t *testing.T) {
	for schedule, good := range map[string]bool{
		"0 3 * * *": true, "*/15 * * * *": true, "15,45 2-6/2 1 jan-mar mon": true, "0 0 ? * SUN": true,
		"@daily": true, "@every 90m": true,
		"": false, "0 3 * *": false, "0 3 * * * *": false, "60 * * * *": false, "* 24 * * *": false, "0 0 0 * *": false,
		"0 0 * 13 *": false, "0 0 * * 7": false, "5-1 * * * *": false, "*/0 * * * *": false, "a * * * *": false,
		"@fortnightly": false, "@every soon": false, "TZ=UTC 0 3 * * *": false, "0 3 * * funday": false,
	} {
		if err := parseSchedule(schedule); (err == nil) != good {
			t.Errorf("%q: %v", schedule, err)
		}
	}
}

// Every judge is of a definition that some release has.
func TestJudgesHaveDefinitions(t *testing.T) {
	c, _, err := newCluster(rendered(t, "1.36.1", ""), newCompiler())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(judges)) {
		if c.served.Definitions[name] == nil {
			t.Errorf("there is no definition %s", name)
		}
	}
}

// Whatever people do to an object, the rule has an opinion of it.
func FuzzJudge(f *testing.F) {
	objects := append(specimens(f), object(f, deployment), object(f, widgets), object(f, widget))
	for i := range objects {
		f.Add(uint(i), uint64(1), uint8(3))
	}
	c, _, err := newCluster(rendered(f, "1.36.1", widgets), newCompiler())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, which uint, seed uint64, times uint8) {
		o := objects[which%uint(len(objects))]
		o.Unstructured = o.DeepCopy()
		random := rand.New(rand.NewPCG(seed, 0))
		for range times {
			mutate(random, o.Object)
		}
		begin := func(path string) check.Finding { return check.OnObject("test", render.File{}, o, path) }
		for _, f := range c.judge(t.Context(), begin, o, nil) {
			if f.Message == "" || f.Fix == "" {
				t.Errorf("a finding that says nothing: %+v", f)
			}
		}
	})
}

func FuzzSchedule(f *testing.F) {
	for _, schedule := range []string{"0 3 * * *", "15,45 2-6/2 1 jan-mar mon", "@every 90m", "*/ * * * *", "- - - - -"} {
		f.Add(schedule)
	}
	f.Fuzz(func(_ *testing.T, schedule string) { _ = parseSchedule(schedule) })
}
