package addons

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"platform/internal/plan"
)

// Apply makes the cluster what git declares and waits until it is ready. It
// returns what it did, in order, also when it fails half-way; run again, it
// does the rest. If others hold fields that git declares, it fails with a
// ConflictError before it has written anything, unless it is forced.
//
// The order keeps the sets true at any moment: their parents name the kinds of
// all that may exist before it does, and narrow only after the last deletion.
func (l *Layer) Apply(ctx context.Context) ([]plan.Change, error) {
	s, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, ErrNoCluster
	}
	found, err := l.survey(ctx, s)
	if err != nil {
		return nil, err
	}
	return l.carryOut(ctx, s, found)
}

// carryOut applies what a survey has found.
func (l *Layer) carryOut(ctx context.Context, s *api, found *survey) ([]plan.Change, error) {
	if err := l.refuseConflicts(found); err != nil {
		return nil, err
	}
	records := found.parentChanges()
	a := &applier{Layer: l, api: s, survey: found}
	if err := a.run(ctx); err != nil {
		return a.done, err
	}
	return append(a.done, records...), nil
}

// refuseConflicts fails if anything is held by others.
func (l *Layer) refuseConflicts(found *survey) error {
	var errs []error
	for _, st := range found.steps {
		if len(st.held) > 0 && st.do == update && !l.opts.Force {
			errs = append(errs, &ConflictError{Resource: st.String(), Source: st.file.Source, Fields: st.held})
		}
	}
	return errors.Join(errs...)
}

// applier is one run of Apply.
type applier struct {
	*Layer
	*api
	*survey
	done []plan.Change
}

func (a *applier) run(ctx context.Context) error {
	if err := a.widen(ctx); err != nil {
		return err
	}
	for _, stage := range Stages {
		steps := a.at(stage)
		if err := a.resolve(ctx, steps); err != nil {
			return err
		}
		if err := a.applySteps(ctx, steps); err != nil {
			return err
		}
		if !stage.awaited() {
			continue
		}
		var objects []*object
		verdicts := map[ref]string{}
		for _, st := range steps {
			objects = append(objects, st.object)
			if st.do != nothing {
				verdicts[st.ref] = deadlineVerdict(st.live)
			}
		}
		if err := a.await(ctx, a.api, a.sets, objects, verdicts); err != nil {
			return err
		}
	}
	failed, err := a.prune(ctx)
	if narrowErr := a.narrow(ctx, failed); err == nil {
		err = narrowErr
	}
	return err
}

func (f *survey) at(stage Stage) []*step {
	var out []*step
	for _, st := range f.steps {
		if st.stage == stage {
			out = append(out, st)
		}
	}
	return out
}

// widen makes the parents name everything that is in their sets or is going to
// be. A set without objects gets a parent only to be found when it has some.
func (a *applier) widen(ctx context.Context) error {
	return join(each(ctx, a.parallel, len(a.sets), func(i int) error {
		set := a.sets[i]
		wide := set.recorded.union(set.wanted)
		if set.exists && wide.equal(set.recorded) {
			return nil
		}
		return a.writeParent(ctx, set, wide)
	}))
}

// writeParent records where a set's members are. Its fields are nobody else's
// to hold, which is why it takes them over.
func (a *applier) writeParent(ctx context.Context, set *applySet, where scope) error {
	_, err := a.apply(ctx, configMaps, set.manifest(where), applyOptions{manager: parentManager, force: true})
	if err != nil {
		return &ObjectError{Doing: "recording the set of " + set.key.File + " in", Resource: set.parent().String(), Err: err}
	}
	set.exists, set.recorded = true, where
	return nil
}

// servedWithin is how long a definition that is established may take to be
// served.
const servedWithin = 30 * time.Second

