package plan

import (
	"slices"
	"testing"
)

func TestSplitPath(t *testing.T) {
	for path, want := range map[string][]string{
		"":                                     nil,
		"spec":                                 {"spec"},
		"spec.template.spec.containers":        {"spec", "template", "spec", "containers"},
		`spec.containers[name="a.b"].ports[0]`: {"spec", "containers", `[name="a.b"]`, "ports", "[0]"},
		`metadata.labels["app.kubernetes.io/name"]`:      {"metadata", "labels", "app.kubernetes.io/name"},
		`data["it's \"quoted\" ]"].x`:                    {"data", `it's "quoted" ]`, "x"},
		`spec.groups[name="x"].rules[alert="A[1]"].expr`: {"spec", "groups", `[name="x"]`, "rules", `[alert="A[1]"]`, "expr"},
		"spec[":  {"spec", "["},
		`spec["`: {"spec", `["`},
	} {
		if got := SplitPath(path); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func FuzzSplitPath(f *testing.F) {
	f.Add("a", "b.c/d")
	f.Add("x[0]", `"]`)
	f.Fuzz(func(t *testing.T, first, second string) {
		// What one joins the other splits.
		path := JoinPath(JoinPath("", first), second)
		got := SplitPath(path)
		if len(got) != 2 || got[0] != first || got[1] != second {
			t.Errorf("%q and %q: %s is split into %q", first, second, path, got)
		}
		SplitPath(first + second)
	})
}
