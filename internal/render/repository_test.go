package render

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-jsonnet"
)

// TestPlainJsonnet holds what this repository renders to against plain jsonnet,
// byte for byte: without a cache, filling one, and out of it.
func TestPlainJsonnet(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob(filepath.Join(root, "clusters", "*", "*.jsonnet"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	want := map[string]string{}
	for i, source := range sources {
		vm := jsonnet.MakeVM()
		vm.Importer(&jsonnet.FileImporter{JPaths: []string{root}})
		text, err := vm.EvaluateFile(source)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(root, source)
		if err != nil {
			t.Fatal(err)
		}
		sources[i] = rel
		want[rel] = text
	}
	dir := t.TempDir()
	for _, pass := range []struct{ name, dir string }{{"uncached", ""}, {"cold", dir}, {"warm", dir}} {
		im, err := newImporter(root, nil)
		if err != nil {
			t.Fatal(err)
		}
		e := newEvaluator(Options{Root: root}, im, newCache(pass.dir, ""))
		for _, source := range sources {
			if pass.name == "warm" {
				if _, _, ok := e.cache.get(e.o, im, source); !ok {
					t.Errorf("%s: not in the cache", source)
				}
			} else if _, err := e.fast(source); err != nil {
				t.Errorf("%s: not rendered by the fast way: %v", source, err)
			}
			got, _, err := e.evaluate(source)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want[source], got); diff != "" {
				t.Errorf("%s, %s:\n%s", pass.name, source, diff)
			}
		}
	}
}

func BenchmarkRepository(b *testing.B) {
	clusters := []string{"dev", "int", "web"}
	render := func(b *testing.B, o Options) {
		if _, err := RenderAll(context.Background(), o, clusters); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			render(b, Options{Root: "../.."})
		}
	})
	b.Run("warm", func(b *testing.B) {
		o := Options{Root: "../..", CacheDir: b.TempDir()}
		render(b, o)
		for b.Loop() {
			render(b, o)
		}
	})
}
