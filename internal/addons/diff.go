package addons

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"platform/internal/plan"
)

// diffObjects gives the fields in which two states of an object differ, apart
// from what the server keeps for itself. The items of lists are matched by
// the keys that the owners' records name, so that a path is the same however
// the list is ordered.
func diffObjects(from, to *unstructured.Unstructured, records *fieldpath.Set) []plan.Field {
	var d differ
	d.values("", decided(from), decided(to), records)
	plan.SortFields(d.out)
	return d.out
}

// decided is an object without what an apply doesn't decide.
func decided(u *unstructured.Unstructured) map[string]any {
	out := maps.Clone(u.Object)
	delete(out, "status")
	if metadata, ok := out["metadata"].(map[string]any); ok {
		metadata = maps.Clone(metadata)
		for _, name := range []string{"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"} {
			delete(metadata, name)
		}
		if annotations, ok := metadata["annotations"].(map[string]any); ok && annotations[templateGeneration] != nil {
			annotations = maps.Clone(annotations)
			delete(annotations, templateGeneration)
			metadata["annotations"] = annotations
		}
		out["metadata"] = metadata
	}
	return out
}

// templateGeneration is a counter that the server keeps on DaemonSets.
const templateGeneration = "deprecated.daemonset.template.generation"

type differ struct{ out []plan.Field }

func (d *differ) add(path string, from, to any) {
	d.out = append(d.out, plan.Field{Path: path, From: from, To: to})
}

// values compares two values; records, which may be nil, is what is known of
// the owners beneath them.
func (d *differ) values(path string, from, to any, records *fieldpath.Set) {
	if equal(from, to) {
		return
	}
	fromMap, fromIsMap := from.(map[string]any)
	toMap, toIsMap := to.(map[string]any)
	if (fromIsMap || from == nil) && (toIsMap || to == nil) && len(fromMap)+len(toMap) > 0 {
		before := len(d.out)
		for _, name := range keysOf(fromMap, toMap) {
			d.values(plan.JoinPath(path, name), fromMap[name], toMap[name], beneath(records, fieldpath.FieldNameElement(name)))
		}
		// A map that comes or goes without a field that differs: {a: null}.
		if len(d.out) == before {
			d.add(path, from, to)
		}
		return
	}
	fromList, fromIsList := from.([]any)
	toList, toIsList := to.([]any)
	if (fromIsList || from == nil) && (toIsList || to == nil) && len(fromList)+len(toList) > 0 {
		if d.keyed(path, fromList, toList, records) || d.set(path, fromList, toList, records) {
			return
		}
		if fromIsList && toIsList {
			d.ordered(path, fromList, toList)
			return
		}
	}
	d.add(path, from, to)
}

// keyed compares lists whose items have keys, and reports whether they do.
func (d *differ) keyed(path string, from, to []any, records *fieldpath.Set) bool {
	keys := listKeys(records)
	if keys == nil {
		keys = []string{"name"}
	}
	fromOrder, fromItems, ok := byKeys(from, keys)
	if !ok {
		return false
	}
	toOrder, toItems, ok := byKeys(to, keys)
	if !ok {
		return false
	}
	before := len(d.out)
	all := fromOrder
	for _, key := range toOrder {
		if _, both := fromItems[key]; !both {
			all = append(all[:len(all):len(all)], key)
		}
	}
	for _, key := range all {
		a, b := fromItems[key], toItems[key]
		item := b
		if item == nil {
			item = a
		}
		d.values(path+"["+key+"]", a, b, beneathItem(records, item))
	}
	if len(d.out) == before {
		// The same items in another order.
		d.add(path, anyList(fromOrder), anyList(toOrder))
	}
	return true
}

// set compares lists that are sets, and reports whether they are.
func (d *differ) set(path string, from, to []any, records *fieldpath.Set) bool {
	if !isSet(records) {
		return false
	}
	name := func(item any) string { return path + "[" + text(item) + "]" }
	before := len(d.out)
	for _, item := range from {
		if !slices.ContainsFunc(to, func(other any) bool { return equal(item, other) }) {
			d.add(name(item), item, nil)
		}
	}
	for _, item := range to {
		if !slices.ContainsFunc(from, func(other any) bool { return equal(item, other) }) {
			d.add(name(item), nil, item)
		}
	}
	if len(d.out) == before {
		d.add(path, from, to)
	}
	return true
}

