package objects

import (
	"context"
	"slices"

	"platform/internal/check"
	"platform/internal/render"
)

// Options are what the rules need to know beside the repository.
type Options struct {
	// Provided are objects that exist although no file declares them, as
	// "Kind name" or "Kind namespace/name", where * stands for any characters,
	// and optionally ": key, key" of a ConfigMap or Secret.
	Provided []string
}

// Rules are the rules of this package.
func Rules(o Options) []check.Rule {
	return []check.Rule{
		{
			Name:  "namespace",
			Title: "objects are in namespaces that exist",
			Why:   "An object without a namespace lands in whichever one the client happens to use, and one in a namespace that nobody declares can't be created.",
			Find:  each(func(_ context.Context, c *cluster) ([]check.Finding, error) { return namespaces(c), nil }, o),
		},
		{
			Name:  "references",
			Title: "what objects refer to exists",
			Why:   "The API server takes references to what doesn't exist; pods then don't start, and Services and policies lead nowhere.",
			Find:  each(func(_ context.Context, c *cluster) ([]check.Finding, error) { return references(c), nil }, o),
		},
		{
			Name:  "collisions",
			Title: "each object is declared once",
			Why:   "Two declarations of one object overwrite each other with every deployment, and the file that loses it deletes it.",
			Find:  each(func(_ context.Context, c *cluster) ([]check.Finding, error) { return collisions(c), nil }, o),
		},
	}
}

// each makes a rule's Find out of one that looks at a cluster.
func each(find func(context.Context, *cluster) ([]check.Finding, error), o Options) func(context.Context, *check.Repository) ([]check.Finding, error) {
	return func(ctx context.Context, r *check.Repository) ([]check.Finding, error) {
		var out []check.Finding
		for _, rendered := range r.Clusters {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			c, err := newCluster(rendered, o.Provided)
			if err != nil {
				return nil, err
			}
			findings, err := find(ctx, c)
			if err != nil {
				return nil, err
			}
			out = slices.Concat(out, findings)
		}
		return out, nil
	}
}

// collisions finds objects that are declared more than once.
func collisions(c *cluster) []check.Finding {
	type place struct {
		file render.File
		key  string
	}
	first := map[id]place{}
	var out []check.Finding
	for _, o := range c.all {
		before, again := first[o.id]
		if !again {
			first[o.id] = place{o.file, o.object.Key}
			continue
		}
		where := before.file.Source + " (" + before.key + ")"
		out = append(out, o.at("metadata.name").Saying(
			"is declared by "+where+" as well",
			"Delete one of the declarations, or give the objects different names."))
	}
	return out
}
