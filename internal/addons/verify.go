package addons

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"platform/internal/plan"
)

// Verify tells how each declared object is doing, in the order of applying.
// It looks once and doesn't wait.
func (l *Layer) Verify(ctx context.Context) ([]plan.Health, error) {
	s, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	return l.verify(ctx, s)
}

// verify is Verify over a connection; a nil s stands for no cluster.
func (l *Layer) verify(ctx context.Context, s *api) ([]plan.Health, error) {
	found, objects, err := l.declared()
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		found.steps = append(found.steps, &step{object: o})
	}
	found.sort()
	for i, st := range found.steps {
		objects[i] = st.object
	}
	if s == nil {
		return l.healths(objects, func(int) (plan.State, string) { return plan.Missing, ErrNoCluster.Error() }), nil
	}
	states, err := s.examine(ctx, found.sets, objects)
	if err != nil {
		return nil, err
	}
	reasons := make([]string, len(objects))
	errs := each(ctx, s.parallel, len(objects), func(i int) error {
		state := states[objects[i].ref]
		if state == nil {
			return nil
		}
		if state.state == plan.Ready {
			reasons[i] = state.reason
			return nil
		}
		d, err := s.diagnose(ctx, state)
		reasons[i] = d.reason
		return err
	})
	if err := join(errs); err != nil {
		return nil, err
	}
	healths := l.healths(objects, func(i int) (plan.State, string) {
		state := states[objects[i].ref]
		if state == nil {
			return plan.Missing, "it isn't in the cluster"
		}
		return state.state, reasons[i]
	})
	for i, o := range objects {
		if state := states[o.ref]; state != nil && state.state != plan.Ready {
			healths[i].Final, healths[i].Undoable = state.state == plan.Failed, undoable(state.live)
		}
	}
	return healths, nil
}

func (l *Layer) healths(objects []*object, of func(int) (plan.State, string)) []plan.Health {
	out := make([]plan.Health, len(objects))
	for i, o := range objects {
		state, reason := of(i)
		out[i] = plan.Health{Layer: plan.Addons, Resource: o.String(), Stack: o.file.Name, Source: o.file.Source, State: state, Reason: reason}
	}
	return out
}

// condition is how one live object is doing.
type condition struct {
	state  plan.State
	reason string
	// live is kept only while it isn't ready.
	live *unstructured.Unstructured
}

// examine reads how objects are doing; those that don't exist have no entry.
func (s *api) examine(ctx context.Context, sets []*applySet, objects []*object) (map[ref]*condition, error) {
	var mu sync.Mutex
	out := map[ref]*condition{}
	_, err := s.read(ctx, sets, objects, func(u *unstructured.Unstructured, at ref) error {
		c := &condition{}
		if c.state, c.reason = healthOf(u); c.state != plan.Ready {
			c.live = u
		}
		mu.Lock()
		defer mu.Unlock()
		out[at] = c
		return nil
	})
	if err != nil {
		return nil, err
	}
	for at, c := range out {
		if c.state != plan.Progressing || at.GroupKind != claims {
			continue
		}
		waits, err := s.waitsForConsumer(ctx, c.live)
		if err != nil {
			return nil, &ObjectError{Doing: "examining", Resource: at.String(), Err: err}
		}
		if waits {
			out[at] = &condition{state: plan.Ready}
		}
	}
	return out, nil
}

var (
	claims         = schema.GroupKind{Kind: "PersistentVolumeClaim"}
	storageClasses = kind{gvr: schema.GroupVersionResource{Group: "storage.k8s.io", Version: "v1", Resource: "storageclasses"}}
)

