package policy

import (
	"testing"

	"platform/internal/check"
	"platform/internal/config"
	"platform/internal/render"
)

const root = "../../.."

// This repository is as the rules want it.
func TestRepositoryIsClean(t *testing.T) {
	clusters, err := render.RenderAll(t.Context(), render.Options{Root: root}, []string{"dev", "int", "web"})
	if err != nil {
		t.Fatal(err)
	}
	r := &check.Repository{Config: &config.Config{Root: root}, Clusters: clusters}
	result, err := check.Run(t.Context(), r, Rules())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Findings {
		t.Errorf("%s:%d: %s: %s: %s: %s", f.File, f.Line, f.Rule, f.Object, f.Path, f.Message)
	}
}
