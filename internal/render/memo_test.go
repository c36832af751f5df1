package render

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMemo(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a.jsonnet", "import 'b.libsonnet'")
	write("b.libsonnet", "1")
	write("c.libsonnet", "1")
	o := Options{Root: root, CacheDir: filepath.Join(t.TempDir(), "cache")}
	memo := func(kind string) *Memo {
		t.Helper()
		m, err := NewMemo(o, kind)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	want := func(when, kind, source, want string) {
		t.Helper()
		data, ok := memo(kind).Get(source)
		if got := string(data); ok != (want != "") || got != want {
			t.Errorf("%s: %q %v, want %q", when, got, ok, want)
		}
	}
	want("at first", "lint 1", "a.jsonnet", "")
	memo("lint 1").Put("a.jsonnet", []byte("found"))
	want("kept", "lint 1", "a.jsonnet", "found")
	want("of another kind", "lint 2", "a.jsonnet", "")
	want("of another file", "lint 1", "b.libsonnet", "")
	write("c.libsonnet", "2")
	want("after a change of what isn't imported", "lint 1", "a.jsonnet", "found")
	write("b.libsonnet", "2")
	want("after a change of what is imported", "lint 1", "a.jsonnet", "")
	write("b.libsonnet", "1")
	want("changed back", "lint 1", "a.jsonnet", "found")
	write("broken.jsonnet", "{")
	memo("lint 1").Put("broken.jsonnet", []byte("found"))
	want("that can't be parsed", "lint 1", "broken.jsonnet", "")
	o.CacheDir = ""
	memo("lint 1").Put("a.jsonnet", []byte("found"))
	want("without a cache", "lint 1", "a.jsonnet", "")
}
