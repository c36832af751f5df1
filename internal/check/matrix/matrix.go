// Package matrix is the rule about the version matrix.
package matrix

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"platform/internal/check"
	"platform/internal/versions"
)

// Rule is the rule that clusters/versions.json is complete and keeps the rules
// of package versions. Kops is the version of kops that the tool is built with.
func Rule(kops string) check.Rule {
	return check.Rule{
		Name: "versions", Title: "the version matrix is complete and within bounds",
		Why:      "Clusters that drift apart can't be upgraded, and a version that another doesn't support breaks at night.",
		NoRender: true,
		Find: func(_ context.Context, r *check.Repository) ([]check.Finding, error) {
			data, err := os.ReadFile(filepath.Join(r.Config.Root, versions.File))
			if errors.Is(err, os.ErrNotExist) {
				return []check.Finding{check.InFile(versions.File, 0).Saying("is missing", "It says which version of each component each cluster has.")}, nil
			}
			if err != nil {
				return nil, err
			}
			m, err := versions.Parse(data)
			if syntax := new(versions.SyntaxError); errors.As(err, &syntax) {
				return []check.Finding{check.InFile(versions.File, syntax.Line).Saying(syntax.Message, "It has the form {component: {cluster: version}}.")}, nil
			}
			if err != nil {
				return nil, err
			}
			support, err := versions.ReadSupport(r.Config.Root)
			if err != nil {
				return nil, err
			}
			policy := versions.Policy{MaxSkew: r.Config.Versions.MaxSkew, AllowAhead: r.Config.Versions.AllowAhead}
			var out []check.Finding
			for _, p := range versions.Check(m, r.Config.ClusterNames(), policy, support, kops) {
				f := check.InFile(versions.File, p.Line).Saying(p.Message, p.Fix)
				if p.Cluster != "" {
					f.Clusters = []string{p.Cluster}
				}
				out = append(out, f)
			}
			return out, nil
		},
	}
}