// resolve waits until all kinds are served. Those whose definitions were
// applied just now take a moment.
func (a *applier) resolve(ctx context.Context, steps []*step) error {
	deadline := time.Now().Add(servedWithin)
	for {
		i := slices.IndexFunc(steps, func(st *step) bool {
			_, served := a.kinds.of(st.gvk)
			return st.do != nothing && !served
		})
		if i < 0 {
			return nil
		}
		if time.Now().After(deadline) {
			st := steps[i]
			return &ObjectError{Doing: "applying", Resource: st.String(), Source: st.file.Source, Err: a.kinds.unserved(st.gvk)}
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
		if err := a.discover(ctx); err != nil {
			return err
		}
	}
}

// applySteps applies the objects of a stage side by side. Once one of them can't
// be applied it begins with no other.
func (a *applier) applySteps(ctx context.Context, steps []*step) error {
	succeeded := make([]bool, len(steps))
	var failed atomic.Bool
	errs := each(ctx, a.parallel, len(steps), func(i int) error {
		st := steps[i]
		if st.do == nothing || failed.Load() {
			return nil
		}
		if err := a.applyStep(ctx, st); err != nil {
			failed.Store(true)
			var conflict *ConflictError
			if errors.As(err, &conflict) {
				return err
			}
			return &ObjectError{Doing: "applying", Resource: st.String(), Source: st.file.Source, Err: err}
		}
		succeeded[i] = true
		return nil
	})
	for i, st := range steps {
		if c, ok := st.change(); ok && succeeded[i] {
			a.done = append(a.done, c)
		}
	}
	return join(errs)
}

// pastTense is what events call an action that is done.
var pastTense = map[action]string{create: "created", update: "updated", replace: "replaced"}

func (a *applier) applyStep(ctx context.Context, st *step) error {
	k, _ := a.kinds.of(st.gvk)
	if st.live != nil {
		switch {
		case st.do == replace:
			// In the foreground, so that the old pods are gone before the
			// new ones come: both may want the same volume or port.
			if err := a.delete(ctx, k, st.ref, st.live.GetUID(), metav1.DeletePropagationForeground); err != nil {
				return err
			}
			fallthrough
		case st.do == create: // the one that is there is being deleted
			m := &member{ref: st.ref, kind: k, uid: st.live.GetUID()}
			if _, err := a.awaitGone(ctx, []*member{m}); err != nil {
				return err
			}
		default:
			if err := a.handOver(ctx, k, st); err != nil {
				return err
			}
		}
	}
	err := a.applyPatiently(ctx, k, st)
	if apierrors.IsConflict(err) {
		if held := heldFields(err); len(held) > 0 {
			return &ConflictError{Resource: st.String(), Source: st.file.Source, Fields: held}
		}
	}
	if err != nil {
		return err
	}
	if st.scaled && (st.do == create || st.do == replace) {
		if err := a.raise(ctx, k, st); err != nil {
			return err
		}
	}
	if verb, ok := pastTense[st.do]; ok {
		a.report(st.String(), verb, st.reason, false)
	}
	return nil
}

// scaleManager is the field manager of replicas that a new workload begins with.
// They are the autoscaler's from then on.
const scaleManager = Manager + "-scale"

// raise gives a workload that was made just now as many replicas as its
// autoscaler would, or as there were. An autoscaler takes a quarter of a minute
// to see a new workload, which by then has called itself ready with one.
func (a *applier) raise(ctx context.Context, k kind, st *step) error {
	replicas := st.least
	if st.live != nil {
		before, _, _ := unstructured.NestedInt64(st.live.Object, "spec", "replicas")
		replicas = max(replicas, before)
	}
	if replicas < 2 {
		return nil
	}
	ctx, done := finishing(ctx)
	defer done()
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	_, err := a.resource(k, st.Namespace).Patch(ctx, st.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: scaleManager}, "scale")
	return explain(a.server, err)
}

// handOver corrects the record of an object's owners before it is applied.
func (a *applier) handOver(ctx context.Context, k kind, st *step) error {
	live := st.live
	for tries := 0; ; tries++ {
		patch, err := handover(live, st.scaled)
		if err != nil || patch == nil {
			return err
		}
		writing, done := finishing(ctx)
		_, err = a.resource(k, st.Namespace).Patch(writing, st.Name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: Manager})
		done()
		if !apierrors.IsConflict(err) || tries == 5 {
			return explain(a.server, err)
		}
		// Somebody changed it meanwhile: take the record as it is now.
		if live, err = a.get(ctx, k, st.ref); err != nil {
			return err
		}
		if live == nil {
			return fmt.Errorf("somebody deleted it meanwhile: run this again")
		}
	}
}

// narrow makes the parents name just what is left, and deletes those of files
// that git no longer has once nothing is left.
func (a *applier) narrow(ctx context.Context, failed []*member) error {
	return join(each(ctx, a.parallel, len(a.sets), func(i int) error {
		set := a.sets[i]
		left := a.remaining(set, failed)
		if !set.declared && len(left.kinds) == 0 {
			parent, err := a.get(ctx, configMaps, set.parent())
			if err == nil && parent != nil {
				err = a.delete(ctx, configMaps, set.parent(), parent.GetUID(), metav1.DeletePropagationBackground)
			}
			if err != nil {
				return &ObjectError{Doing: "deleting", Resource: set.parent().String(), Err: err}
			}
			return nil
		}
		if left.equal(set.recorded) {
			return nil
		}
		return a.writeParent(ctx, set, left)
	}))
}