// ordered compares lists by position. What is equal at both ends is left out,
// so that an item put in or taken out is just that.
func (d *differ) ordered(path string, from, to []any) {
	start := 0
	for start < min(len(from), len(to)) && equal(from[start], to[start]) {
		start++
	}
	end := 0
	for end < min(len(from), len(to))-start && equal(from[len(from)-1-end], to[len(to)-1-end]) {
		end++
	}
	a, b := from[start:len(from)-end], to[start:len(to)-end]
	switch {
	case len(a) == len(b):
		for i := range a {
			d.values(fmt.Sprintf("%s[%d]", path, start+i), a[i], b[i], nil)
		}
	case len(b) == 0:
		for i := range a {
			d.add(fmt.Sprintf("%s[%d]", path, start+i), a[i], nil)
		}
	case len(a) == 0:
		for i := range b {
			d.add(fmt.Sprintf("%s[%d]", path, start+i), nil, b[i])
		}
	default:
		d.add(path, from, to)
	}
}

// listKeys are the names of the keys of the items of a list.
func listKeys(records *fieldpath.Set) []string {
	if records == nil {
		return nil
	}
	for _, e := range elements(records) {
		if e.Key != nil {
			var names []string
			for _, field := range *e.Key {
				names = append(names, field.Name)
			}
			return names
		}
	}
	return nil
}

func isSet(records *fieldpath.Set) bool {
	if records == nil {
		return false
	}
	for _, e := range elements(records) {
		if e.Value != nil {
			return true
		}
	}
	return false
}

// byKeys gives the items of a list by their keys, and the keys in order. It
// fails if an item has none of them or two have the same.
func byKeys(list []any, keys []string) (order []string, items map[string]any, ok bool) {
	items = make(map[string]any, len(list))
	for _, item := range list {
		fields, isMap := item.(map[string]any)
		if !isMap {
			return nil, nil, false
		}
		var parts []string
		for _, key := range keys {
			if value, has := fields[key]; has {
				parts = append(parts, key+"="+text(value))
			}
		}
		key := strings.Join(parts, ",")
		if _, twice := items[key]; twice || key == "" {
			return nil, nil, false
		}
		order = append(order, key)
		items[key] = item
	}
	return order, items, true
}

// equal compares JSON values. It differs from reflect.DeepEqual in that one
// and 1.0 are equal.
func equal(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, equal)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equal)
	}
	return sameScalar(a, b)
}

func keysOf(a, b map[string]any) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func anyList(texts []string) []any {
	out := make([]any, len(texts))
	for i, s := range texts {
		out[i] = s
	}
	return out
}

func text(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}

// beneath is the part of a record beneath one path element.
func beneath(records *fieldpath.Set, e fieldpath.PathElement) *fieldpath.Set {
	if records == nil {
		return nil
	}
	child, _ := records.Children.Get(e)
	return child
}

// beneathItem is the part of a record beneath one item of a list.
func beneathItem(records *fieldpath.Set, item any) *fieldpath.Set {
	if records == nil {
		return nil
	}
	for _, e := range elements(records) {
		if selects(e, item) {
			return beneath(records, e)
		}
	}
	return nil
}

// narrowed is a live value reduced to what is declared, so that comparing the
// two shows what git asks for and the server refuses. owned tells what is
// owned as a whole and therefore compared as a whole.
func narrowed(live, declared any, owned *fieldpath.Set) any {
	switch d := declared.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return live
		}
		out := map[string]any{}
		for name, value := range d {
			actual, ok := l[name]
			if !ok {
				continue
			}
			e := fieldpath.FieldNameElement(name)
			if child := beneath(owned, e); child == nil && owned != nil && owned.Members.Has(e) {
				out[name] = actual
			} else {
				out[name] = narrowed(actual, value, child)
			}
		}
		return out
	case []any:
		l, ok := live.([]any)
		if !ok || len(l) != len(d) {
			return live
		}
		out := make([]any, len(l))
		for i := range l {
			out[i] = narrowed(l[i], d[i], beneathItem(owned, l[i]))
		}
		return out
	}
	return live
}
