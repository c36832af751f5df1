package objects

import (
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/labels"

	"platform/internal/check"
	"platform/internal/check/checktest"
	"platform/internal/config"
	"platform/internal/render"
)

func TestParseProvided(t *testing.T) {
	for _, c := range []struct {
		entry string
		want  provided
		err   string
	}{
		{entry: "Secret logging/ca", want: provided{kind: "Secret", namespace: "logging", name: "ca"}},
		{entry: " Secret  made ", want: provided{kind: "Secret", name: "made"}},
		{entry: "StorageClass kops-*", want: provided{kind: "StorageClass", name: "kops-*"}},
		{entry: "Secret a/b: ca.crt, password", want: provided{kind: "Secret", namespace: "a", name: "b", keys: []string{"ca.crt", "password"}}},
		{entry: "Pod builds/*: app=build, x=", want: provided{kind: "Pod", namespace: "builds", name: "*", labels: labels.Set{"app": "build", "x": ""}}},
		{entry: "", err: "want a kind and a name"},
		{entry: "Secret", err: "want a kind and a name"},
		{entry: "Secret a b", err: "want a kind and a name"},
		{entry: "Secret /a", err: "the namespace is empty"},
		{entry: "Secret a/", err: "the name is empty"},
		{entry: "Secret a/b/c", err: "at most one slash"},
		{entry: "Secret a[", err: "syntax error in pattern"},
		{entry: "Secret a:", err: "a key is empty"},
		{entry: "Secret a: x,,y", err: "a key is empty"},
		{entry: "Pod a/*: app", err: "want label=value"},
		{entry: "Pod a/*: =x", err: "want label=value"},
		{entry: "Service a/b: http", err: "neither keys nor labels"},
	} {
		got, err := parseProvided(c.entry)
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: got %v, want an error that says %q", c.entry, err, c.err)
			}
		case err != nil:
			t.Errorf("%q: %v", c.entry, err)
		case !reflect.DeepEqual(got, c.want):
			t.Errorf("%q: got %+v, want %+v", c.entry, got, c.want)
		}
	}
}

// Whatever is accepted can be matched.
func FuzzParseProvided(f *testing.F) {
	for _, seed := range []string{"Secret a/b: c, d", "Pod */*: a=b", "StorageClass kops-*", "Secret [a-", "X \\"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		p, err := parseProvided(entry)
		if err != nil {
			return
		}
		if p.kind == "" || p.name == "" {
			t.Fatalf("%q: %+v", entry, p)
		}
		p.matches(p.kind, "namespace", "name")
		if !strings.ContainsAny(entry, `*?[\`) && !p.matches(p.kind, p.namespace, p.name) {
			t.Fatalf("%q doesn't match itself", entry)
		}
	})
}

// What is provided from outside is of the namespace that it names, and no other.
func TestProvidedFromOutside(t *testing.T) {
	const pod = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: web, image: "web:1", envFrom: [{secretRef: {name: outside}}]}]}`
	c := checktest.Cluster(t, "dev", "{}", map[string]string{"shop": pod})
	for entry, want := range map[string]int{
		"Secret shop/outside": 0, "Secret shop/out*": 0, "Secret */outside": 0,
		"Secret outside": 1, "Secret other/outside": 1, "ConfigMap shop/outside": 1, "Secret shop/inside": 1,
	} {
		if got := checktest.Find(t, Rules(Options{Provided: []string{entry}}), "references", c); len(got) != want {
			t.Errorf("%s: got %q, want %d findings", entry, got, want)
		}
	}
}

// A malformed entry of the configuration is no finding about any object.
func TestMalformedConfiguration(t *testing.T) {
	r := &check.Repository{Config: &config.Config{}, Clusters: []*render.Cluster{checktest.Cluster(t, "dev", "{}", nil)}}
	for _, rule := range Rules(Options{Provided: []string{"Secret"}}) {
		if _, err := rule.Find(t.Context(), r); err == nil || !strings.Contains(err.Error(), "provided") {
			t.Errorf("%s: got %v", rule.Name, err)
		}
	}
}

func TestClosest(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"prometeus", "prometheus"}, {"prometheus", "prometheus"}, {"promtheuss", "prometheus"},
		{"web", ""}, {"w", ""}, {"", ""}, {"grafna", "grafana"}, {"kibana", "kibana"},
	} {
		if got := closest(c.name, []string{"prometheus", "kibana", "grafana", "alertmanager"}); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%s, %s: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
