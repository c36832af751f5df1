package policy

import (
	"context"
	"encoding/json"
	"slices"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/util/version"

	"platform/internal/check"
	"platform/internal/check/pods"
	"platform/internal/check/policy/admission"
	"platform/internal/render"
)

// Rules are the rules of this package.
func Rules() []check.Rule {
	return []check.Rule{
		{
			Name:  "policy",
			Title: "objects keep to the cluster's policies",
			Why:   "What breaks a policy is refused when it is deployed, runs with rights that it doesn't need, or takes the machine from its neighbours.",
			Find:  findPolicy,
		},
		{
			Name:  "secrets",
			Title: "nothing secret is in git",
			Why:   "Whoever can read the repository, or any copy of it, has the secret; taking it out again doesn't take it back.",
			Find:  findSecrets,
		},
	}
}

// cluster is a cluster with what the rules about its objects need.
type cluster struct {
	*render.Cluster
	kubernetes *version.Version
	// wildcard is what host names must fit, such as *.k.dev.example.net.
	wildcard  string
	admission *admission.Admission
	pods      []pods.Pod
}

// oldest is what a cluster that doesn't say its version is taken for.
var oldest = version.MajorMinor(1, 30)

func newCluster(rendered *render.Cluster) (*cluster, []*admission.Error) {
	var declaration struct {
		Kops struct {
			Cluster struct {
				Spec struct{ KubernetesVersion string }
			}
		}
		AWS struct{ Wildcard string }
	}
	// A declaration of another form is other rules' finding.
	_ = json.Unmarshal(rendered.Declaration, &declaration)
	c := &cluster{Cluster: rendered, wildcard: declaration.AWS.Wildcard, pods: pods.All(rendered)}
	var err error
	if c.kubernetes, err = version.ParseGeneric(declaration.Kops.Cluster.Spec.KubernetesVersion); err != nil {
		c.kubernetes = oldest
	}
	var errs []*admission.Error
	c.admission, errs = admission.New(rendered, c.kubernetes)
	return c, errs
}

func findPolicy(ctx context.Context, r *check.Repository) ([]check.Finding, error) {
	found := make([][]check.Finding, len(r.Clusters))
	group, ctx := errgroup.WithContext(ctx)
	for i, rendered := range r.Clusters {
		group.Go(func() error {
			c, errs := newCluster(rendered)
			found[i] = slices.Concat(
				broken(c, errs), admitted(ctx, c), containers(c), c.podSecurity(), hosts(c),
			)
			return ctx.Err()
		})
	}
	err := group.Wait()
	return slices.Concat(found...), err
}

// each calls a function for every object of a cluster.
func (c *cluster) each(f func(render.File, render.Object)) {
	for _, file := range c.Files {
		for _, object := range file.Objects {
			f(file, object)
		}
	}
}
