// Package kopsspec is the rule about clusters' own declarations: that they have
// the form that the tool reads, and that kops accepts its part.
package kopsspec

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"

	"platform/internal/check"
	"platform/internal/declaration"
	"platform/internal/kops"
	"platform/internal/plan"
)

// Rule is the rule that declarations are valid. Worker is the command that
// starts a kops worker.
func Rule(worker []string) check.Rule {
	return check.Rule{
		Name: "kops", Title: "kops accepts the cluster's manifests",
		Why: "What kops refuses, it refuses after a merge, when the cluster is to be changed.",
		Find: func(ctx context.Context, r *check.Repository) ([]check.Finding, error) {
			found := make([][]check.Finding, len(r.Clusters))
			group, ctx := errgroup.WithContext(ctx)
			for i, cluster := range r.Clusters {
				d, err := declaration.Parse(cluster)
				if err != nil {
					path, message := split(err.Error())
					found[i] = []check.Finding{check.OnDeclaration(cluster, path).Saying(message, "docs/architecture.md describes what a cluster declares.")}
					continue
				}
				group.Go(func() error {
					layer := kops.New(kops.Options{Spec: d.Kops, Worker: worker, Settings: kops.DefaultSettings(), Report: func(plan.Event) {}})
					problems, err := layer.Validate(ctx)
					if err != nil {
						return err
					}
					for _, p := range problems {
						f := check.OnDeclaration(cluster, place(p)).Saying(p.Message, "See https://kops.sigs.k8s.io/cluster_spec/ and instance_groups/ for the field.")
						f.Object = strings.Replace(p.Resource, "/", " ", 1)
						found[i] = append(found[i], f)
					}
					return nil
				})
			}
			if err := group.Wait(); err != nil {
				return nil, err
			}
			var out []check.Finding
			for _, findings := range found {
				out = append(out, findings...)
			}
			return out, nil
		},
	}
}

// place is a problem's field as a path of the declaration.
func place(p kops.Problem) string {
	kind, name, _ := strings.Cut(p.Resource, "/")
	at := "kops"
	switch kind {
	case "Cluster":
		at = "kops.cluster"
	case "InstanceGroup":
		at = plan.JoinPath("kops.instanceGroups", name)
	}
	if p.Path == "" {
		return at
	}
	return at + "." + p.Path
}

// split takes the field off an error about the declaration that begins with
// one: kops.stateStore: required.
func split(message string) (path, rest string) {
	message = strings.TrimPrefix(message, "json: ")
	path, rest, found := strings.Cut(message, ": ")
	if !found || strings.ContainsAny(path, " \t") {
		return "", message
	}
	return path, rest
}
