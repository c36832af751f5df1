package sources

import (
	"context"

	"platform/internal/check"
	"platform/internal/render"
)

// Generated is the rule that the committed tree is what rendering gives.
var Generated = check.Rule{
	Name: "generated", Title: "generated/ is what rendering gives",
	Why: "Reviewers read generated/: what it doesn't show, nobody has reviewed.",
	Find: func(_ context.Context, r *check.Repository) ([]check.Finding, error) {
		var out []check.Finding
		for _, cluster := range r.Clusters {
			stale, err := render.Stale(r.Config.Root, cluster)
			if err != nil {
				return nil, err
			}
			for _, file := range stale {
				message := "isn't what the cluster renders to"
				switch {
				case file.LeftOver:
					message = "is left over: nothing renders to it"
				case file.Missing:
					message = "is missing"
				}
				f := check.InFile(file.Path, 1).Saying(message, "Run `platform render "+cluster.Name+"` and commit what it writes.")
				f.Clusters = []string{cluster.Name}
				out = append(out, f)
			}
		}
		return out, nil
	},
}
