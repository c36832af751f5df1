package embedded

import (
	"context"

	"platform/internal/check"
)

// Rules are the rules of this package.
func Rules() []check.Rule {
	return []check.Rule{
		{
			Name:  "prometheus",
			Title: "Prometheus' configuration and rules are right, and tested",
			Why:   "Prometheus goes on with the configuration before one that it can't load, and a rule that is wrong is silent: both show when an alert doesn't come.",
			Find:  findPrometheus,
		},
		{
			Name:  "alertmanager",
			Title: "Alertmanager can load its configuration",
			Why:   "An Alertmanager that can't load its configuration doesn't start, or goes on telling the wrong people; nobody hears that it doesn't work.",
			Find:  findAlertmanager,
		},
		{
			Name:  "fluentd",
			Title: "fluentd can load its configuration",
			Why:   "fluentd ends when it can't load its configuration, on all machines at once; what it can load but never uses loses logs silently.",
			Find:  findFluentd,
		},
		{
			Name:  "nginx",
			Title: "nginx can load its configuration",
			Why:   "nginx refuses to start or to reload with one wrong directive, and the ingress controller ignores settings that it doesn't know.",
			Find:  findNginx,
		},
		{
			Name:  "jcasc",
			Title: "Jenkins can load its configuration as code",
			Why:   "Jenkins doesn't start when one part of its configuration is unknown, which shows minutes after a rollout.",
			Find:  findJenkins,
		},
	}
}

// each gathers what a function finds in each cluster.
func each(ctx context.Context, r *check.Repository, f func(*cluster) []check.Finding) ([]check.Finding, error) {
	var out []check.Finding
	for _, rendered := range r.Clusters {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out = append(out, f(newCluster(rendered))...)
	}
	return out, nil
}
