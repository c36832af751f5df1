package addons

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"platform/internal/plan"
)

// action is what is to be done about one object.
type action int

const (
	nothing action = iota
	create
	update
	// adopt applies an object whose values are right and whose record of
	// owners isn't. It is no change that anybody would see.
	adopt
	replace
)

// step is one declared object and what is to be done about it.
type step struct {
	*object
	do     action
	live   *unstructured.Unstructured // its remnant; nil unless it is there and there is something to do
	diff   []plan.Field
	reason string
	held   []HeldField // what others hold and applying without force can't change
}

// change is the step as a change of the plan, if it is one.
func (st *step) change() (plan.Change, bool) {
	ops := map[action]plan.Op{create: plan.Create, update: plan.Update, replace: plan.Replace}
	op, ok := ops[st.do]
	return plan.Change{
		Layer: plan.Addons, Op: op, Resource: st.String(), Diff: st.diff, Reason: st.reason, Source: st.file.Source,
		Seen: st.seen(),
	}, ok
}

// seen is the live object's version where the diff hides what it holds.
func (st *step) seen() string {
	if st.live == nil || st.Kind != "Secret" {
		return ""
	}
	return st.live.GetResourceVersion()
}

// decide finds out what is to be done about an object that a comparison
// couldn't settle, by asking the server what applying it would make of it.
func (l *Layer) decide(ctx context.Context, s *api, o *object, live *unstructured.Unstructured) (*step, error) {
	k, _ := s.kinds.of(o.gvk)
	for tries := 0; ; tries++ {
		st := &step{object: o, live: live, do: create}
		if live == nil {
			return st, nil
		}
		if live.GetDeletionTimestamp() != nil {
			st.live, st.reason = remnant(live), "the one that is there is being deleted"
			return st, nil
		}
		after, err := l.judge(ctx, s, st, k)
		// What a controller wrote between our reading and the dry run would
		// look like a change of ours, or make the dry run fail.
		moved := apierrors.IsConflict(err) || after != nil && after.GetResourceVersion() != live.GetResourceVersion()
		if !moved || tries == 5 {
			if st.live = nil; st.do != nothing {
				st.live = remnant(live)
			}
			return st, err
		}
		if live, err = s.get(ctx, k, o.ref); err != nil {
			return nil, err
		}
	}
}

// remnant is what of a live object matters once it is decided what to do about
// it: which one it was, how it was doing and whose it was. Objects may be large,
// and many.
func remnant(live *unstructured.Unstructured) *unstructured.Unstructured {
	out := &unstructured.Unstructured{Object: map[string]any{"apiVersion": live.GetAPIVersion(), "kind": live.GetKind()}}
	for _, path := range remnants {
		if value, found, _ := unstructured.NestedFieldNoCopy(live.Object, path...); found {
			// It fails only where something else than a map is in the way.
			_ = unstructured.SetNestedField(out.Object, value, path...)
		}
	}
	return out
}

var remnants = [][]string{
	{"metadata", "name"}, {"metadata", "namespace"}, {"metadata", "uid"}, {"metadata", "resourceVersion"},
	{"metadata", "deletionTimestamp"}, {"metadata", "labels"}, {"metadata", "managedFields"},
	{"spec", "replicas"}, {"status", "conditions"},
}

// judge fills in what is to be done about the live object of a step, and
// returns what the server foresees if it has foreseen anything.
func (l *Layer) judge(ctx context.Context, s *api, st *step, k kind) (*unstructured.Unstructured, error) {
	by, err := ownersOf(st.live)
	if err != nil {
		return nil, err
	}
	after, err := l.foresee(ctx, s, st, k, by)
	switch {
	case err != nil && isImmutable(err):
		return nil, l.mustReplace(st, by, firstCause(err))
	case err != nil && len(st.held) > 0:
		// Two managers' parts of an object may not fit together.
		return nil, fmt.Errorf("%w; %s", err, heldText(st.held))
	case err != nil:
		return nil, err
	case keepsHeadless(st.object, st.live, by.ours()):
		err := l.mustReplace(st, by, "a Service made without an address can't get one later")
		st.diff = append(st.diff, plan.Field{Path: clusterIPPath.String()[1:], From: "None"})
		plan.SortFields(st.diff)
		return nil, err
	}
	then, err := ownersOf(after)
	if err != nil {
		return nil, err
	}
	st.diff = hide(st.Kind, diffObjects(st.live, after, by.all().Union(then.all())), l.salt)
	credit(st.diff, by)
	switch {
	case len(st.diff) > 0:
		st.do = update
		if len(st.held) > 0 {
			st.reason = heldText(st.held)
		}
	case by.ours() == nil || !by.ours().Equals(then.ours()) || by.clientSide() != nil || releases(st.object, by):
		st.do = adopt
	default:
		st.do = nothing
	}
	return after, nil
}

