package addons

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// prepared makes objects of one file ready.
func prepared(t testing.TB, text string) []*object {
	t.Helper()
	fs := files("shop", parse(t, text))
	set := newApplySet(setKey{"repository", "dev", "shop"})
	objects, err := prepare(fs, []*applySet{set})
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func TestWhatOperatorsHoldIsNotApplied(t *testing.T) {
	objects := prepared(t, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: shop, creationTimestamp: null, uid: x, resourceVersion: "3"}
spec:
  replicas: 3
  paused: true
  template:
    metadata: {labels: {app: a}, annotations: {kubectl.kubernetes.io/restartedAt: "2026-01-01"}}
status: {replicas: 3}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: b, namespace: shop}
spec: {replicas: 3, template: {metadata: {annotations: {kubectl.kubernetes.io/restartedAt: "2026-01-01", keep: "1"}}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: a, namespace: shop}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: b, namespace: elsewhere}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: b}}
`)
	id := objects[0].set.id
	want := map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": "a", "namespace": "shop", "labels": map[string]any{labelMember: id}},
		"spec":     map[string]any{"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"app": "a"}}}},
	}
	if !equal(objects[0].body.Object, want) {
		t.Errorf("got\n%s\nwant\n%s", text(objects[0].body.Object), text(want))
	}
	if !objects[0].scaled || objects[1].scaled {
		t.Errorf("scaled are %v, %v; want only the first: the other autoscaler is in another namespace", objects[0].scaled, objects[1].scaled)
	}
	want = map[string]any{"replicas": int64(3), "template": map[string]any{"metadata": map[string]any{"annotations": map[string]any{"keep": "1"}}}}
	if got := objects[1].body.Object["spec"]; !equal(got, want) {
		t.Errorf("got %s, want %s", text(got), text(want))
	}
}

func TestStringDataBecomesData(t *testing.T) {
	o := prepared(t, `
apiVersion: v1
kind: Secret
metadata: {name: a, namespace: shop}
data: {user: c2hvcA==, both: b2xk}
stringData: {password: "correct horse", both: new}
`)[0]
	want := map[string]any{"user": "c2hvcA==", "password": "Y29ycmVjdCBob3JzZQ==", "both": "bmV3"}
	if got := o.body.Object["data"]; !equal(got, want) {
		t.Errorf("data %s, want %s", text(got), text(want))
	}
	if _, still := o.body.Object["stringData"]; still {
		t.Error("stringData is still there")
	}
}

func TestPrepareLeavesTheFilesAlone(t *testing.T) {
	given := parse(t, "{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: shop}, stringData: {a: b}}")
	before := given[0].DeepCopy()
	if _, err := prepare(files("shop", given), []*applySet{newApplySet(setKey{})}); err != nil {
		t.Fatal(err)
	}
	if !equal(before.Object, given[0].Object) {
		t.Error("the rendered object was changed")
	}
}

func TestPrepareRefuses(t *testing.T) {
	config := func(change func(u *unstructured.Unstructured)) File {
		u := parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}}")[0]
		change(u)
		return files("shop", []*unstructured.Unstructured{u})[0]
	}
	same := config(func(*unstructured.Unstructured) {})
	other := same
	other.Source = "clusters/test/till.jsonnet"
	for want, fs := range map[string][]File{
		"ConfigMap shop/a is declared twice, in clusters/test/shop.jsonnet and in clusters/test/till.jsonnet": {same, other},
		"ours to set":      {config(func(u *unstructured.Unstructured) { u.SetLabels(map[string]string{labelMember: "x"}) })},
		"no metadata.name": {config(func(u *unstructured.Unstructured) { u.SetName("") })},
	} {
		_, err := prepare(fs, []*applySet{newApplySet(setKey{File: "a"}), newApplySet(setKey{File: "b"})})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
