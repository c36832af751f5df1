package provided

import (
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/labels"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		entry string
		want  Object
		err   string
	}{
		{entry: "Secret logging/ca", want: Object{Kind: "Secret", Namespace: "logging", Name: "ca"}},
		{entry: " Secret  made ", want: Object{Kind: "Secret", Name: "made"}},
		{entry: "StorageClass kops-*", want: Object{Kind: "StorageClass", Name: "kops-*"}},
		{entry: "Secret a/b: ca.crt, password", want: Object{Kind: "Secret", Namespace: "a", Name: "b", Keys: []string{"ca.crt", "password"}}},
		{entry: "Pod builds/*: app=build, x=", want: Object{Kind: "Pod", Namespace: "builds", Name: "*", Labels: labels.Set{"app": "build", "x": ""}}},
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
		got, err := Parse(c.entry)
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
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"Secret a/b: c, d", "Pod */*: a=b", "StorageClass kops-*", "Secret [a-", "X \\"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		p, err := Parse(entry)
		if err != nil {
			return
		}
		if p.Kind == "" || p.Name == "" {
			t.Fatalf("%q: %+v", entry, p)
		}
		p.Matches(p.Kind, "namespace", "name")
		if !strings.ContainsAny(entry, `*?[\`) && !p.Matches(p.Kind, p.Namespace, p.Name) {
			t.Fatalf("%q doesn't match itself", entry)
		}
	})
}
