package jsonnet

import (
	"testing"

	"platform/internal/config"
	"platform/internal/render"
)

// TestGenerated holds generated/ against what the clusters render to.
func TestGenerated(t *testing.T) {
	c, err := config.Load(".", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cluster := range c.ClusterNames() {
		rendered, err := render.Render(t.Context(), render.Options{Root: c.Root, JPath: c.JPath}, cluster)
		if err != nil {
			t.Fatal(err)
		}
		stale, err := render.Stale(c.Root, rendered)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range stale {
			t.Errorf("%s isn't what clusters/%s renders to: run `make render` and commit what it writes", file.Path, cluster)
		}
	}
}
