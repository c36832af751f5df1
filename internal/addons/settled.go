package addons

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// settled reports whether applying an object would surely leave the live one
// as it is: we own exactly the fields that are declared, and each has the
// declared value.
//
// That is enough, since whoever else changes a field takes it away from us.
// It is a pure comparison without the types' schemas, so it only ever errs in
// one direction: where it can't tell, it says no, and a dry run decides.
func settled(declared, live *unstructured.Unstructured, by owners) bool {
	if live.GetDeletionTimestamp() != nil {
		return false
	}
	var ours *owner
	for i := range by {
		switch {
		case by[i].clientSide():
			return false
		case by[i].ours():
			// A second entry is one of another API version.
			if ours != nil || by[i].APIVersion != declared.GetAPIVersion() {
				return false
			}
			ours = &by[i]
		}
	}
	if ours == nil || live.GetAPIVersion() != declared.GetAPIVersion() {
		return false
	}
	c := comparison{kind: declared.GetKind(), builtin: builtin[declared.GroupVersionKind().Group]}
	return c.fields(nil, declared.Object, live.Object, ours.fields)
}

// comparison compares the values of objects of one kind. Paths are the names
// of the fields alone, without the items of lists.
type comparison struct {
	kind    string
	builtin bool
}

// unowned reports whether a field only identifies the object, so that nobody
// owns it.
func unowned(path []string, name string, value any) bool {
	switch {
	case len(path) == 0 && name == "metadata":
		fields, _ := value.(map[string]any)
		for name := range fields {
			if !unowned([]string{"metadata"}, name, nil) {
				return false
			}
		}
		return true
	case len(path) == 0:
		return name == "apiVersion" || name == "kind"
	}
	return len(path) == 1 && path[0] == "metadata" && (name == "name" || name == "namespace")
}

// fields compares the fields of a map: the declared ones must be the owned
// ones, no more and no fewer.
func (c comparison) fields(path []string, declared, live map[string]any, owned *fieldpath.Set) bool {
	count := 0
	for name, value := range declared {
		if unowned(path, name, value) {
			continue
		}
		actual, ok := live[name]
		if !ok {
			return false
		}
		element := fieldpath.FieldNameElement(name)
		at := append(path[:len(path):len(path)], name)
		if child, ok := owned.Children.Get(element); ok {
			if !c.inside(at, value, actual, child) {
				return false
			}
		} else if !owned.Members.Has(element) || !c.same(at, value, actual) {
			return false
		}
		count++
	}
	return count == len(elements(owned))
}

// inside compares a value that is owned field by field.
func (c comparison) inside(path []string, declared, live any, owned *fieldpath.Set) bool {
	switch d := declared.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		return ok && c.fields(path, d, l, owned)
	case []any:
		l, ok := live.([]any)
		return ok && c.items(path, d, l, owned)
	}
	return false
}

// items compares a list whose items are owned one by one. They must be in the
// same order too: applying puts them into the declared one.
func (c comparison) items(path []string, declared, live []any, owned *fieldpath.Set) bool {
	matched, ok := match(declared, elements(owned))
	if !ok {
		return false
	}
	last := -1
	for i, item := range declared {
		at := slices.IndexFunc(live, func(other any) bool { return selects(matched[i], other) })
		if at <= last {
			return false
		}
		last = at
		if child, ok := owned.Children.Get(matched[i]); ok {
			if !c.inside(path, item, live[at], child) {
				return false
			}
		} else if !c.same(path, item, live[at]) {
			return false
		}
	}
	return true
}

// match pairs the items of a declared list with the path elements of the owned
// ones, of which none may be left over. An item that lacks a key that has a
// default, such as a port's protocol, is paired with what only it can be.
func match(declared []any, owned []fieldpath.PathElement) ([]fieldpath.PathElement, bool) {
	if len(declared) != len(owned) {
		return nil, false
	}
	out := make([]fieldpath.PathElement, len(declared))
	var rest []int
	take := func(i, j int) {
		out[i] = owned[j]
		owned = append(owned[:j:j], owned[j+1:]...)
	}
	for i, item := range declared {
		j := slices.IndexFunc(owned, func(e fieldpath.PathElement) bool { return selects(e, item) })
		if j < 0 {
			rest = append(rest, i)
			continue
		}
		take(i, j)
	}
	for _, i := range rest {
		found := -1
		for j, e := range owned {
			if !mayBe(e, declared[i]) {
				continue
			}
			if found >= 0 {
				return nil, false
			}
			found = j
		}
		if found < 0 {
			return nil, false
		}
		take(i, found)
	}
	return out, true
}

