package addons

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
)

// The ids are those that kubectl's own tests expect for these parents.
func TestSetIDIsTheSpecifications(t *testing.T) {
	for _, c := range []struct {
		parent ref
		want   string
	}{
		{ref{schema.GroupKind{Kind: "Secret"}, "test", "my-set"}, "applyset-0eFHV8ySqp7XoShsGvyWFQD3s96yqwHmzc4e0HR1dsY-v1"},
		{ref{schema.GroupKind{Group: "company.com", Kind: "ApplySet"}, "", "my-set"}, "applyset-rhp1a-HVAVT_dFgyEygyA1BEB82HPp2o10UiFTpqtAs-v1"},
	} {
		if got := setID(c.parent); got != c.want {
			t.Errorf("%s: %s, want %s", c.parent, got, c.want)
		}
	}
}

func TestSetNames(t *testing.T) {
	base := setKey{"example.net/platform", "dev", "nginx-ingress"}
	seen := map[string]setKey{}
	for _, key := range []setKey{
		base,
		{"example.net/other", "dev", "nginx-ingress"},
		{"example.net/platform", "int", "nginx-ingress"},
		{"example.net/platform", "dev", "nginx_ingress"},
		{"example.net/platform", "dev", "Nginx.Ingress"},
		{"example.net/platform", "dev", strings.Repeat("long", 40)},
	} {
		name := key.name()
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			t.Errorf("%v: name %q: %v", key, name, problems)
		}
		if other, twice := seen[name]; twice {
			t.Errorf("%v and %v are both called %s", key, other, name)
		}
		seen[name] = key
	}
	if name := base.name(); !strings.HasPrefix(name, "applyset-nginx-ingress-") {
		t.Errorf("%s doesn't say which file's it is", name)
	}
}

func TestParentSurvivesWritingAndReading(t *testing.T) {
	set := newApplySet(setKey{"repository", "dev", "shop"})
	where := newScope()
	for _, r := range []ref{
		{schema.GroupKind{Group: "apps", Kind: "Deployment"}, "shop", "a"},
		{schema.GroupKind{Kind: "ConfigMap"}, parentNamespace, "b"},
		{schema.GroupKind{Kind: "Namespace"}, "", "shop"},
	} {
		where.add(r)
	}
	parent := set.manifest(where)
	if got, want := parent.GetAnnotations()[annotationKinds], "ConfigMap,Deployment.apps,Namespace"; got != want {
		t.Errorf("kinds %q, want %q", got, want)
	}
	if got, want := parent.GetAnnotations()[annotationNamespaces], "shop"; got != want {
		t.Errorf("namespaces %q, want %q: the parent's own goes without saying", got, want)
	}
	again := newApplySet(set.key)
	if err := again.read(parent); err != nil {
		t.Fatal(err)
	}
	if !again.exists || !again.recorded.equal(where) {
		t.Errorf("read back %+v, want %+v", again.recorded, where)
	}
}

func TestForeignParentsAreRefused(t *testing.T) {
	set := newApplySet(setKey{"repository", "dev", "shop"})
	for name, change := range map[string]func(annotations, labels map[string]string){
		"another tool":                func(a, _ map[string]string) { a[annotationTooling] = "kubectl/v1.36.1" },
		"a tool with our name in its": func(a, _ map[string]string) { a[annotationTooling] = "platformer/v1" },
		"another repository":          func(a, _ map[string]string) { a[annotationRepository] = "other" },
		"another cluster":             func(a, _ map[string]string) { a[annotationCluster] = "web" },
		"another file":                func(a, _ map[string]string) { a[annotationFile] = "till" },
		"no parent at all":            func(a, l map[string]string) { clear(a); clear(l) },
		"another id":                  func(_, l map[string]string) { l[labelParent] = "applyset-x-v1" },
	} {
		parent := set.manifest(newScope())
		annotations, labels := parent.GetAnnotations(), parent.GetLabels()
		change(annotations, labels)
		parent.SetAnnotations(annotations)
		parent.SetLabels(labels)
		var foreign *ForeignSetError
		if err := newApplySet(set.key).read(parent); !errors.As(err, &foreign) {
			t.Errorf("%s: %v, want a ForeignSetError", name, err)
		}
	}
}
