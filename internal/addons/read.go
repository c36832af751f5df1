package addons

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// member is an object in the cluster that is in one of our sets.
type member struct {
	ref
	kind kind
	uid  types.UID
	set  *applySet
	// leaving says that it is being deleted already.
	leaving bool
}

// read visits the live states of declared objects, in no order and from
// several goroutines, never with one object in two of them, and returns the members of the sets that aren't
// declared. It makes one LIST for each kind, over all sets; only objects that
// should be there and aren't members are asked for besides. A page of a list is
// visited before the next is read; visiting may make requests.
func (s *api) read(ctx context.Context, sets []*applySet, objects []*object, visit func(*unstructured.Unstructured, ref) error) ([]*member, error) {
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
		s.places.take()
		defer s.places.leave()
		r := result{seen: map[ref]bool{}, strays: map[ref]*member{}}
		results[i] = r
		return s.listPages(ctx, lists[i].kind, selector, func(page []*unstructured.Unstructured) error {
			var found []*unstructured.Unstructured
			for _, u := range page {
				at := refOf(u)
				switch o := declared[at]; {
				case o != nil && o.gvk == lists[i].gvk:
					r.seen[at] = true
					found = append(found, u)
				case o == nil && isMember(u):
					r.strays[at] = &member{ref: at, kind: lists[i].kind, uid: u.GetUID(), set: byID[u.GetLabels()[labelMember]], leaving: u.GetDeletionTimestamp() != nil}
				}
			}
			return join(s.places.each(ctx, len(found), func(j int) error {
				at := refOf(found[j])
				if err := visit(found[j], at); err != nil {
					return fmt.Errorf("%s: %w", at, err)
				}
				return nil
			}))
		})
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
func (s *api) listsFor(sets []*applySet, objects []*object) []list {
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
func (s *api) readOutsiders(ctx context.Context, absent []*object, visit func(*unstructured.Unstructured, ref) error) error {
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
