package embedded

import (
	"testing"

	"platform/internal/check"
	"platform/internal/config"
	"platform/internal/render"
)

const root = "../../.."

// load renders this repository.
func load(t testing.TB) *check.Repository {
	t.Helper()
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
	return r
}

// This repository is as the rules want it.
func TestRepositoryIsClean(t *testing.T) {
	result, err := check.Run(t.Context(), load(t), Rules())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Findings {
		t.Errorf("%s:%d: %s: %s: %s: %s", f.File, f.Line, f.Rule, f.Object, f.Path, f.Message)
	}
	for _, rule := range result.Rules {
		t.Logf("%s: %.3f s", rule.Rule, rule.Seconds)
	}
}
