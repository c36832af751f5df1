package render

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const configMap = `{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { key: VALUE } }`

// renderValue renders x.jsonnet, and says whether its result was in the cache.
func renderValue(t *testing.T, o Options) (value any, cached bool, err error) {
	t.Helper()
	im, err := newImporter(o.Root, o.JPath)
	if err != nil {
		t.Fatal(err)
	}
	_, _, cached = newCache(o.CacheDir, o.Version).get(o, im, "x.jsonnet")
	found, err := Objects(o, "x.jsonnet")
	if err != nil {
		return nil, cached, err
	}
	return found[0].Object["data"].(map[string]any)["key"], cached, nil
}

// TestCacheFollowsTree changes one thing after another, and back.
func TestCacheFollowsTree(t *testing.T) {
	tree := map[string]string{
		"x.jsonnet":         "local lib = import 'lib/a.libsonnet'; " + strings.ReplaceAll(configMap, "VALUE", "lib.value"),
		"lib/a.libsonnet":   "{ value: (import 'b.libsonnet') + importstr 'c.txt' }",
		"lib/b.libsonnet":   "'b'",
		"vendor/c.txt":      "c",
		"vendor/other.txt":  "nobody's",
		"vendor2/other.txt": "nobody's",
	}
	root, outside := repository(t, tree), repository(t, map[string]string{"c.txt": "jpath"})
	plain := Options{Root: root, JPath: []string{"vendor"}, CacheDir: t.TempDir()}
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(name string) {
		t.Helper()
		if err := os.RemoveAll(filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	jpath := plain
	jpath.JPath = []string{outside, "vendor"}
	other := plain
	other.Version = "2"
	for _, step := range []struct {
		name   string
		do     func()
		o      Options
		want   string
		cached bool
	}{
		{"first", func() {}, plain, "bc", false},
		{"again", func() {}, plain, "bc", true},
		{"an import is edited", func() { write("lib/b.libsonnet", "'B'") }, plain, "Bc", false},
		{"and back", func() { write("lib/b.libsonnet", "'b'") }, plain, "bc", true},
		{"an importstr is edited", func() { write("vendor/c.txt", "C") }, plain, "bC", false},
		{"a file that nothing imports", func() { write("vendor/other.txt", "") }, plain, "bC", true},
		{"the repository's shadows the import path's", func() { write("c.txt", "root") }, plain, "broot", false},
		{"a neighbour shadows both", func() { write("lib/c.txt", "near") }, plain, "bnear", false},
		{"which goes again", func() { remove("lib/c.txt") }, plain, "broot", true},
		{"and the other", func() { remove("c.txt") }, plain, "bC", true},
		{"another import path", func() {}, jpath, "bjpath", false},
		{"the file itself", func() { write("x.jsonnet", strings.ReplaceAll(configMap, "VALUE", "'x'")) }, plain, "x", false},
		{"and back", func() { write("x.jsonnet", tree["x.jsonnet"]) }, plain, "bC", false},
		{"again", func() {}, plain, "bC", true},
		{"another version of the tool", func() {}, other, "bC", false},
		{"a link to another file", func() {
			remove("lib/b.libsonnet")
			write("lib/b2.libsonnet", "'b'")
			if err := os.Symlink("b2.libsonnet", filepath.Join(root, "lib/b.libsonnet")); err != nil {
				t.Fatal(err)
			}
		}, plain, "bC", false},
	} {
		step.do()
		got, cached, err := renderValue(t, step.o)
		if err != nil || got != step.want || cached != step.cached {
			t.Errorf("%s: got %v, cached %v, %v; want %v, cached %v", step.name, got, cached, err, step.want, step.cached)
		}
	}
	remove("lib/b2.libsonnet")
	if _, cached, err := renderValue(t, plain); err == nil || cached {
		t.Errorf("without an import: cached %v, %v", cached, err)
	}
}

func TestCacheFollowsVariables(t *testing.T) {
	root := repository(t, map[string]string{
		"x.jsonnet":       "function(tla) " + strings.ReplaceAll(configMap, "VALUE", "std.extVar('a') + std.extVar('b') + tla"),
		"value.libsonnet": "'1'",
	})
	o := func(a, b, tla string) Options {
		return Options{
			Root: root, CacheDir: filepath.Join(root, "cache"),
			ExtVars: map[string]string{"a": a}, ExtCode: map[string]string{"b": b}, TLACode: map[string]string{"tla": tla},
		}
	}
	for _, step := range []struct {
		o      Options
		want   string
		cached bool
	}{
		{o("a", "'b'", "'c'"), "abc", false},
		{o("a", "'b'", "'c'"), "abc", true},
		{o("A", "'b'", "'c'"), "Abc", false},
		{o("a", "'B'", "'c'"), "aBc", false},
		{o("a", "'b'", "'C'"), "abC", false},
		{o("a", "'b'", "import 'value.libsonnet'"), "ab1", false},
		{o("a", "'b'", "import 'value.libsonnet'"), "ab1", true},
	} {
		if got, cached, err := renderValue(t, step.o); err != nil || got != step.want || cached != step.cached {
			t.Errorf("got %v, cached %v, %v; want %v, %v", got, cached, err, step.want, step.cached)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "value.libsonnet"), []byte("'2'"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, cached, err := renderValue(t, o("a", "'b'", "import 'value.libsonnet'")); err != nil || got != "ab2" || cached {
		t.Errorf("a file that a top-level argument imports was edited: got %v, cached %v, %v", got, cached, err)
	}
}

func TestCacheDisbelievesWhatIsBroken(t *testing.T) {
	root := repository(t, map[string]string{"x.jsonnet": strings.ReplaceAll(configMap, "VALUE", "'x'")})
	for name, spoil := range map[string]func(data []byte) []byte{
		"empty":     func([]byte) []byte { return nil },
		"truncated": func(data []byte) []byte { return data[:len(data)-2] },
		"flipped":   func(data []byte) []byte { data[len(data)-2] ^= 1; return data },
	} {
		o := Options{Root: root, CacheDir: t.TempDir()}
		if _, _, err := renderValue(t, o); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(o.CacheDir)
		if err != nil || len(entries) != 2 {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		for _, entry := range entries {
			path := filepath.Join(o.CacheDir, entry.Name())
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, spoil(data), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, cached, err := renderValue(t, o); err != nil || got != "x" || cached {
				t.Errorf("%s %s: got %v, cached %v, %v", name, filepath.Ext(path), got, cached, err)
			}
			if got, cached, err := renderValue(t, o); err != nil || got != "x" || !cached {
				t.Errorf("%s %s, afterwards: got %v, cached %v, %v", name, filepath.Ext(path), got, cached, err)
			}
		}
	}
	// A folder that can't be made is no reason to fail.
	o := Options{Root: root, CacheDir: filepath.Join(root, "x.jsonnet", "cache")}
	if got, _, err := renderValue(t, o); err != nil || got != "x" {
		t.Errorf("without a place for the cache: %v, %v", got, err)
	}
}

func TestCacheKeepsNeitherErrorsNorTraces(t *testing.T) {
	root := repository(t, map[string]string{"x.jsonnet": strings.ReplaceAll(configMap, "VALUE", "std.trace('a trace of a test', 'x')")})
	o := Options{Root: root, CacheDir: t.TempDir()}
	for range 2 {
		if _, cached, err := renderValue(t, o); err != nil || cached {
			t.Errorf("with a trace: cached %v, %v", cached, err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "x.jsonnet"), []byte("error 'x'"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, cached, err := renderValue(t, o); err == nil || cached {
			t.Errorf("with an error: cached %v, %v", cached, err)
		}
	}
}

// TestCacheConcurrently has many readers and writers of one cache, while the
// tree is another one for each, and some spoil it.
func TestCacheConcurrently(t *testing.T) {
	dir := t.TempDir()
	values := []string{"a", "b", "c", "d"}
	roots := make([]string, len(values))
	for i, value := range values {
		roots[i] = repository(t, map[string]string{
			"clusters/dev/cluster.jsonnet": clusterFile,
			"clusters/dev/x.jsonnet":       strings.ReplaceAll(configMap, "VALUE", "import 'value.libsonnet'"),
			"value.libsonnet":              "'" + value + "'",
		})
	}
	var group sync.WaitGroup
	for worker := range 2 * len(values) {
		group.Go(func() {
			i := worker % len(values)
			for round := range 10 {
				c, err := Render(context.Background(), Options{Root: roots[i], CacheDir: dir}, "dev")
				if err != nil {
					t.Error(err)
					return
				}
				if got := c.Files[0].Objects[0].Object["data"].(map[string]any)["key"]; got != values[i] {
					t.Errorf("got %v, want %v", got, values[i])
				}
				if entries, err := os.ReadDir(dir); err == nil && round%3 == 0 {
					_ = os.WriteFile(filepath.Join(dir, entries[(worker+round)%len(entries)].Name()), []byte("spoilt"), 0o600)
				}
			}
		})
	}
	group.Wait()
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache(t.TempDir(), "")
	for _, entry := range []struct {
		name string
		age  time.Duration
		size int64
	}{
		{"old.json", 2 * cacheAge, 1},
		{"new-interrupted", 2 * cacheAge, 1},
		{"fresh.json", 0, 1},
		{"half.json", time.Hour, cacheBytes / 2},
		{"most.json", 2 * time.Hour, cacheBytes/2 + 2},
		{"last.json", 3 * time.Hour, 1},
	} {
		path := filepath.Join(c.dir, entry.name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, entry.size); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-entry.age)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	c.sweep()
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if got := strings.Join(left, " "); got != "fresh.json half.json" {
		t.Errorf("left: %s", got)
	}
}

// TestCacheMarksUse has an entry that is read count as new.
func TestCacheMarksUse(t *testing.T) {
	c := newCache(t.TempDir(), "")
	if err := c.write("a", []byte("data")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.dir, "a")
	old := time.Now().Add(-cacheAge)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	if data, ok := c.read("a"); !ok || string(data) != "data" {
		t.Fatalf("read %q, %v", data, ok)
	}
	if info, err := os.Stat(path); err != nil || time.Since(info.ModTime()) > time.Hour {
		t.Errorf("not marked: %v", err)
	}
}
