package addons

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	sigsyaml "sigs.k8s.io/yaml"
)

// live is an object with our record of owned fields, given in the form that
// the API server writes.
func live(t testing.TB, object, owned string) *unstructured.Unstructured {
	t.Helper()
	u := parse(t, object)[0]
	raw, err := sigsyaml.YAMLToJSON([]byte(owned))
	if err != nil {
		t.Fatal(err)
	}
	u.SetManagedFields([]metav1.ManagedFieldsEntry{{
		Manager: Manager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: u.GetAPIVersion(), FieldsType: "FieldsV1",
		FieldsV1: metav1.NewFieldsV1(string(raw)),
	}})
	return u
}

func isSettled(t testing.TB, declared, live *unstructured.Unstructured) bool {
	t.Helper()
	by, err := ownersOf(live)
	if err != nil {
		t.Fatal(err)
	}
	return settled(declared, live, by)
}

// A service as the server stores it, with what it defaulted and what we own.
const (
	service = `
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop, uid: x, labels: {app: a}}
spec:
  type: ClusterIP
  clusterIP: 10.0.0.1
  selector: {app: a}
  ports:
    - {name: dns, port: 53, protocol: UDP, targetPort: 53}
    - {name: other, port: 99, protocol: TCP, targetPort: 99}
    - {name: dns-tcp, port: 53, protocol: TCP, targetPort: 53}
`
	serviceOwned = `
f:metadata: {f:labels: {f:app: {}}}
f:spec:
  f:selector: {}
  f:ports:
    'k:{"port":53,"protocol":"UDP"}': {".": {}, f:name: {}, f:port: {}, f:protocol: {}}
    'k:{"port":53,"protocol":"TCP"}': {".": {}, f:name: {}, f:port: {}}
`
)

func TestSettled(t *testing.T) {
	for _, c := range []struct {
		name     string
		declared string
		want     bool
	}{
		{"as declared, with defaults and others' items", `
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop, labels: {app: a}}
spec: {selector: {app: a}, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53}]}`, true},
		{"a value differs", `
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop, labels: {app: b}}
spec: {selector: {app: a}, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53}]}`, false},
		{"a value of what is owned as a whole differs", `
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop, labels: {app: a}}
spec: {selector: {app: b}, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53}]}`, false},
		{"a field is new, though its value is what is there", `
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop, labels: {app: a}}
spec: {type: ClusterIP, selector: {app: a}, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53}]}`, false},
		{"a field is no longer declared", `
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop}
spec: {selector: {app: a}, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53}]}`, false},
		{"an item is no longer declared", `
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop, labels: {app: a}}
spec: {selector: {app: a}, ports: [{name: dns, port: 53, protocol: UDP}]}`, false},
		{"the items are in another order", `
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop, labels: {app: a}}
spec: {selector: {app: a}, ports: [{name: dns-tcp, port: 53}, {name: dns, port: 53, protocol: UDP}]}`, false},
		{"another version is declared", `
apiVersion: v2
kind: Service
metadata: {name: a, namespace: shop, labels: {app: a}}
spec: {selector: {app: a}, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53}]}`, false},
		{"an item declared twice", `
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop, labels: {app: a}}
spec: {selector: {app: a}, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns, port: 53, protocol: UDP}]}`, false},
	} {
		if got := isSettled(t, parse(t, c.declared)[0], live(t, service, serviceOwned)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSettledDependsOnTheOwners(t *testing.T) {
	declared := parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}")[0]
	there := func() *unstructured.Unstructured {
		return live(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}", "{f:data: {f:k: {}}}")
	}
	if !isSettled(t, declared, there()) {
		t.Fatal("want settled to begin with")
	}
	for name, change := range map[string]func(u *unstructured.Unstructured, ours *metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry{
		"another manager's apply": func(_ *unstructured.Unstructured, ours *metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
			ours.Manager = "other"
			return []metav1.ManagedFieldsEntry{*ours}
		},
		"our name in an update": func(_ *unstructured.Unstructured, ours *metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
			ours.Operation = metav1.ManagedFieldsOperationUpdate
			return []metav1.ManagedFieldsEntry{*ours}
		},
		"another version": func(_ *unstructured.Unstructured, ours *metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
			ours.APIVersion = "v2"
			return []metav1.ManagedFieldsEntry{*ours}
		},
		"two entries of ours": func(_ *unstructured.Unstructured, ours *metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
			return []metav1.ManagedFieldsEntry{*ours, *ours}
		},
		"client-side apply next to us": func(_ *unstructured.Unstructured, ours *metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
			other := *ours
			other.Manager, other.Operation = clientSideApply, metav1.ManagedFieldsOperationUpdate
			return []metav1.ManagedFieldsEntry{*ours, other}
		},
		"being deleted": func(u *unstructured.Unstructured, ours *metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
			now := metav1.Now()
			u.SetDeletionTimestamp(&now)
			return []metav1.ManagedFieldsEntry{*ours}
		},
	} {
		u := there()
		entries := u.GetManagedFields()
		u.SetManagedFields(change(u, &entries[0]))
		if isSettled(t, declared, u) {
			t.Errorf("%s: settled", name)
		}
	}
}

func TestDefaultsInsideOfWholeValues(t *testing.T) {
	const owned = `{f:spec: {f:containers: {'k:{"name":"c"}': {".": {}, f:name: {}, f:env: {'k:{"name":"e"}': {".": {}, f:name: {}, f:valueFrom: {f:fieldRef: {}}}}}}}}`
	const declared = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, env: [{name: e, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}]}}"
	for there, want := range map[string]bool{
		"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, env: [{name: e, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name}}}]}]}}":          true,
		"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, env: [{name: e, valueFrom: {fieldRef: {apiVersion: v2, fieldPath: metadata.name}}}]}]}}":          false,
		"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, env: [{name: e, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name, more: 1}}}]}]}}": false,
		"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, env: [{name: e, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}}]}]}}":     false,
	} {
		if got := isSettled(t, parse(t, declared)[0], live(t, there, owned)); got != want {
			t.Errorf("%s: %v, want %v", there, got, want)
		}
	}
	// The same default elsewhere is a field like any other.
	custom := parse(t, "{apiVersion: example.net/v1, kind: X, metadata: {name: a}, fieldRef: {fieldPath: a}}")[0]
	if isSettled(t, custom, live(t, "{apiVersion: example.net/v1, kind: X, metadata: {name: a}, fieldRef: {apiVersion: v1, fieldPath: a}}", "{f:fieldRef: {}}")) {
		t.Error("a custom resource's field was taken for a default")
	}
}

func TestQuantities(t *testing.T) {
	const owned = `{f:spec: {f:containers: {'k:{"name":"c"}': {".": {}, f:name: {}, f:resources: {f:limits: {f:cpu: {}, f:memory: {}}}}}}}`
	there := live(t, "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, resources: {limits: {cpu: '1', memory: 512Mi}}}]}}", owned)
	for declared, want := range map[string]bool{
		"{cpu: 1, memory: 512Mi}":      true,
		"{cpu: 1000m, memory: 0.5Gi}":  true,
		"{cpu: 1001m, memory: 512Mi}":  false,
		"{cpu: 1, memory: 512M}":       false,
		"{cpu: one, memory: 512Mi}":    false,
		"{cpu: '', memory: 512Mi}":     false,
		"{cpu: [1], memory: 512Mi}":    false,
		"{cpu: {a: 1}, memory: 512Mi}": false,
	} {
		pod := parse(t, "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, resources: {limits: "+declared+"}}]}}")[0]
		if got := isSettled(t, pod, there); got != want {
			t.Errorf("%s: %v, want %v", declared, got, want)
		}
	}
	// In a ConfigMap it is just text.
	config := parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {limits: 1000m}}")[0]
	if isSettled(t, config, live(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {limits: '1'}}", "{f:data: {f:limits: {}}}")) {
		t.Error("1000m and 1 are different texts")
	}
}