// waitsForConsumer reports whether a claim is unbound because no pod uses it
// yet and its class binds claims only then, which is as it should be.
func (s *api) waitsForConsumer(ctx context.Context, claim *unstructured.Unstructured) (bool, error) {
	name, _, _ := unstructured.NestedString(claim.Object, "spec", "storageClassName")
	if claim.GetDeletionTimestamp() != nil || claim.GetAnnotations()["volume.kubernetes.io/selected-node"] != "" || name == "" {
		return false, nil
	}
	class, err := s.get(ctx, storageClasses, ref{Name: name})
	if err != nil || class == nil {
		return false, err
	}
	mode, _, _ := unstructured.NestedString(class.Object, "volumeBindingMode")
	return mode == "WaitForFirstConsumer", nil
}

const pollEvery = time.Second

// waitPace is how waiting goes on that takes long.
type waitPace struct {
	// talkAfter is how long something may take before it is asked why, and
	// talkEvery how often from then on: that takes requests for each object.
	talkAfter, talkEvery time.Duration
	// hopelessAfter is how long pods may be in a state that seldom passes by
	// itself until they are given up. A Deployment has a deadline of its own,
	// but says nothing before; other workloads have none.
	hopelessAfter time.Duration
}

var defaultPace = waitPace{talkAfter: 10 * time.Second, talkEvery: 5 * time.Second, hopelessAfter: 2 * time.Minute}

// await waits until objects are ready. It gives up at once on what has failed
// for good, and after the timeout on everything else. A paused rollout is its
// operator's business and isn't waited for.
//
// Verdicts are those that were there before the objects were applied: see
// deadlineVerdict.
func (l *Layer) await(ctx context.Context, s *api, sets []*applySet, pending []*object, verdicts map[ref]string) error {
	start := time.Now()
	declared := make([]*applySet, 0, len(sets))
	for _, set := range sets {
		// Without what their parents record, only the pending are listed.
		declared = append(declared, &applySet{id: set.id, recorded: newScope()})
	}
	said := map[ref]string{}
	hopelessSince := map[ref]time.Time{}
	var talked time.Time
	for wait := 100 * time.Millisecond; len(pending) > 0; wait = min(2*wait, pollEvery) {
		states, err := s.examine(ctx, declared, pending)
		if err != nil {
			return err
		}
		var waiting []*object
		var failed []error
		late := time.Since(start) >= l.opts.Timeout
		talk := time.Since(start) > l.pace.talkAfter && time.Since(talked) > l.pace.talkEvery
		if talk {
			talked = time.Now()
		}
		for _, o := range pending {
			c := states[o.ref]
			if c == nil {
				c = &condition{state: plan.Missing, reason: "it isn't in the cluster"}
			}
			if c.state == plan.Ready {
				continue
			}
			if c.live != nil && isPaused(c.live) {
				l.report(o.String(), "paused", pausedText, false)
				continue
			}
			waiting = append(waiting, o)
			d := diagnosis{reason: c.reason}
			final := c.state == plan.Failed && !outdated(c.live, verdicts[o.ref])
			if c.live != nil && (final || late || talk) {
				if d, err = s.diagnose(ctx, c); err != nil {
					return err
				}
				if !d.lasting {
					delete(hopelessSince, o.ref)
				} else if hopelessSince[o.ref].IsZero() {
					hopelessSince[o.ref] = time.Now()
				}
				final = final || d.lasting && time.Since(hopelessSince[o.ref]) >= l.pace.hopelessAfter
			}
			if final || late {
				failed = append(failed, &NotReadyError{
					Resource: o.String(), Source: o.file.Source, Reason: d.reason, After: l.opts.Timeout,
					Final: final, Undoable: undoable(c.live),
				})
			}
			if said[o.ref] != d.reason && (talk || !strings.HasPrefix(said[o.ref], d.reason)) {
				said[o.ref] = d.reason
				l.report(o.String(), "waiting", d.reason, true)
			}
		}
		if len(failed) > 0 {
			return errors.Join(failed...)
		}
		if pending = waiting; len(pending) == 0 {
			return nil
		}
		if err := sleep(ctx, min(wait, l.opts.Timeout-time.Since(start))); err != nil {
			return err
		}
	}
	return nil
}
