package addons

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

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

// member is an object in the cluster that is in one of our sets.
type member struct {
	ref
	kind kind
	uid  types.UID
	set  *applySet
	// leaving says that it is being deleted already.
	leaving bool
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

// survey compares git with the cluster; a nil session stands for none.
func (l *Layer) survey(ctx context.Context, s *session) (*survey, error) {
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
func (l *Layer) compare(ctx context.Context, s *session, sets []*applySet, objects []*object) ([]*step, []*member, []error, error) {
	var mu sync.Mutex
	// What is settled needs nobody's memory.
	unsettled := map[ref]*unstructured.Unstructured{}
	isSettled := map[ref]bool{}
	byRef := index(objects)
	strays, err := s.read(ctx, sets, objects, func(u *unstructured.Unstructured, at ref) error {
		by, err := ownersOf(u)
		if err != nil {
			return err
		}
		is := settled(byRef[at].body, u, by)
		mu.Lock()
		defer mu.Unlock()
		isSettled[at] = is
		delete(unsettled, at)
		if !is {
			unsettled[at] = u
		}
		return nil
	})
	if err != nil {
		return nil, nil, nil, err
	}
	steps := make([]*step, len(objects))
	errs := each(ctx, s.parallel, len(objects), func(i int) error {
		o := objects[i]
		steps[i] = &step{object: o, do: nothing}
		if isSettled[o.ref] {
			return nil
		}
		decision, err := l.decide(ctx, s, o, unsettled[o.ref])
		if err != nil {
			return &ObjectError{Doing: "planning", Resource: o.String(), Source: o.file.Source, Err: err}
		}
		steps[i] = decision
		return nil
	})
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

// readSets reads the parents of our sets, and finds those whose files git no
// longer has.
func (l *Layer) readSets(ctx context.Context, s *session, found *survey) error {
	byName := map[string]*applySet{}
	for _, set := range found.sets {
		byName[set.name] = set
	}
	var errs []error
	gone := map[string]*applySet{}
	err := s.list(ctx, configMaps, labelParent, func(parent *unstructured.Unstructured) {
		if parent.GetNamespace() != parentNamespace {
			return
		}
		set := byName[parent.GetName()]
		if set == nil {
			key, ours := parentKey(parent)
			if !ours || key.Repository != l.opts.Repository || key.Cluster != l.opts.Cluster {
				return
			}
			set = newApplySet(key)
			if set.name != parent.GetName() {
				return // a copy of one of ours under another name
			}
			gone[set.name] = set
		}
		errs = append(errs, set.read(parent))
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(gone)) {
		found.sets = append(found.sets, gone[name])
	}
	// An object of a parent's name that isn't labelled as one isn't in the
	// list, and must not be made one.
	for _, set := range found.sets {
		if set.exists || len(errs) > 0 {
			continue
		}
		other, err := s.get(ctx, configMaps, set.parent())
		if err != nil {
			return fmt.Errorf("reading %s: %w", set.parent(), err)
		}
		if other != nil {
			errs = append(errs, set.read(other))
		}
	}
	return join(errs)
}

var configMaps = kind{gvr: schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, namespaced: true}

// checkKinds makes sure that every declared object can be applied: its kind
// is served, or will be once the declared definitions are, and it has a
// namespace where its kind needs one.
func (s *session) checkKinds(objects []*object) error {
	coming := map[schema.GroupKind]bool{}
	comingGroups := map[schema.GroupVersion]bool{}
	for _, o := range objects {
		text := func(path ...string) string {
			value, _, _ := unstructured.NestedString(o.body.Object, path...)
			return value
		}
		switch {
		case o.Group == "apiextensions.k8s.io" && o.Kind == "CustomResourceDefinition":
			coming[schema.GroupKind{Group: text("spec", "group"), Kind: text("spec", "names", "kind")}] = true
		case o.Group == "apiregistration.k8s.io" && o.Kind == "APIService":
			comingGroups[schema.GroupVersion{Group: text("spec", "group"), Version: text("spec", "version")}] = true
		}
	}
	var errs []error
	for _, o := range objects {
		var err error
		k, served := s.kinds.of(o.gvk)
		switch {
		case !served && (coming[o.GroupKind] || comingGroups[o.gvk.GroupVersion()]):
		case !served:
			err = s.kinds.unserved(o.gvk)
		case k.namespaced && o.Namespace == "":
			err = fmt.Errorf("it has no metadata.namespace: name the namespace that it belongs to")
		case !k.namespaced && o.Namespace != "":
			err = fmt.Errorf("a %s belongs to no namespace, but metadata.namespace is %q: remove it", o.Kind, o.Namespace)
		}
		if err != nil {
			errs = append(errs, &ObjectError{Doing: "planning", Resource: o.String(), Source: o.file.Source, Err: err})
		}
	}
	return join(errs)
}

// checkNamespaces makes sure that what is to be created has a namespace to be
// created in.
func (s *session) checkNamespaces(ctx context.Context, steps []*step) error {
	declared := map[string]bool{}
	for _, st := range steps {
		if st.Group == "" && st.Kind == "Namespace" {
			declared[st.Name] = true
		}
	}
	first := map[string]*step{}
	for _, st := range steps {
		if st.do == create && st.Namespace != "" && !declared[st.Namespace] && first[st.Namespace] == nil {
			first[st.Namespace] = st
		}
	}
	names := slices.Sorted(maps.Keys(first))
	errs := each(ctx, s.parallel, len(names), func(i int) error {
		u, err := s.get(ctx, namespaces, ref{GroupKind: schema.GroupKind{Kind: "Namespace"}, Name: names[i]})
		if err == nil && u == nil {
			err = fmt.Errorf("there is no namespace %s: declare it in git as well", names[i])
		}
		if err != nil {
			st := first[names[i]]
			return &ObjectError{Doing: "planning", Resource: st.String(), Source: st.file.Source, Err: err}
		}
		return nil
	})
	return join(errs)
}

var namespaces = kind{gvr: schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}}

// read visits the live states of declared objects, in no order and from
// several goroutines, and returns the members of the sets that aren't
// declared. It makes one LIST for each kind, over all sets; only objects that
// should be there and aren't members are asked for besides.
func (s *session) read(ctx context.Context, sets []*applySet, objects []*object, visit func(*unstructured.Unstructured, ref) error) ([]*member, error) {
	if len(sets) == 0 {
		return nil, nil
	}
	byID := map[string]*applySet{}
	ids := make([]string, len(sets))
	for i, set := range sets {
		byID[set.id] = set
		ids[i] = set.id
	}
	slices.Sort(ids)
	selector := labelMember + " in (" + strings.Join(ids, ",") + ")"
	declared := index(objects)
	lists := s.listsFor(sets, objects)

	type result struct {
		seen   map[ref]bool
		strays map[ref]*member
	}
	results := make([]result, len(lists))
	errs := each(ctx, s.parallel, len(lists), func(i int) error {
		r := result{seen: map[ref]bool{}, strays: map[ref]*member{}}
		var failed error
		err := s.list(ctx, lists[i].kind, selector, func(u *unstructured.Unstructured) {
			at := refOf(u)
			if o := declared[at]; o != nil {
				if o.gvk == lists[i].gvk {
					r.seen[at] = true
					if err := visit(u, at); err != nil && failed == nil {
						failed = fmt.Errorf("%s: %w", at, err)
					}
				}
				return
			}
			if isMember(u) {
				r.strays[at] = &member{ref: at, kind: lists[i].kind, uid: u.GetUID(), set: byID[u.GetLabels()[labelMember]], leaving: u.GetDeletionTimestamp() != nil}
			}
		})
		results[i] = r
		if err != nil {
			return err
		}
		return failed
	})
	if err := join(errs); err != nil {
		return nil, err
	}
	seen := map[ref]bool{}
	strays := map[ref]*member{}
	for _, r := range results {
		maps.Copy(seen, r.seen)
		maps.Copy(strays, r.strays)
	}
	var absent []*object
	for _, o := range objects {
		if _, served := s.kinds.of(o.gvk); served && !seen[o.ref] {
			absent = append(absent, o)
		}
	}
	if err := s.readOutsiders(ctx, absent, visit); err != nil {
		return nil, err
	}
	return slices.Collect(maps.Values(strays)), nil
}

// isMember reports whether an object that bears a set's label is really a
// member of the set, and not a child of one to which a controller copied the
// label. Members we have applied ourselves.
func isMember(u *unstructured.Unstructured) bool {
	for _, owner := range u.GetOwnerReferences() {
		if owner.Controller != nil && *owner.Controller {
			return false
		}
	}
	entries := u.GetManagedFields()
	for _, entry := range entries {
		if (owner{ManagedFieldsEntry: entry}).ours() {
			return true
		}
	}
	// Restored from a backup, an object has no owners on record.
	return len(entries) == 0
}

// list is one LIST to be made.
type list struct {
	gvk  schema.GroupVersionKind
	kind kind
}

// listsFor gives the LISTs that find all members of the sets: for the kinds
// that are declared, in the version that they are declared in, and for those
// that the sets' parents say they contain. A kind that isn't served has no
// objects.
func (s *session) listsFor(sets []*applySet, objects []*object) []list {
	wanted := map[schema.GroupVersionKind]bool{}
	covered := map[schema.GroupKind]bool{}
	for _, o := range objects {
		wanted[o.gvk] = true
		covered[o.GroupKind] = true
	}
	for _, set := range sets {
		for gk := range set.recorded.kinds {
			if gvk, served := s.kinds.preferred[gk]; served && !covered[gk] {
				wanted[gvk] = true
			}
		}
	}
	var out []list
	for gvk := range wanted {
		if k, served := s.kinds.of(gvk); served {
			out = append(out, list{gvk, k})
		}
	}
	slices.SortFunc(out, func(a, b list) int { return strings.Compare(a.gvk.String(), b.gvk.String()) })
	return out
}

// fewAbsent is up to how many absent objects of a kind and namespace are asked
// for one by one. More are looked up in a list of names.
const fewAbsent = 2

// readOutsiders reads declared objects that aren't members of the sets. Most
// don't exist; the others are going to be taken over.
func (s *session) readOutsiders(ctx context.Context, absent []*object, visit func(*unstructured.Unstructured, ref) error) error {
	type place struct {
		kind      kind
		namespace string
	}
	byPlace := map[place][]*object{}
	var places []place
	for _, o := range absent {
		k, _ := s.kinds.of(o.gvk)
		at := place{k, o.Namespace}
		if byPlace[at] == nil {
			places = append(places, at)
		}
		byPlace[at] = append(byPlace[at], o)
	}
	asked := make([][]*object, len(places))
	errs := each(ctx, s.parallel, len(places), func(i int) error {
		all := byPlace[places[i]]
		if len(all) <= fewAbsent {
			asked[i] = all
			return nil
		}
		names, err := s.names(ctx, places[i].kind, places[i].namespace)
		for _, o := range all {
			if names[o.Name] {
				asked[i] = append(asked[i], o)
			}
		}
		return err
	})
	if err := join(errs); err != nil {
		return err
	}
	ask := slices.Concat(asked...)
	return join(each(ctx, s.parallel, len(ask), func(i int) error {
		o := ask[i]
		k, _ := s.kinds.of(o.gvk)
		u, err := s.get(ctx, k, o.ref)
		if err == nil && u != nil {
			err = visit(u, o.ref)
		}
		if err != nil {
			return &ObjectError{Doing: "reading", Resource: o.String(), Source: o.file.Source, Err: err}
		}
		return nil
	}))
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
	return plan.Change{
		Layer: plan.Addons, Op: plan.Delete, Resource: m.String(),
		Reason: "git no longer has it in " + m.set.key.File,
	}
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
