package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"platform/internal/plan"
)

// Layer is one layer of a cluster.
type Layer interface {
	Name() plan.Layer
	// Plan lists what differs; it writes nothing.
	Plan(ctx context.Context) ([]plan.Change, error)
	// Apply makes reality what git says and returns what it did, also with
	// an error. It can be run again after any interruption.
	Apply(ctx context.Context) ([]plan.Change, error)
	// Verify says how the layer's resources are doing now.
	Verify(ctx context.Context) ([]plan.Health, error)
}

// Deleter is a layer that has something to delete when its cluster goes.
// Layers without that have nothing of their own outside the cluster.
type Deleter interface {
	Layer
	PlanDelete(ctx context.Context) ([]plan.Change, error)
	Delete(ctx context.Context) ([]plan.Change, error)
}

// Declarer is a layer that can tell what git declares of it, whether it differs
// or not, named as in its changes.
type Declarer interface {
	Layer
	Declared() []string
}

// Requester is a layer that counts its requests to the cluster's API server.
type Requester interface {
	Layer
	Requests() int
}

// Cluster is a cluster and its layers, in the order in which they build on
// each other.
type Cluster struct {
	Name   string
	Layers []Layer
}

// LayerError says in which layer something went wrong.
type LayerError struct {
	Layer plan.Layer
	Err   error
}

func (e *LayerError) Error() string {
	// Layers that name themselves in their errors needn't be named twice.
	if text := e.Err.Error(); strings.HasPrefix(text, string(e.Layer)+": ") {
		return text
	}
	return fmt.Sprintf("%s: %v", e.Layer, e.Err)
}

func (e *LayerError) Unwrap() error { return e.Err }

// Plan plans every layer. The first that can't be planned ends it: a part of
// a plan must not pass for the whole.
func (c Cluster) Plan(ctx context.Context) (plan.Plan, error) {
	p := plan.Plan{Cluster: c.Name}
	for _, layer := range c.Layers {
		changes, err := layer.Plan(ctx)
		if err != nil {
			return plan.Plan{Cluster: c.Name}, &LayerError{layer.Name(), err}
		}
		p.Changes = append(p.Changes, changes...)
		if l, ok := layer.(Declarer); ok {
			p.Unchanged = append(p.Unchanged, unchanged(l.Declared(), changes)...)
		}
		if l, ok := layer.(Requester); ok {
			p.Requests += l.Requests()
		}
	}
	return p, nil
}

// unchanged are the resources that no change is about.
func unchanged(declared []string, changes []plan.Change) []string {
	differ := map[string]bool{}
	for _, c := range changes {
		differ[c.Resource] = true
	}
	return slices.DeleteFunc(declared, func(resource string) bool { return differ[resource] })
}

// Step is what became of one layer.
type Step struct {
	Layer plan.Layer `json:"layer"`
	// Changes are what was done, in order.
	Changes []plan.Change `json:"changes"`
	// Seconds is how long it took, waiting included.
	Seconds float64 `json:"seconds"`
}

// Apply applies the layers that differ by plan p, in order, and stops at the
// first that fails. What had been done by then is returned with the error.
func (c Cluster) Apply(ctx context.Context, p plan.Plan) ([]Step, error) {
	var steps []Step
	for _, layer := range c.Layers {
		if len(p.ByLayer(layer.Name())) == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return steps, err
		}
		start := time.Now()
		changes, err := layer.Apply(ctx)
		steps = append(steps, Step{Layer: layer.Name(), Changes: changes, Seconds: time.Since(start).Seconds()})
		if err != nil {
			return steps, &LayerError{layer.Name(), err}
		}
	}
	return steps, nil
}

// Verify asks every layer how it is doing. A layer that can't tell doesn't
// keep the others from it; its error comes with what they said.
func (c Cluster) Verify(ctx context.Context) ([]plan.Health, error) {
	var out []plan.Health
	var errs []error
	for _, layer := range c.Layers {
		health, err := layer.Verify(ctx)
		out = append(out, health...)
		if err != nil {
			errs = append(errs, &LayerError{layer.Name(), err})
		}
	}
	return out, errors.Join(errs...)
}

// WaitReady verifies until everything is ready, something has failed for good or
// patience runs out, and returns the last look.
func (c Cluster) WaitReady(ctx context.Context, patience, every time.Duration, report plan.Report) ([]plan.Health, error) {
	deadline := time.Now().Add(patience)
	for {
		health, err := c.Verify(ctx)
		waiting := NotReady(health)
		if err == nil && len(waiting) == 0 {
			return health, nil
		}
		if err != nil && ctx.Err() != nil {
			return health, err
		}
		final := slices.DeleteFunc(slices.Clone(waiting), func(h plan.Health) bool { return !h.Final })
		if err == nil && len(final) > 0 {
			return health, &NotReadyError{Health: final}
		}
		if time.Now().After(deadline) {
			if err != nil {
				return health, err
			}
			return health, &NotReadyError{After: patience, Health: waiting}
		}
		if len(waiting) > 0 {
			first := waiting[0]
			report(plan.Event{Layer: first.Layer, Resource: first.Resource, Action: "waiting", Detail: first.Reason, Transient: true})
		}
		select {
		case <-ctx.Done():
			return health, ctx.Err()
		case <-time.After(every):
		}
	}
}

// NotReady picks the resources that aren't ready.
func NotReady(health []plan.Health) []plan.Health {
	return slices.DeleteFunc(slices.Clone(health), func(h plan.Health) bool { return h.State == plan.Ready })
}

// NotReadyError names what isn't ready.
type NotReadyError struct {
	// After is how long it was waited for; not at all, if it has failed for
	// good.
	After  time.Duration
	Health []plan.Health
}

func (e *NotReadyError) Error() string {
	const shown = 5
	var lines []string
	for i, h := range e.Health {
		if i == shown {
			lines = append(lines, fmt.Sprintf("and %d more", len(e.Health)-shown))
			break
		}
		how := "failed"
		if !h.Final {
			how = fmt.Sprintf("not ready after %s", e.After)
		}
		lines = append(lines, fmt.Sprintf("%s: %s: %s: %s", h.Layer, h.Resource, how, h.Reason))
	}
	return strings.Join(lines, "\n")
}

// PlanDelete lists what deleting the cluster deletes, in the order in which
// it would go: the reverse of that in which it was built.
func (c Cluster) PlanDelete(ctx context.Context) (plan.Plan, error) {
	p := plan.Plan{Cluster: c.Name}
	for _, layer := range c.deleters() {
		changes, err := layer.PlanDelete(ctx)
		if err != nil {
			return plan.Plan{Cluster: c.Name}, &LayerError{layer.Name(), err}
		}
		p.Changes = append(p.Changes, changes...)
	}
	return p, nil
}

// Delete deletes the layers, the last first, and stops at the first error.
func (c Cluster) Delete(ctx context.Context) ([]Step, error) {
	var steps []Step
	for _, layer := range c.deleters() {
		if err := ctx.Err(); err != nil {
			return steps, err
		}
		start := time.Now()
		changes, err := layer.Delete(ctx)
		steps = append(steps, Step{Layer: layer.Name(), Changes: changes, Seconds: time.Since(start).Seconds()})
		if err != nil {
			return steps, &LayerError{layer.Name(), err}
		}
	}
	return steps, nil
}

func (c Cluster) deleters() []Deleter {
	var out []Deleter
	for _, layer := range slices.Backward(c.Layers) {
		if d, ok := layer.(Deleter); ok {
			out = append(out, d)
		}
	}
	return out
}
