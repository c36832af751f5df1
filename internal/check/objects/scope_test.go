package objects

import (
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
)

// client-go's methods take a namespace where objects are in one: Pods(namespace)
// but Nodes().
func TestScopesAreThoseOfTheAPI(t *testing.T) {
	seen := map[schema.GroupKind]bool{}
	for clients := range results(reflect.TypeFor[kubernetes.Interface]()) {
		for j := range clients.NumMethod() {
			method := clients.Method(j)
			if method.Type.NumOut() != 1 || method.Type.Out(0).Kind() != reflect.Interface {
				continue
			}
			create, ok := method.Type.Out(0).MethodByName("Create")
			if !ok || create.Type.NumIn() < 2 || create.Type.In(1).Kind() != reflect.Pointer {
				continue
			}
			object, ok := reflect.New(create.Type.In(1).Elem()).Interface().(runtime.Object)
			if !ok {
				continue
			}
			kinds, _, err := scheme.Scheme.ObjectKinds(object)
			if err != nil {
				t.Fatal(err)
			}
			for _, kind := range kinds {
				seen[kind.GroupKind()] = true
				want := method.Type.NumIn() == 1
				got, known := scopes{}.namespaced(kind.GroupKind())
				if got != want || !known {
					t.Errorf("%s: namespaced is %t, want %t", kind, got, want)
				}
			}
		}
	}
	if len(seen) < 50 {
		t.Errorf("found %d kinds only", len(seen))
	}
	for group, kinds := range clusterScoped {
		for _, kind := range kinds {
			// These have clients of their own.
			if group != "apiextensions.k8s.io" && group != "apiregistration.k8s.io" && !seen[schema.GroupKind{Group: group, Kind: kind}] {
				t.Errorf("%s.%s isn't a kind of client-go's", kind, group)
			}
		}
	}
}

// results are the interfaces that the methods of a type give.
func results(of reflect.Type) func(yield func(reflect.Type) bool) {
	return func(yield func(reflect.Type) bool) {
		for i := range of.NumMethod() {
			method := of.Method(i).Type
			if method.NumOut() == 1 && method.Out(0).Kind() == reflect.Interface && !yield(method.Out(0)) {
				return
			}
		}
	}
}
