package check

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platform/internal/config"
	"platform/internal/render"
)

// tree writes a repository with clusters dev and int.
func tree(t *testing.T, files map[string]string) *config.Config {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &config.Config{Root: root, Clusters: []config.Cluster{{Name: "dev"}, {Name: "int"}}}
}

var small = map[string]string{
	"clusters/dev/cluster.jsonnet": "{}\n",
	"clusters/int/cluster.jsonnet": "{}\n",
	"clusters/dev/a.jsonnet":       "(import 'addons/a.libsonnet')('dev')\n",
	"clusters/int/a.jsonnet":       "(import 'addons/a.libsonnet')('int')\n",
	"clusters/int/b.jsonnet":       "{ text: importstr 'addons/b.txt', o: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' } } }\n",
	"addons/a.libsonnet":           "function(name) {\n  config: {\n    apiVersion: 'v1',\n    kind: 'ConfigMap',\n    metadata: { name: 'a', namespace: name },\n    data: {\n      key: 'value',\n    },\n  },\n}\n",
	"addons/b.txt":                 "text\n",
	"addons/.hidden/x.jsonnet":     "broken",
	"lib/unused.libsonnet":         "{}\n",
}

func load(t *testing.T, c *config.Config) *Repository {
	t.Helper()
	files, err := Sources(c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Load(context.Background(), c, render.Options{Root: c.Root}, files, c.ClusterNames())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// every is a rule that has something against every object's data.
var every = Rule{Name: "every", Find: func(_ context.Context, r *Repository) ([]Finding, error) {
	var out []Finding
	for _, cluster := range r.Clusters {
		for _, file := range cluster.Files {
			for _, object := range file.Objects {
				out = append(out, OnObject(cluster.Name, file, object, "data.key").Saying("wrong", ""))
			}
		}
	}
	return append(out, InFile("addons/a.libsonnet", 3).Saying("first", "")), nil
}}

func printed(findings []Finding) string {
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%s %s:%d %s %v %s", f.Rule, f.File, f.Line, f.Object, f.Clusters, f.Message))
	}
	return strings.Join(out, "\n")
}

func TestRun(t *testing.T) {
	r := load(t, tree(t, small))
	if want := "addons/a.libsonnet clusters/dev/a.jsonnet clusters/dev/cluster.jsonnet clusters/int/a.jsonnet clusters/int/b.jsonnet clusters/int/cluster.jsonnet lib/unused.libsonnet"; strings.Join(r.Sources, " ") != want {
		t.Errorf("sources: %v", r.Sources)
	}
	result, err := Run(context.Background(), r, []Rule{every})
	if err != nil {
		t.Fatal(err)
	}
	want := `every addons/a.libsonnet:3  [] first
every addons/a.libsonnet:7 ConfigMap dev/a [dev] wrong
every addons/a.libsonnet:7 ConfigMap int/a [int] wrong
every clusters/int/b.jsonnet:1 ConfigMap b [int] wrong`
	if got := printed(result.Findings); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if result.Rules[0].Findings != 4 || result.Objects != 3 || result.Files != 7 {
		t.Errorf("counted %+v, %d objects, %d files", result.Rules, result.Objects, result.Files)
	}

	r.Only([]string{"clusters/int"})
	result, err = Run(context.Background(), r, []Rule{every})
	if err != nil {
		t.Fatal(err)
	}
	want = `every addons/a.libsonnet:7 ConfigMap int/a [int] wrong
every clusters/int/b.jsonnet:1 ConfigMap b [int] wrong`
	if got := printed(result.Findings); got != want {
		t.Errorf("below clusters/int: got\n%s\nwant\n%s", got, want)
	}
}

func TestRunError(t *testing.T) {
	broken := Rule{Name: "broken", Find: func(context.Context, *Repository) ([]Finding, error) { return nil, os.ErrPermission }}
	_, err := Run(context.Background(), load(t, tree(t, small)), []Rule{every, broken})
	var ruleErr *RuleError
	if !errors.As(err, &ruleErr) || ruleErr.Rule != "broken" || !errors.Is(err, os.ErrPermission) {
		t.Errorf("got %v", err)
	}
}

// One cluster that can't be rendered doesn't keep the other from being looked
// at.
func TestLoadFailures(t *testing.T) {
	files := map[string]string{}
	for name, text := range small {
		files[name] = text
	}
	files["clusters/dev/a.jsonnet"] = "{ a: error 'no' }\n"
	files["clusters/dev/b.jsonnet"] = "{\n"
	c := tree(t, files)
	c.Clusters = append(c.Clusters, config.Cluster{Name: "web"})
	r := load(t, c)
	if len(r.Clusters) != 1 || r.Clusters[0].Name != "int" {
		t.Errorf("rendered %d clusters", len(r.Clusters))
	}
	var got []string
	for _, f := range r.Failures {
		got = append(got, f.Cluster)
	}
	if strings.Join(got, " ") != "web dev dev" {
		t.Errorf("failures of %v", got)
	}
}

func TestMerge(t *testing.T) {
	same := Finding{Rule: "r", Level: Error, File: "f", Line: 2, Message: "m"}
	in := func(cluster string, f Finding) Finding {
		f.Clusters = []string{cluster}
		return f
	}
	other := same
	other.Level = Warning
	first := same
	first.Line = 1
	got := merge([]Finding{in("int", same), in("dev", other), in("dev", same), in("int", same), first}, []string{"dev", "int"})
	if want := "r f:1  [] m\nr f:2  [dev int] m\nr f:2  [dev] m"; printed(got) != want {
		t.Errorf("got\n%s\nwant\n%s", printed(got), want)
	}
}

func TestAffected(t *testing.T) {
	c := tree(t, small)
	files, err := Sources(c)
	if err != nil {
		t.Fatal(err)
	}
	for changed, want := range map[string]string{
		"":                                "[] []",
		"README.md":                       "[] []",
		"cmd/main.go":                     "[] []",
		"clusters/dev/a.jsonnet":          "[clusters/dev/a.jsonnet] [dev]",
		"addons/a.libsonnet":              "[addons/a.libsonnet clusters/dev/a.jsonnet clusters/int/a.jsonnet] [dev int]",
		"addons/b.txt":                    "[clusters/int/b.jsonnet] [int]",
		"lib/unused.libsonnet":            "[lib/unused.libsonnet] []",
		"generated/int/a/config.json":     "[] [int]",
		"platform.yaml":                   "[] [dev int]",
		"addons/a/rules_test.yaml":        "[] [dev int]",
		"clusters/int/gone.jsonnet":       "[] [int]",
		"clusters/dev/addons/b.txt":       "[] [dev]", // comes into no one's way
		"clusters/int/addons/b.txt":       "[clusters/int/b.jsonnet] [int]",
		"clusters/dev/addons/a.libsonnet": "[clusters/dev/a.jsonnet] [dev]", // would shadow
	} {
		var list []string
		if changed != "" {
			list = []string{changed}
		}
		sources, clusters, err := Affected(c, render.Options{Root: c.Root}, files, list)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%v %v", sources, clusters); got != want {
			t.Errorf("%s: %s, want %s", changed, got, want)
		}
	}
}

func TestSelect(t *testing.T) {
	rules := []Rule{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	for _, c := range []struct {
		only, skip []string
		want       string
	}{
		{nil, nil, "abc"}, {[]string{"b"}, nil, "b"}, {nil, []string{"b"}, "ac"}, {[]string{"a", "b"}, []string{"a"}, "b"},
		{[]string{"x"}, nil, "there is no rule \"x\"; rules are a, b, c"},
	} {
		selected, err := Select(rules, c.only, c.skip)
		got := ""
		for _, rule := range selected {
			got += rule.Name
		}
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%v %v: %s, want %s", c.only, c.skip, got, c.want)
		}
	}
}
