package render

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// repository writes files into a new folder.
func repository(t *testing.T, files map[string]string) string {
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
	return root
}

const clusterFile = `{ name: 'dev', kops: { stateStore: 's3://x', cluster: { kind: 'Cluster' }, instanceGroups: { nodes: { kind: 'InstanceGroup' } } } }`

func TestRenderAndWrite(t *testing.T) {
	root := repository(t, map[string]string{
		"clusters/dev/cluster.jsonnet": clusterFile,
		"clusters/dev/web.jsonnet": `local lib = import 'lib/thing.libsonnet';
{
  namespace: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'web' } },
  nested: { config: lib.config('a'), none: null },
  list: { apiVersion: 'v1', kind: 'List', items: [lib.config('b')] },
}`,
		"lib/thing.libsonnet":          `{ config(name):: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name, namespace: 'web' }, data: { n: '1', gone: null }, whole: 3 } }`,
		"generated/dev/web/old.json":   "{}\n",
		"generated/dev/gone/old.json":  "{}\n",
		"generated/int/web/other.json": "{}\n",
	})
	c, err := Render(context.Background(), Options{Root: root}, "dev")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range c.Files[0].Objects {
		keys = append(keys, o.Key)
	}
	if want := []string{"list.0", "namespace", "nested.config"}; !slices.Equal(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
	got, err := Write(root, c)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Written{Cluster: "dev", Objects: 6, Added: 6, Removed: 2}); got != want {
		t.Errorf("Write = %+v, want %+v", got, want)
	}
	text, err := os.ReadFile(filepath.Join(root, "generated/dev/web/nested.config.json"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "apiVersion": "v1",
  "data": {
    "n": "1"
  },
  "kind": "ConfigMap",
  "metadata": {
    "name": "a",
    "namespace": "web"
  },
  "whole": 3
}
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Stat(filepath.Join(root, "generated/dev/gone")); !os.IsNotExist(err) {
		t.Error("an empty folder was left")
	}
	if _, err := os.Stat(filepath.Join(root, "generated/int/web/other.json")); err != nil {
		t.Error("another cluster's file was touched")
	}
	if again, err := Write(root, c); err != nil || again != (Written{Cluster: "dev", Objects: 6}) {
		t.Errorf("writing again changed something: %+v, %v", again, err)
	}
	if err := os.WriteFile(filepath.Join(root, "generated/dev/web/namespace.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	stale, err := Stale(root, c)
	if err != nil || !slices.Equal(stale, []StaleFile{{Path: "generated/dev/web/namespace.json"}}) {
		t.Errorf("Stale = %v, %v", stale, err)
	}
}

func TestRenderErrors(t *testing.T) {
	outside := repository(t, map[string]string{"secret.libsonnet": "{}"})
	for _, test := range []struct{ name, file, want string }{
		{"syntax", "{\n  a: \n}", "clusters/dev/x.jsonnet:3:1"},
		{"own error", "{\n  a: error 'must provide b',\n}", "clusters/dev/x.jsonnet:2:"},
		{"assert", "{ assert false : 'no zones', a: 1 }", "no zones"},
		{"missing import", "import 'nowhere.libsonnet'", "no file nowhere.libsonnet"},
		{"import from outside", "import '" + outside + "/secret.libsonnet'", "outside the repository"},
		{"import by dots", "import '../../../" + filepath.Base(outside) + "/secret.libsonnet'", "nowhere"},
		{"null in a list", "{ a: { apiVersion: 'v1', kind: 'X', metadata: { name: 'a' }, l: [1, null] } }", "a: l[1] is null"},
		{"half an object", "{ a: { kind: 'X' } }", "a: an object needs both apiVersion and kind"},
		{"no name", "{ a: { apiVersion: 'v1', kind: 'X' } }", "a: the X has no metadata.name"},
		{"no object", "{ a: { b: 'text' } }", "a.b: want Kubernetes objects"},
		{"equal keys", "{ a: { b: { apiVersion: 'v1', kind: 'X', metadata: { name: 'a' } } }, 'a.b': { apiVersion: 'v1', kind: 'X', metadata: { name: 'b' } } }", `a.b: two objects have this key`},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := repository(t, map[string]string{"clusters/dev/cluster.jsonnet": clusterFile, "clusters/dev/x.jsonnet": test.file})
			_, err := Render(context.Background(), Options{Root: root}, "dev")
			if test.want == "nowhere" {
				if err == nil {
					t.Error("a file outside the repository was imported")
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to contain %q", err, test.want)
			}
		})
	}
	if _, err := Render(context.Background(), Options{Root: t.TempDir()}, "dev"); err == nil || !strings.Contains(err.Error(), "there is no clusters/dev/cluster.jsonnet") {
		t.Errorf("a cluster without a folder: %v", err)
	}
}

// TestSettingsBesideObjects renders the way in which a file names its namespace once.
func TestSettingsBesideObjects(t *testing.T) {
	root := repository(t, map[string]string{
		"x.jsonnet": `{ namespace: 'webcache', replicas: 2, on: true, config: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: $.namespace } } }`,
	})
	objects, err := Objects(Options{Root: root}, "x.jsonnet")
	if err != nil || len(objects) != 1 || objects[0].GetNamespace() != "webcache" {
		t.Errorf("%v, %v", objects, err)
	}
}

func TestVariables(t *testing.T) {
	root := repository(t, map[string]string{
		"x.jsonnet": `function(name) { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name, namespace: std.extVar('ns') }, n: std.extVar('n') }`,
	})
	objects, err := Objects(Options{
		Root: root, ExtVars: map[string]string{"ns": "web"}, ExtCode: map[string]string{"n": "1 + 1"}, TLAVars: map[string]string{"name": "a"},
	}, "x.jsonnet")
	if err != nil {
		t.Fatal(err)
	}
	o := objects[0]
	if o.GetName() != "a" || o.GetNamespace() != "web" || o.Object["n"] != int64(2) {
		t.Errorf("got %v", o.Object)
	}
}

func FuzzObjects(f *testing.F) {
	f.Add(`{"a": {"apiVersion": "v1", "kind": "List", "items": [null]}}`)
	f.Add(`[{"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "a": {"b": null}}]`)
	f.Fuzz(func(t *testing.T, text string) {
		value, err := decode(text)
		if err != nil {
			return
		}
		found, err := objects(value)
		if err != nil {
			return
		}
		for _, o := range found {
			if o.GetName() == "" || o.GetKind() == "" {
				t.Errorf("an object without kind or name: %v", o.Object)
			}
			if hasNull(o.Object) {
				t.Errorf("a null was left: %v", o.Object)
			}
		}
	})
}

func hasNull(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case []any:
		return slices.ContainsFunc(v, hasNull)
	case map[string]any:
		for _, item := range v {
			if hasNull(item) {
				return true
			}
		}
	}
	return false
}
