package render

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUpdate(t *testing.T) {
	root := repository(t, map[string]string{
		"clusters/dev/cluster.jsonnet": clusterFile,
		"clusters/dev/x.jsonnet":       strings.ReplaceAll(configMap, "VALUE", "import 'value.libsonnet'"),
		"clusters/int/cluster.jsonnet": clusterFile,
		"clusters/int/x.jsonnet":       strings.ReplaceAll(configMap, "VALUE", "'int'"),
		"value.libsonnet":              "'dev'",
	})
	file := filepath.Join(root, "generated/dev/x/ConfigMap-a.json")
	write := func(name, text string) func() {
		return func() {
			t.Helper()
			if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	o := Options{Root: root, CacheDir: t.TempDir()}
	for _, step := range []struct {
		name string
		do   func()
		// dev is what changes in that cluster; in int, nothing does but at first.
		dev   Written
		value string
	}{
		{"first", func() {}, Written{Objects: 4, Added: 4}, "dev"},
		{"again", func() {}, Written{Objects: 4}, "dev"},
		{"an import is edited", write("value.libsonnet", "'new'"), Written{Objects: 4, Changed: 1}, "new"},
		{"again", func() {}, Written{Objects: 4}, "new"},
		{"and back", write("value.libsonnet", "'dev'"), Written{Objects: 4, Changed: 1}, "dev"},
		{"a generated file is edited", write("generated/dev/x/ConfigMap-a.json", "{}\n"), Written{Objects: 4, Changed: 1}, "dev"},
		{"a generated file is removed", func() { _ = os.Remove(file) }, Written{Objects: 4, Added: 1}, "dev"},
		{"a generated file too many", write("generated/dev/x/more.json", "{}\n"), Written{Objects: 4, Removed: 1}, "dev"},
		{"a file too many", write("clusters/dev/y.jsonnet", strings.ReplaceAll(configMap, "VALUE", "'y'")), Written{Objects: 5, Added: 1}, "dev"},
		{"and gone", func() { _ = os.Remove(filepath.Join(root, "clusters/dev/y.jsonnet")) }, Written{Objects: 4, Removed: 1}, "dev"},
		{"again", func() {}, Written{Objects: 4}, "dev"},
	} {
		step.do()
		got, err := Update(context.Background(), o, []string{"dev", "int"})
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		step.dev.Cluster = "dev"
		if got[0] != step.dev {
			t.Errorf("%s: got %+v, want %+v", step.name, got[0], step.dev)
		}
		if want := (Written{Cluster: "int", Objects: 4}); step.name != "first" && got[1] != want {
			t.Errorf("%s: got %+v, want %+v", step.name, got[1], want)
		}
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), `"`+step.value+`"`) {
			t.Errorf("%s: %s, %v; want %s in it", step.name, text, err, step.value)
		}
	}

	// Nothing is written unless everything renders.
	write("value.libsonnet", "'newer'")()
	write("clusters/int/x.jsonnet", "error 'broken'")()
	if _, err := Update(context.Background(), o, []string{"dev", "int"}); err == nil || !strings.Contains(err.Error(), "clusters/int/x.jsonnet:1:1") {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), `"dev"`) {
		t.Errorf("%s, %v: was written though another cluster doesn't render", text, err)
	}
}
