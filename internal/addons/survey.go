package addons

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"platform/internal/plan"
)

// survey is everything that differs between git and one cluster, found out
// once and then planned or applied.
type survey struct {
	// sets are those of the declared files, in their order, and then those
	// of files that git no longer has.
	sets []*applySet
	// steps are one for each declared object, by stage and then as declared.
	steps []*step
	// strays are members of our sets that git doesn't declare, in the order
	// in which they are deleted; kept are those of them that stay because
	// they hold data, and leaving those that are being deleted already.
	strays, kept, leaving []*member
}

// keptDetail is said of members that aren't deleted with the rest.
const keptDetail = "git no longer has it; it holds data and is deleted only with --prune-data"

// holdsData are kinds whose deletion deletes what can't be made again.
func holdsData(k schema.GroupKind) bool {
	switch k {
	case schema.GroupKind{Kind: "PersistentVolumeClaim"}, schema.GroupKind{Kind: "PersistentVolume"}, schema.GroupKind{Kind: "Namespace"},
		schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:
		return true
	}
	return false
}

// survey compares git with the cluster; a nil s stands for none.
func (l *Layer) survey(ctx context.Context, s *api) (*survey, error) {
	found, objects, err := l.declared()
	if err != nil {
		return nil, err
	}
	if s == nil {
		for _, o := range objects {
			found.steps = append(found.steps, &step{object: o, do: create})
		}
		found.sort()
		return found, nil
	}
	if err := l.readSets(ctx, s, found); err != nil {
		return nil, err
	}
	if err := s.checkKinds(objects); err != nil {
		return nil, err
	}
	steps, strays, errs, err := l.compare(ctx, s, found.sets, objects)
	if err != nil {
		return nil, err
	}
	if err := join(errs); err != nil {
		return nil, err
	}
	found.steps = steps
	if err := s.checkNamespaces(ctx, found.steps); err != nil {
		return nil, err
	}
	for _, m := range strays {
		switch {
		case m.leaving:
			found.leaving = append(found.leaving, m)
		case holdsData(m.GroupKind) && !l.opts.PruneData:
			found.kept = append(found.kept, m)
		default:
			found.strays = append(found.strays, m)
		}
	}
	found.sort()
	return found, nil
}

// compare finds out what is to be done about each object, and which members of
// the sets aren't among them. Errors that are about one object are returned by
// its index.
//
// What is in the cluster is compared while it is read, and nothing is kept of it
// but what there is to do: memory doesn't grow with the cluster.
func (l *Layer) compare(ctx context.Context, s *api, sets []*applySet, objects []*object) ([]*step, []*member, []error, error) {
	steps, errs := make([]*step, len(objects)), make([]error, len(objects))
	index := make(map[ref]int, len(objects))
	for i, o := range objects {
		steps[i] = &step{object: o, do: create} // unless it turns up
		index[o.ref] = i
	}
	strays, err := s.read(ctx, sets, objects, func(u *unstructured.Unstructured, at ref) error {
		i := index[at]
		o := objects[i]
		by, err := ownersOf(u)
		if err != nil {
			return err
		}
		steps[i], errs[i] = &step{object: o, do: nothing}, nil
		if settled(o.body, u, by) {
			return nil
		}
		decision, err := l.decide(ctx, s, o, u)
		if err != nil {
			errs[i] = &ObjectError{Doing: "planning", Resource: o.String(), Source: o.file.Source, Err: err}
			return nil
		}
		steps[i] = decision
		return nil
	})
	if err != nil {
		return nil, nil, nil, err
	}
	return steps, strays, errs, nil
}

// declared gives what git declares: the sets and, ready to be applied, the
// objects.
func (l *Layer) declared() (*survey, []*object, error) {
	found := &survey{}
	for _, file := range l.opts.Files {
		set := newApplySet(setKey{l.opts.Repository, l.opts.Cluster, file.Name})
		set.declared = true
		found.sets = append(found.sets, set)
	}
	objects, err := prepare(l.opts.Files, found.sets)
	if err != nil {
		return nil, nil, err
	}
	for _, o := range objects {
		o.set.wanted.add(o.ref)
	}
	return found, objects, nil
}

func index(objects []*object) map[ref]*object {
	out := make(map[ref]*object, len(objects))
	for _, o := range objects {
		out[o.ref] = o
	}
	return out
}

// sort puts steps and deletions into the order of applying: stage by stage,
// as declared inside of each; deletions last and the other way round.
func (f *survey) sort() {
	slices.SortStableFunc(f.steps, func(a, b *step) int { return int(a.stage - b.stage) })
	byStage := func(a, b *member) int {
		if d := StageOf(b.GroupKind) - StageOf(a.GroupKind); d != 0 {
			return int(d)
		}
		return strings.Compare(a.String(), b.String())
	}
	slices.SortFunc(f.strays, byStage)
	slices.SortFunc(f.kept, byStage)
}

// changes is the survey as a plan.
func (f *survey) changes() []plan.Change {
	var out []plan.Change
	for _, st := range f.steps {
		if c, ok := st.change(); ok {
			out = append(out, c)
		}
	}
	for _, m := range f.strays {
		out = append(out, m.deletion())
	}
	return append(out, f.parentChanges()...)
}

// parentChanges are the changes of the sets' parents, but only where nothing
// else says that there is something to do for a set: they are bookkeeping that
// goes with every change.
func (f *survey) parentChanges() []plan.Change {
	busy := map[*applySet]bool{}
	for _, st := range f.steps {
		if _, changes := st.change(); changes {
			busy[st.set] = true
		}
	}
	for _, m := range f.strays {
		busy[m.set] = true
	}
	var out []plan.Change
	for _, set := range f.sets {
		if c, ok := set.change(f.remaining(set, nil)); ok && !busy[set] {
			out = append(out, c)
		}
	}
	return out
}

// remaining is where a set's members are once all is done; what couldn't be
// deleted stays on record.
func (f *survey) remaining(set *applySet, failed []*member) scope {
	out := set.wanted.union(newScope())
	for _, m := range slices.Concat(f.kept, f.leaving, failed) {
		if m.set == set {
			out.add(m.ref)
		}
	}
	return out
}

// deletion is the change that a stray member is.
func (m *member) deletion() plan.Change {
	reason := "git no longer has it in " + m.set.key.File
	if m.set.key.scratch() {
		reason = "it was applied from " + m.set.key.File + ", which is none of git's files for the cluster"
		if m.set.declared {
			reason = m.set.key.File + " no longer has it"
		}
	}
	return plan.Change{Layer: plan.Addons, Op: plan.Delete, Resource: m.String(), Reason: reason}
}

// change is what is to be done about a set's parent.
func (s *applySet) change(remaining scope) (plan.Change, bool) {
	c := plan.Change{Layer: plan.Addons, Resource: s.parent().String(), Reason: "the record of what belongs to " + s.key.File}
	switch {
	case !s.declared && len(remaining.kinds) == 0:
		c.Op = plan.Delete
	case !s.exists:
		c.Op = plan.Create
	case !s.recorded.equal(remaining):
		c.Op = plan.Update
		c.Diff = diffObjects(s.manifest(s.recorded), s.manifest(remaining), nil)
	default:
		return c, false
	}
	return c, true
}
