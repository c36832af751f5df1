package render

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDependencies(t *testing.T) {
	root := repository(t, map[string]string{
		"clusters/dev/x.jsonnet":  "local a = import 'lib/a.libsonnet'; if false then import 'lib/b.libsonnet' else a + { text: importstr 'text.txt', v: std.extVar('v') }",
		"clusters/dev/text.txt":   "x",
		"lib/a.libsonnet":         "{ bin: importbin 'data.bin', next: import 'c.libsonnet' }",
		"lib/b.libsonnet":         "{}",
		"lib/c.libsonnet":         "{ x: import 'far.libsonnet' }",
		"lib/data.bin":            "\x00",
		"lib/values.libsonnet":    "1",
		"lib/unrelated.libsonnet": "{}",
	})
	outside := repository(t, map[string]string{"far.libsonnet": "1"})
	if err := os.Symlink("c.libsonnet", filepath.Join(root, "lib/link.libsonnet")); err != nil {
		t.Fatal(err)
	}
	resolved, err := filepath.EvalSymlinks(outside)
	if err != nil {
		t.Fatal(err)
	}
	far := filepath.Join(resolved, "far.libsonnet")
	o := Options{Root: root, JPath: []string{outside}, ExtCode: map[string]string{"v": "import 'lib/values.libsonnet'"}}
	want := []string{
		far, "clusters/dev/text.txt", "clusters/dev/x.jsonnet", "lib/a.libsonnet",
		"lib/b.libsonnet", "lib/c.libsonnet", "lib/data.bin", "lib/values.libsonnet",
	}
	check := func(what string, o Options, want []string, wantErr string) {
		t.Helper()
		got, err := Dependencies(o, "clusters/dev/x.jsonnet")
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
		if (err != nil) != (wantErr != "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("%s: error %v, want %q", what, err, wantErr)
		}
	}
	check("without a cache", o, want, "")
	o.CacheDir = t.TempDir()
	check("nothing in the cache", o, want, "")

	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("clusters/dev/x.jsonnet", "(import 'lib/link.libsonnet') + { m: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' } }, x:: super.x } + { v:: std.extVar('v') }")
	if _, err := Objects(o, "clusters/dev/x.jsonnet"); err != nil {
		t.Fatal(err)
	}
	linked := []string{far, "clusters/dev/x.jsonnet", "lib/c.libsonnet", "lib/values.libsonnet"}
	check("from the cache, by a link", o, linked, "")
	// The cache still has what it was before.
	write("lib/c.libsonnet", "{ x: import 'b.libsonnet' }")
	check("an import changed", o, []string{"clusters/dev/x.jsonnet", "lib/b.libsonnet", "lib/c.libsonnet", "lib/values.libsonnet"}, "")
	write("lib/c.libsonnet", "{ x: import ")
	check("an import is broken", o, []string{"clusters/dev/x.jsonnet", "lib/c.libsonnet", "lib/values.libsonnet"}, "")
	write("clusters/dev/x.jsonnet", "{")
	check("the file is broken", o, []string{"clusters/dev/x.jsonnet", "lib/values.libsonnet"}, "clusters/dev/x.jsonnet:1:")
}

func TestLookupsOfWhatIsMissing(t *testing.T) {
	root := repository(t, map[string]string{"a/x.jsonnet": "import 'y.libsonnet'"})
	o := Options{Root: root}
	got, err := Lookups(o, "a/x.jsonnet")
	if want := []string{"a/x.jsonnet", "a/y.libsonnet", "y.libsonnet"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	if got, err := Lookups(o, "a/none.jsonnet"); err == nil || !slices.Equal(got, []string{"a/none.jsonnet"}) {
		t.Errorf("of a file that isn't there: %q, %v", got, err)
	}
}