func TestScalars(t *testing.T) {
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{int64(1), 1.0, true}, {1.0, int64(1), true}, {1.5, int64(1), false}, {int64(1), int64(2), false},
		{"1", int64(1), false}, {int64(1), "1", false}, {true, true, true}, {true, "true", false}, {"", "", true},
		{nil, nil, false}, {nil, "", false}, {[]any{}, []any{}, false},
	} {
		if got := sameScalar(c.a, c.b); got != c.want {
			t.Errorf("sameScalar(%#v, %#v) = %v", c.a, c.b, got)
		}
	}
}

// Whatever the values and the record: what is settled is there.
func FuzzSettled(f *testing.F) {
	f.Add(`{"a":1}`, `{"a":1}`, `{"f:a":{}}`)
	f.Add(`{"p":[{"port":80}]}`, `{"p":[{"port":80,"protocol":"TCP"}]}`, `{"f:p":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}}`)
	f.Add(`{"p":["a","b"]}`, `{"p":["a","c","b"]}`, `{"f:p":{"v:\"a\"":{},"v:\"b\"":{}}}`)
	f.Add(`{"metadata":{"name":"a"}}`, `{}`, `{}`)
	f.Fuzz(func(t *testing.T, declared, there, owned string) {
		var d, l map[string]any
		if kubejson.Unmarshal([]byte(declared), &d) != nil || kubejson.Unmarshal([]byte(there), &l) != nil {
			t.Skip()
		}
		set := &fieldpath.Set{}
		if set.FromJSON(strings.NewReader(owned)) != nil {
			t.Skip()
		}
		if (comparison{}).fields(nil, d, l, set) && !within(nil, d, l) {
			t.Errorf("%s is settled in %s by %s", declared, there, owned)
		}
	})
}

// within is a simpler and weaker comparison: every declared value is there.
func within(path []string, declared, live any) bool {
	switch d := declared.(type) {
	case nil:
		return true
	case map[string]any:
		l, _ := live.(map[string]any)
		for name, value := range d {
			if !unowned(path, name, value) && !within(append(path, name), value, l[name]) {
				return false
			}
		}
		return true
	case []any:
		l, _ := live.([]any)
		for _, item := range d {
			if !slices.ContainsFunc(l, func(other any) bool { return within(path, item, other) }) {
				return false
			}
		}
		return true
	}
	return sameScalar(declared, live)
}
