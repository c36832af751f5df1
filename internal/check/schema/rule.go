package schema

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"platform/internal/check"
	"platform/internal/check/schema/openapi"
	"platform/internal/render"
)

// Options are what the rule needs to know beside the repository.
type Options struct {
	// Provided are objects that exist although no file declares them, as
	// "Kind name"; those of the kind CustomResourceDefinition say which kinds
	// there are. The * of a name stands for any characters.
	Provided []string
}

// Rule is the rule that the API server would take every object.
func Rule(o Options) check.Rule {
	return check.Rule{
		Name: "schema", Title: "the API server would take every object",
		Why: "A misspelt field is refused in the middle of a deployment, and an API version that the cluster doesn't serve stops its next upgrade.",
		Find: func(ctx context.Context, r *check.Repository) ([]check.Finding, error) {
			compiler := newCompiler()
			provided := parseProvided(o.Provided)
			found := make([][]check.Finding, len(r.Clusters))
			group, ctx := errgroup.WithContext(ctx)
			for i, rendered := range r.Clusters {
				group.Go(func() error {
					c, findings, err := newCluster(rendered, compiler)
					if err != nil {
						return err
					}
					if c != nil {
						findings, err = c.find(ctx, provided)
					}
					found[i] = findings
					return err
				})
			}
			err := group.Wait()
			return slices.Concat(found...), err
		},
	}
}

func (c *cluster) find(ctx context.Context, provided providedKinds) ([]check.Finding, error) {
	var out []check.Finding
	for _, file := range c.rendered.Files {
		for _, object := range file.Objects {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			begin := func(path string) check.Finding { return check.OnObject(c.rendered.Name, file, object, path) }
			out = append(out, c.judge(ctx, begin, object, provided)...)
		}
	}
	return out, nil
}

// judge gives what is wrong with an object.
func (c *cluster) judge(ctx context.Context, begin func(string) check.Finding, object render.Object, provided providedKinds) []check.Finding {
	kind := object.GroupVersionKind()
	var findings []check.Finding
	var problems []problem
	if d := c.definitions[kind.GroupKind()]; d != nil {
		version, served, message, fix := d.version(kind.Version)
		if message != "" {
			f := begin("apiVersion").Saying(message, fix)
			if served {
				f.Level = check.Warning
			}
			findings = append(findings, f)
		}
		if version == nil {
			return findings
		}
		problems = c.custom(ctx, object.Object, version)
	} else {
		known := builtin(c.served, kind.Group, kind.Version, kind.Kind)
		if known == nil || !c.enabled(kind.Group, kind.Version) {
			return c.findUnknown(begin, kind, provided)
		}
		if message, fix, ok := c.aging(kind); ok {
			f := begin("apiVersion").Saying(message, fix)
			f.Level = check.Warning
			findings = append(findings, f)
		}
		problems = c.own(object.Object, known)
		if len(problems) == 0 && kind.GroupKind() == definitionKind {
			problems = c.definition(object)
		}
	}
	said := len(findings)
	for _, p := range problems {
		findings = append(findings, begin(p.at.String()).Saying(p.message, p.fix))
	}
	slices.SortStableFunc(findings[said:], func(a, b check.Finding) int { return strings.Compare(a.Path, b.Path) })
	return findings
}

// own judges an object of a kind of Kubernetes itself.
func (c *cluster) own(object map[string]any, kind *openapi.Kind) []problem {
	w := &walker{kind: kind.Kind, definitions: c.served.Definitions}
	w.visit = c.judgeWith(w, object)
	w.value(nil, object, &openapi.Schema{Ref: kind.Definition}, nil)
	w.add(nil, object, checkName(c.release(), kind.Group, kind.Kind, object))
	return w.problems
}

// judgeWith tells the walker what the API server's validation would say.
func (c *cluster) judgeWith(w *walker, root map[string]any) func(*path, string, map[string]any) {
	about := about{release: c.release(), kind: w.kind, root: root}
	return func(at *path, definition string, object map[string]any) {
		if judge := judges[definition]; judge != nil {
			w.add(at, object, judge(about, object))
		}
	}
}

// add takes over what validation says of an object. What is known to be wrong
// with a field already isn't said again.
func (w *walker) add(at *path, object map[string]any, errs field.ErrorList) {
	for _, err := range errs {
		place := at.below(object, trimRoot(err.Field))
		spelled := place.String()
		if w.meant[spelled] || slices.ContainsFunc(w.problems, func(p problem) bool { return p.at.String() == spelled }) {
			continue
		}
		w.report(place, messageOf(err), "Correct it: "+w.explain(place))
	}
}

// trimRoot removes what a field.Path without a root is called.
func trimRoot(path string) string {
	if path == "<nil>" {
		return ""
	}
	return path
}
