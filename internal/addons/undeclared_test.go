package addons

import (
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestUndeclared(t *testing.T) {
	w := newWorld(t)
	// They make and write objects, too.
	if err := w.server.StartControllers(); err != nil {
		t.Fatal(err)
	}
	fs, objects := w.tree("shop")
	w.applyAll(objects)
	s := w.connect()
	create := func(text string) *unstructured.Unstructured {
		t.Helper()
		u := w.parse(text)[0]
		k, ok := s.kinds.of(u.GroupVersionKind())
		if !ok {
			t.Fatalf("%s isn't served", u.GroupVersionKind())
		}
		made, err := s.resource(k, u.GetNamespace()).Create(t.Context(), u, metav1.CreateOptions{FieldManager: "kubectl-create"})
		// Of claims, the controllers may be faster.
		if err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
		return made
	}
	undeclared := func() []string {
		t.Helper()
		expected := func(kind, namespace, name string) bool {
			return kind == "Secret" && namespace == w.ns && name == "made-by-a-job"
		}
		found, err := w.layer(fs).Undeclared(t.Context(), expected)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, u := range found {
			if u.Created.IsZero() {
				t.Errorf("%s has no time", u.Resource)
			}
			out = append(out, u.Resource+" by "+u.Manager)
		}
		return out
	}
	if got := undeclared(); len(got) > 0 {
		t.Errorf("right after applying: %v", got)
	}

	owner := create("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: by-hand, namespace: NS}\ndata: {a: b}\n")
	create("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: experiment, namespace: NS}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: 'a:1'}]}}}\n")
	create("apiVersion: v1\nkind: Secret\nmetadata: {name: made-by-a-job, namespace: NS}\n")
	create("apiVersion: v1\nkind: Secret\nmetadata: {name: web-tls, namespace: NS, annotations: {cert-manager.io/certificate-name: web}}\n")
	create("apiVersion: v1\nkind: Namespace\nmetadata: {name: NS-other}\n")
	create("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: elsewhere, namespace: NS-other}\n")
	create("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owned, namespace: NS, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: by-hand, uid: " + string(owner.GetUID()) + "}]}\n")
	claim := "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: NAME, namespace: NS}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
	for _, o := range objects {
		if o.Kind == "StatefulSet" {
			templates, _, _ := unstructured.NestedSlice(o.body.Object, "spec", "volumeClaimTemplates")
			name := templates[0].(map[string]any)["metadata"].(map[string]any)["name"].(string) + "-" + o.Name
			create(strings.ReplaceAll(claim, "NAME", name+"-0"))
			create(strings.ReplaceAll(claim, "NAME", name+"-old"))
			want := []string{
				"ConfigMap " + w.ns + "/by-hand by kubectl-create",
				"Deployment " + w.ns + "/experiment by kubectl-create",
				"PersistentVolumeClaim " + w.ns + "/" + name + "-old by kubectl-create",
			}
			if got := undeclared(); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			return
		}
	}
	t.Fatal("the tree has no StatefulSet")
}
