package addons

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	sigsyaml "sigs.k8s.io/yaml"

	"platform/internal/plan"
)

func records(t testing.TB, owned string) *fieldpath.Set {
	t.Helper()
	raw, err := sigsyaml.YAMLToJSON([]byte(owned))
	if err != nil {
		t.Fatal(err)
	}
	set := &fieldpath.Set{}
	if err := set.FromJSON(strings.NewReader(string(raw))); err != nil {
		t.Fatal(err)
	}
	return set
}

func value(t testing.TB, text string) map[string]any {
	t.Helper()
	raw, err := sigsyaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := kubejson.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDiff(t *testing.T) {
	const keyed = `{f:spec: {f:ports: {'k:{"port":80,"protocol":"TCP"}': {".": {}, f:name: {}}}, f:finalizers: {'v:"a"': {}}}}`
	for _, c := range []struct {
		name, from, to, want string
	}{
		{"nothing", "{a: 1}", "{a: 1.0}", ""},
		{"a field", "{spec: {a: 1}}", "{spec: {a: 2}}", "spec.a: 1 -> 2\n"},
		{"a field comes", "{}", "{spec: {a: {b: 1, c: 2}}}", "spec.a.b: null -> 1\nspec.a.c: null -> 2\n"},
		{"an empty field comes", "{}", "{spec: {a: {}}}", "spec.a: null -> {}\n"},
		{"a label's path", "{}", "{metadata: {labels: {app.kubernetes.io/name: a}}}", `metadata.labels["app.kubernetes.io/name"]: null -> "a"` + "\n"},
		{"what the server keeps", "{metadata: {uid: a, resourceVersion: '1', generation: 1, managedFields: []}, status: {a: 1}}", "{metadata: {uid: b}}", ""},
		{"an item by its keys", "{spec: {ports: [{port: 80, protocol: TCP, name: a}, {port: 80, protocol: UDP, name: b}]}}", "{spec: {ports: [{port: 80, protocol: UDP, name: c}, {port: 80, protocol: TCP, name: a}]}}",
			`spec.ports[port=80,protocol="UDP"].name: "b" -> "c"` + "\n"},
		{"an item goes", "{spec: {ports: [{port: 80, protocol: TCP}, {port: 81, protocol: TCP}]}}", "{spec: {ports: [{port: 81, protocol: TCP}]}}",
			`spec.ports[port=80,protocol="TCP"].port: 80 -> null` + "\n" + `spec.ports[port=80,protocol="TCP"].protocol: "TCP" -> null` + "\n"},
		{"only the order", "{spec: {env: [{name: a}, {name: b}]}}", "{spec: {env: [{name: b}, {name: a}]}}",
			`spec.env: ["name=\"a\"","name=\"b\""] -> ["name=\"b\"","name=\"a\""]` + "\n"},
		{"a set", "{spec: {finalizers: [a, b]}}", "{spec: {finalizers: [b, c]}}", `spec.finalizers["a"]: "a" -> null` + "\n" + `spec.finalizers["c"]: null -> "c"` + "\n"},
		{"names without a record", "{spec: {containers: [{name: a, image: '1'}]}}", "{spec: {containers: [{name: a, image: '2'}]}}", `spec.containers[name="a"].image: "1" -> "2"` + "\n"},
		{"by position", "{rules: [a, b, c]}", "{rules: [a, x, c]}", `rules[1]: "b" -> "x"` + "\n"},
		{"put in", "{rules: [a, c]}", "{rules: [a, b, c]}", `rules[1]: null -> "b"` + "\n"},
		{"taken out", "{rules: [{v: [a]}, {v: [b]}, {v: [c]}]}", "{rules: [{v: [a]}, {v: [c]}]}", `rules[1]: {"v":["b"]} -> null` + "\n"},
		{"another length and content", "{args: [a, b, c]}", "{args: [u, v]}", `args: ["a","b","c"] -> ["u","v"]` + "\n"},
		{"another type", "{a: [1]}", "{a: {b: 1}}", `a: [1] -> {"b":1}` + "\n"},
	} {
		fields := diffObjects(&unstructured.Unstructured{Object: value(t, c.from)}, &unstructured.Unstructured{Object: value(t, c.to)}, records(t, keyed))
		var b strings.Builder
		for _, f := range fields {
			b.WriteString(f.Path + ": " + text(f.From) + " -> " + text(f.To) + "\n")
		}
		if b.String() != c.want {
			t.Errorf("%s: got\n%swant\n%s", c.name, b.String(), c.want)
		}
	}
}

// Whatever the values and the record of owners: equal values have no diff,
// different ones do, the other way round it is the same with from and to
// exchanged, and no two fields have the same path.
func FuzzDiff(f *testing.F) {
	for _, seed := range [][3]string{
		{`{"a":1}`, `{"a":2}`, `{"f:a":{}}`},
		{`{"spec":{"ports":[{"port":80,"protocol":"TCP"},{"port":81}]}}`, `{"spec":{"ports":[{"port":81},{"port":80,"protocol":"UDP"}]}}`, `{"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{}}}}}`},
		{`{"s":["a","b"]}`, `{"s":["b","a","a"]}`, `{"f:s":{"v:\"a\"":{}}}`},
		{`{"a":{"b":null}}`, `{"a":{}}`, `{}`},
		{`{"a":[{"name":"x"},{"name":"x"}]}`, `{"a":[{"name":"x"}]}`, `{}`},
		{`{"a":[1,[2,{"b":[]}]]}`, `{"a":[1,[2,{"b":{}}]]}`, `{"f:a":{"i:0":{}}}`},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, from, to, owned string) {
		var a, b map[string]any
		if kubejson.Unmarshal([]byte(from), &a) != nil || kubejson.Unmarshal([]byte(to), &b) != nil {
			t.Skip()
		}
		set := &fieldpath.Set{}
		if set.FromJSON(strings.NewReader(owned)) != nil {
			t.Skip()
		}
		run := func(a, b map[string]any) []plan.Field {
			var d differ
			d.values("", a, b, set)
			return d.out
		}
		if fields := run(a, a); len(fields) > 0 {
			t.Errorf("%s differs from itself: %v", from, fields)
		}
		fields, back := run(a, b), run(b, a)
		if same := equal(a, b) || len(a)+len(b) == 0; same != (len(fields) == 0) {
			t.Errorf("%s and %s: equal %v, but the diff is %v", from, to, same, fields)
		}
		if len(fields) != len(back) {
			t.Errorf("%s and %s: %d fields one way, %d the other", from, to, len(fields), len(back))
		}
		for _, field := range fields {
			if _, err := json.Marshal(field); err != nil {
				t.Errorf("%s can't be written: %v", field.Path, err)
			}
		}
		narrowed(a, b, set)
		remove(b, set)
	})
}

func TestNarrowed(t *testing.T) {
	there := value(t, "{spec: {selector: {app: a, more: b}, type: x, replicas: 1, list: [{a: 1, b: 2}]}}")
	declared := value(t, "{spec: {selector: {app: b}, replicas: 2, list: [{a: 3}], new: 1}}")
	got := narrowed(there, declared, records(t, "{f:spec: {f:selector: {}, f:replicas: {}}}"))
	want := value(t, "{spec: {selector: {app: a, more: b}, replicas: 1, list: [{a: 1}]}}")
	if !equal(got, want) {
		t.Errorf("got %s, want %s", text(got), text(want))
	}
}
