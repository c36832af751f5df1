package objects

import (
	"testing"

	"platform/internal/check"
	"platform/internal/config"
	"platform/internal/render"
)

const root = "../../.."

// This repository is as the rules want it, with nothing provided from outside but
// what platform.yaml lists.
func TestRepositoryIsClean(t *testing.T) {
	c := &config.Config{Root: root, Clusters: []config.Cluster{{Name: "dev"}, {Name: "int"}, {Name: "web"}}}
	sources, err := check.Sources(c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := check.Load(t.Context(), c, render.Options{Root: root}, sources, c.ClusterNames())
	if err != nil {
		t.Fatal(err)
	}
	for _, failure := range r.Failures {
		t.Fatal(failure.Err)
	}
	result, err := check.Run(t.Context(), r, Rules(Options{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Findings {
		t.Errorf("%s:%d: %s: %s: %s: %s", f.File, f.Line, f.Rule, f.Object, f.Path, f.Message)
	}
}