// mayBe reports whether an item has at least one of an element's keys and
// contradicts none.
func mayBe(e fieldpath.PathElement, item any) bool {
	fields, ok := item.(map[string]any)
	if !ok || e.Key == nil {
		return false
	}
	some := false
	for _, key := range *e.Key {
		value, has := fields[key.Name]
		if has && !sameScalar(key.Value.Unstructured(), value) {
			return false
		}
		some = some || has
	}
	return some
}

// elements are the path elements right beneath a set's root.
func elements(set *fieldpath.Set) []fieldpath.PathElement {
	out := make([]fieldpath.PathElement, 0, set.Members.Size())
	set.Members.Iterate(func(e fieldpath.PathElement) { out = append(out, e) })
	set.Children.Iterate(func(e fieldpath.PathElement) {
		if !set.Members.Has(e) {
			out = append(out, e)
		}
	})
	return out
}

// same compares a value that is owned as a whole. The server may have added
// defaults inside of it, which count as long as they are known to be added
// whatever else is there.
func (c comparison) same(path []string, declared, live any) bool {
	switch d := declared.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return false
		}
		for name, value := range d {
			actual, ok := l[name]
			if !ok || !c.same(append(path[:len(path):len(path)], name), value, actual) {
				return false
			}
		}
		if len(l) == len(d) {
			return true
		}
		for name, value := range l {
			if _, ok := d[name]; !ok && !c.defaulted(path, name, value, d) {
				return false
			}
		}
		return true
	case []any:
		l, ok := live.([]any)
		if !ok || len(l) != len(d) {
			return false
		}
		for i := range d {
			if !c.same(path, d[i], l[i]) {
				return false
			}
		}
		return true
	}
	return sameScalar(declared, live) || c.builtin && isQuantity(path) && sameQuantity(declared, live)
}

// defaulted reports whether the server gives a field that value by itself.
// Only what stands inside of values that are owned as a whole needs to be
// here, and what is missing costs a dry run, no more.
func (c comparison) defaulted(path []string, name string, value any, siblings map[string]any) bool {
	if !c.builtin || len(path) == 0 {
		return false
	}
	switch at := path[len(path)-1]; {
	case at == "fieldRef" && name == "apiVersion":
		return value == "v1"
	case at == "resourceFieldRef" && name == "divisor":
		return value == "0"
	case at == "serviceAccountToken" && name == "expirationSeconds":
		return sameScalar(value, int64(3600))
	case at == "roleRef" && name == "apiGroup":
		return value == rbacGroup
	case at == "subjects" && name == "apiGroup":
		return value == rbacGroup && siblings["kind"] != "ServiceAccount"
	case at == "ports" && name == "protocol" && c.kind == "NetworkPolicy":
		return value == "TCP"
	case (at == "rules" || at == "resourceRules" || at == "excludeResourceRules") && name == "scope":
		return value == "*"
	case at == "volumeClaimTemplates":
		switch name {
		case "apiVersion":
			return value == "v1"
		case "kind":
			return value == "PersistentVolumeClaim"
		case "status":
			return reflect.DeepEqual(value, map[string]any{"phase": "Pending"})
		}
	case len(path) > 1 && path[len(path)-2] == "volumeClaimTemplates" && at == "spec" && name == "volumeMode":
		return value == "Filesystem"
	}
	return false
}

const rbacGroup = "rbac.authorization.k8s.io"

// isQuantity reports whether a field holds a quantity, which the server
// spells in its own way: 1000m becomes 1.
func isQuantity(path []string) bool {
	if len(path) < 2 {
		return false
	}
	switch path[len(path)-2] {
	case "limits", "requests":
		return path[0] == "spec"
	case "hard", "capacity":
		return len(path) == 3 && path[0] == "spec"
	case "default", "defaultRequest", "max", "min":
		return len(path) == 4 && path[0] == "spec" && path[1] == "limits"
	}
	return path[len(path)-1] == "sizeLimit"
}

func sameQuantity(a, b any) bool {
	x, err := resource.ParseQuantity(strings.TrimSpace(fmt.Sprint(a)))
	if err != nil {
		return false
	}
	y, err := resource.ParseQuantity(strings.TrimSpace(fmt.Sprint(b)))
	return err == nil && x.Cmp(y) == 0
}

// sameScalar compares values that aren't maps or lists. A whole number may be
// an int64 on one side and a float64 on the other.
func sameScalar(a, b any) bool {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return ok && x == y
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case int64:
		switch y := b.(type) {
		case int64:
			return x == y
		case float64:
			return float64(x) == y
		}
	case float64:
		switch y := b.(type) {
		case int64:
			return x == float64(y)
		case float64:
			return x == y
		}
	}
	return false
}
