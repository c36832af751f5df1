// Package checktest makes small clusters for the tests of rules.
package checktest

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"platform/internal/check"
	"platform/internal/config"
	"platform/internal/render"
)

// Cluster makes a cluster of files by name, each YAML documents that are split
// by lines of three dashes. Their objects' keys are kind and name.
func Cluster(t testing.TB, name, declaration string, files map[string]string) *render.Cluster {
	t.Helper()
	c := &render.Cluster{Name: name, Declaration: []byte(declaration)}
	for file, text := range files {
		out := render.File{Name: file, Source: filepath.Join("clusters", name, file+".jsonnet")}
		for _, document := range strings.Split(text, "\n---\n") {
			data, err := yaml.YAMLToJSON([]byte(document))
			if err != nil {
				t.Fatalf("%s: %v\n%s", file, err, document)
			}
			object := &unstructured.Unstructured{}
			if err := object.UnmarshalJSON(data); err != nil {
				t.Fatalf("%s: %v\n%s", file, err, document)
			}
			key := strings.ToLower(object.GetKind()) + "-" + object.GetName()
			out.Objects = append(out.Objects, render.Object{Key: key, Unstructured: object})
		}
		c.Files = append(c.Files, out)
	}
	slices.SortFunc(c.Files, func(a, b render.File) int { return strings.Compare(a.Name, b.Name) })
	return c
}

// Find runs the rule of a name over clusters and gives its findings as lines:
// "Object: path: message".
func Find(t testing.TB, rules []check.Rule, name string, clusters ...*render.Cluster) []string {
	t.Helper()
	for _, rule := range rules {
		if rule.Name != name {
			continue
		}
		before := snapshot(t, clusters)
		r := &check.Repository{Config: &config.Config{Root: t.TempDir()}, Clusters: clusters}
		findings, err := rule.Find(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if after := snapshot(t, clusters); after != before {
			t.Errorf("the rule changed the objects:\n%s\n%s", before, after)
		}
		var lines []string
		for _, f := range findings {
			if f.Fix == "" || f.Message == "" || strings.HasSuffix(f.Message, ".") || !strings.HasSuffix(f.Fix, ".") {
				t.Errorf("a finding is incomplete: %+v", f)
			}
			level := ""
			if f.Level == check.Warning {
				level = "warning: "
			}
			lines = append(lines, level+f.Object+": "+f.Path+": "+f.Message)
		}
		return lines
	}
	t.Fatalf("there is no rule %s", name)
	return nil
}

func snapshot(t testing.TB, clusters []*render.Cluster) string {
	t.Helper()
	var b strings.Builder
	for _, c := range clusters {
		for _, file := range c.Files {
			for _, object := range file.Objects {
				text, err := object.MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				b.Write(text)
			}
		}
	}
	return b.String()
}