// releases reports whether replicas have to be let go of for an autoscaler.
func releases(o *object, by owners) bool {
	return o.scaled && by.ours() != nil && by.ours().Has(replicasPath)
}

// foresee asks the server for the object as applying would leave it. It notes
// in the step what others hold.
func (l *Layer) foresee(ctx context.Context, s *api, st *step, k kind, by owners) (*unstructured.Unstructured, error) {
	body := st.body
	if releases(st.object, by) {
		if replicas, found, _ := unstructured.NestedInt64(st.live.Object, "spec", "replicas"); found {
			body = body.DeepCopy()
			if err := unstructured.SetNestedField(body.Object, replicas, "spec", "replicas"); err != nil {
				return nil, err
			}
		}
	}
	o := applyOptions{manager: Manager, force: l.opts.Force, dryRun: true}
	after, err := s.apply(ctx, k, body, o)
	if apierrors.IsConflict(err) {
		for _, f := range heldFields(err) {
			// What client-side apply holds is handed over first.
			if f.Manager != clientSideApply {
				st.held = append(st.held, f)
			}
		}
		o.force = true
		after, err = s.apply(ctx, k, body, o)
	}
	if err != nil || by.clientSide() == nil {
		return after, err
	}
	// What client-side apply owned and git doesn't have goes away, and the
	// server may put defaults in its place: only an update tells.
	then, err := ownersOf(after)
	if err != nil {
		return nil, err
	}
	keep := then.ours()
	if st.scaled {
		keep = keep.Union(fieldpath.NewSet(replicasPath))
	}
	after.Object = remove(after.Object, orphans(by, keep)).(map[string]any)
	records := after.GetManagedFields()
	after.SetManagedFields(nil)
	updated, err := s.resource(k, st.Namespace).Update(ctx, after, metav1.UpdateOptions{
		DryRun: []string{metav1.DryRunAll}, FieldManager: Manager,
	})
	if err != nil {
		return nil, explain(s.server, err)
	}
	updated.SetManagedFields(records)
	return updated, nil
}

// mustReplace makes the step a replacement, unless that would lose data.
func (l *Layer) mustReplace(st *step, by owners, why string) error {
	if !replaceable(st.GroupKind) {
		return fmt.Errorf("%s, and replacing a %s would lose what it stands for: take the change back, or move what depends on it to a new one under another name", why, st.Kind)
	}
	owned := by.ours()
	if owned == nil {
		owned = &fieldpath.Set{}
	}
	st.do, st.reason = replace, why
	before := &unstructured.Unstructured{Object: narrowed(decided(st.live), decided(st.body), owned).(map[string]any)}
	st.diff = hide(st.Kind, diffObjects(before, st.body, by.all()), l.salt)
	return nil
}

// replaceable reports whether objects of a kind can be deleted and made anew
// without losing more than running pods. Deleting custom resources may delete
// whatever they stand for.
func replaceable(k schema.GroupKind) bool { return builtin[k.Group] && !holdsData(k) }

// firstCause is why an update was refused, without the status' wrapping.
func firstCause(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		if d := status.Status().Details; d != nil && len(d.Causes) > 0 {
			return d.Causes[0].Field + ": " + immutableText(d.Causes[0].Message)
		}
	}
	return err.Error()
}

// immutableText shortens a cause to what it says, without the value, which may
// be long and is in the diff.
func immutableText(message string) string {
	if at := immutable.FindStringIndex(message); at != nil {
		if i := strings.LastIndex(message[:at[0]], ": "); i >= 0 {
			return message[i+2:]
		}
	}
	return message
}

// keepsHeadless reports whether git has dropped a Service's clusterIP: None,
// which we own. Applying says nothing and changes nothing then: the server
// keeps the field.
func keepsHeadless(o *object, live *unstructured.Unstructured, owned *fieldpath.Set) bool {
	if o.Group != "" || o.Kind != "Service" || owned == nil || !owned.Has(clusterIPPath) {
		return false
	}
	_, declared, _ := unstructured.NestedFieldNoCopy(o.body.Object, "spec", "clusterIP")
	kept, _, _ := unstructured.NestedString(live.Object, "spec", "clusterIP")
	return !declared && kept == "None"
}

var clusterIPPath = fieldpath.MakePathOrDie("spec", "clusterIP")
