package addons

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestRunning(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	s := w.connect()
	for _, text := range []string{
		"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: NS}\n",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: NS}\nspec: {initContainers: [{name: i, image: 'NS/init:1'}], containers: [{name: a, image: 'NS/a:1'}, {name: b, image: 'NS/b:2'}]}\n",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: NS}\nspec: {containers: [{name: a, image: 'NS/a:1'}]}\n",
	} {
		u := w.parse(text)[0]
		k, _ := s.kinds.of(u.GroupVersionKind())
		if _, err := s.resource(k, w.ns).Create(t.Context(), u, metav1.CreateOptions{}); err != nil && !strings.Contains(err.Error(), "already exists") {
			t.Fatal(err)
		}
	}
	running, err := w.layer(nil).Running(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ours := slices.DeleteFunc(running.Images, func(image string) bool { return !strings.HasPrefix(image, w.ns+"/") })
	if want := []string{w.ns + "/a:1", w.ns + "/b:2", w.ns + "/init:1"}; !slices.Equal(ours, want) {
		t.Errorf("images %v, want %v", ours, want)
	}
	if !strings.HasPrefix(running.Kubernetes, "1.") {
		t.Errorf("Kubernetes %q", running.Kubernetes)
	}
}
