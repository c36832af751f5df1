package addons

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"platform/internal/plan"
)

// File is one file of objects, which make one apply set.
type File struct {
	// Name is the file's name without its extension: nginx-ingress.
	Name string
	// Source is its path in the repository.
	Source  string
	Objects []*unstructured.Unstructured
}

// Options are what a Layer works with.
type Options struct {
	// Repository and Cluster are part of every set's identity, so that two
	// repositories never prune each other's objects.
	Repository, Cluster string
	Files               []File
	// Alone leaves all other sets as they are. Without it Files are all that
	// the cluster is to have, and the sets of other files are pruned.
	Alone bool
	// Connect gives the way to the API server. As long as there is no
	// cluster its error is ErrNoCluster and everything is planned as new.
	Connect func(context.Context) (*rest.Config, error)
	// PruneData deletes claims, namespaces and definitions too when git no
	// longer has them. Their data goes with them.
	PruneData bool
	// Force takes over fields that git declares and others hold.
	Force bool
	// Timeout is how long applying waits for what it applied to become
	// ready, at each place where it waits. Zero means five minutes.
	Timeout time.Duration
	// Parallel bounds the requests under way at once. Zero means 16.
	Parallel int
	Report   plan.Report
}

// Layer is the addons layer of one cluster.
type Layer struct {
	opts     Options
	requests atomic.Int64
	warnings warnings
	// salt makes the hashes of secret values useless outside of this run.
	salt []byte
	pace waitPace
}

// New makes the layer. It does nothing yet.
func New(opts Options) *Layer {
	if opts.Report == nil {
		opts.Report = func(plan.Event) {}
	}
	if opts.Timeout <= 0 {
		opts.Timeout = 5 * time.Minute
	}
	if opts.Parallel <= 0 {
		opts.Parallel = 16
	}
	l := &Layer{opts: opts, salt: make([]byte, 32), pace: defaultPace}
	l.warnings.report = l.report
	rand.Read(l.salt) // it never fails
	return l
}

// Name is plan.Addons.
func (l *Layer) Name() plan.Layer { return plan.Addons }

// Requests counts the requests made to the API server so far.
func (l *Layer) Requests() int { return int(l.requests.Load()) }

// Declared lists what git declares, in the order of applying.
func (l *Layer) Declared() []string {
	found, objects, err := l.declared()
	if err != nil {
		return nil // Plan says why
	}
	for _, o := range objects {
		found.steps = append(found.steps, &step{object: o})
	}
	found.sort()
	out := make([]string, len(found.steps))
	for i, st := range found.steps {
		out[i] = st.String()
	}
	return out
}

// Plan lists what applying would change, in the order in which it would. It
// writes nothing.
func (l *Layer) Plan(ctx context.Context) ([]plan.Change, error) {
	s, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	found, err := l.survey(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, m := range found.kept {
		l.report(m.String(), "kept", keptDetail, false)
	}
	return found.changes(), nil
}

// report emits an event of one resource.
func (l *Layer) report(resource, action, detail string, transient bool) {
	l.opts.Report(plan.Event{Layer: plan.Addons, Resource: resource, Action: action, Detail: detail, Transient: transient})
}
