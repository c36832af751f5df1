package schema

import (
	"testing"

	"platform/internal/check"
	"platform/internal/config"
	"platform/internal/render"
)

const root = "../../.."

var clusterNames = []string{"dev", "int", "web"}

func repository(t testing.TB) *check.Repository {
	t.Helper()
	clusters, err := render.RenderAll(t.Context(), render.Options{Root: root}, clusterNames)
	if err != nil {
		t.Fatal(err)
	}
	return &check.Repository{Config: &config.Config{Root: root}, Clusters: clusters}
}

// This repository is as the rule wants it, with nothing provided from outside.
func TestRepositoryIsClean(t *testing.T) {
	result, err := check.Run(t.Context(), repository(t), []check.Rule{Rule(Options{})})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Findings {
		t.Errorf("%s:%d: %s: %s: %s (%s)", f.File, f.Line, f.Object, f.Path, f.Message, f.Fix)
	}
	if result.Objects < 400 {
		t.Errorf("only %d objects were looked at", result.Objects)
	}
}

func BenchmarkRule(b *testing.B) {
	r := repository(b)
	for b.Loop() {
		if _, err := Rule(Options{}).Find(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}
