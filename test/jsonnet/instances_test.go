package jsonnet

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"platform/internal/render"
	"platform/test/apiserver"
)

const instances = "test/jsonnet/testdata/instances.jsonnet"

// instancesOf gives the objects of the two instances of each stack.
func instancesOf(t *testing.T) map[string]map[string][]render.Object {
	t.Helper()
	all, err := render.Objects(render.Options{Root: root}, instances)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string][]render.Object{}
	for _, o := range all {
		parts := strings.SplitN(o.Key, ".", 3)
		if out[parts[0]] == nil {
			out[parts[0]] = map[string][]render.Object{}
		}
		out[parts[0]][parts[1]] = append(out[parts[0]][parts[1]], o)
	}
	return out
}

// once are stacks of which a cluster can only have one: what they declare has
// no namespace, and names by which others know it.
var once = []string{"base"}

func TestInstancesCoverAllStacks(t *testing.T) {
	found := instancesOf(t)
	dirs, err := filepath.Glob(filepath.Join(root, "addons", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		stack := filepath.Base(dir)
		if _, err := os.Stat(filepath.Join(dir, stack+".libsonnet")); err != nil {
			continue
		}
		if found[stack] == nil && !slices.Contains(once, stack) {
			t.Errorf("%s doesn't have the stack %s", instances, stack)
		}
	}
}

// Two instances of a stack in one namespace have no object in common, and no
// selector of one finds a pod of the other.
func TestInstancesDontClash(t *testing.T) {
	for stack, two := range instancesOf(t) {
		t.Run(stack, func(t *testing.T) {
			first, second := two["first"], two["second"]
			if len(first) == 0 || len(second) == 0 {
				t.Fatal("want a first and a second instance")
			}
			for _, o := range second {
				if find(first, o.GetKind(), o.GetNamespace(), o.GetName()) != nil {
					t.Errorf("both instances have %s", describe(o))
				}
			}
			checkSelectors(t, first, second)
			checkSelectors(t, second, first)
		})
	}
}

// checkSelectors looks for selectors of one instance that find pods of the other.
func checkSelectors(t *testing.T, one, other []render.Object) {
	t.Helper()
	for _, o := range one {
		for _, path := range [][]string{
			{"spec", "selector"}, {"spec", "selector", "matchLabels"}, {"spec", "podSelector", "matchLabels"},
		} {
			selector, _, err := unstructured.NestedStringMap(o.Object, path...)
			if err != nil || len(selector) == 0 {
				continue
			}
			for _, workload := range other {
				template, ok := podTemplate(t, workload)
				if ok && workload.GetNamespace() == o.GetNamespace() && matches(selector, template.Labels) {
					t.Errorf("%s selects pods of the other instance's %s", describe(o), describe(workload))
				}
			}
		}
	}
}

func TestAPIServerTakesTwoInstances(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a real API server")
	}
	process, err := apiserver.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Stop)
	s := connect(t, process.Config)
	var all []render.Object
	for stack, two := range instancesOf(t) {
		all = append(all, snippet(t, `(import 'lib/kube.libsonnet').Namespace('`+stack+`')`)...)
		all = append(all, two["first"]...)
		all = append(all, two["second"]...)
	}
	// Priority classes are the cluster's.
	all = append(all, slices.DeleteFunc(objects(t, "dev"), func(o render.Object) bool { return o.GetKind() != "PriorityClass" })...)
	s.applyAll(order(all))
}
