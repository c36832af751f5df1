package addons

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

func entry(manager string, operation metav1.ManagedFieldsOperationType, fields *fieldpath.Set) owner {
	return owner{ManagedFieldsEntry: metav1.ManagedFieldsEntry{Manager: manager, Operation: operation}, fields: fields}
}

func TestOrphans(t *testing.T) {
	by := owners{
		entry(clientSideApply, metav1.ManagedFieldsOperationUpdate, records(t, `
f:metadata: {f:labels: {".": {}, f:app: {}, f:old: {}, f:theirs: {}}, f:annotations: {".": {}, f:gone: {}}}
f:spec:
  f:containers:
    'k:{"name":"kept"}': {".": {}, f:name: {}, f:image: {}, f:tty: {}}
    'k:{"name":"gone"}': {".": {}, f:name: {}, f:image: {}}
`)),
		entry("other", metav1.ManagedFieldsOperationApply, records(t, `{f:metadata: {f:labels: {f:theirs: {}}}}`)),
	}
	declared := records(t, `
f:metadata: {f:labels: {f:app: {}}}
f:spec: {f:containers: {'k:{"name":"kept"}': {".": {}, f:name: {}, f:image: {}}}}
`)
	object := value(t, `
metadata: {labels: {app: a, old: a, theirs: a}, annotations: {gone: a}}
spec: {containers: [{name: kept, image: a, tty: true}, {name: gone, image: a}], replicas: 1}
`)
	got := remove(object, orphans(by, declared))
	want := value(t, `
metadata: {labels: {app: a, theirs: a}}
spec: {containers: [{name: kept, image: a}], replicas: 1}
`)
	if !equal(got, want) {
		t.Errorf("got %s, want %s", text(got), text(want))
	}
}

func TestHandoverWithNothingToDo(t *testing.T) {
	u := live(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}", "{f:data: {f:k: {}}}")
	patch, err := handover(u, true)
	if err != nil || patch != nil {
		t.Errorf("patch %s, error %v; want neither", patch, err)
	}
}
