package addons

import (
	"bytes"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// clientSideApply is the field manager of kubectl apply without --server-side.
// What it owns is carried over to us when we take an object over: left to it,
// fields that git doesn't have would stay for ever.
const clientSideApply = "kubectl-client-side-apply"

// owners are the field managers of a live object, decoded.
type owners []owner

type owner struct {
	metav1.ManagedFieldsEntry
	fields *fieldpath.Set
}

func ownersOf(u *unstructured.Unstructured) (owners, error) {
	entries := u.GetManagedFields()
	out := make(owners, len(entries))
	for i, entry := range entries {
		out[i] = owner{ManagedFieldsEntry: entry, fields: &fieldpath.Set{}}
		if entry.FieldsV1 == nil {
			continue
		}
		if err := out[i].fields.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err != nil {
			return nil, fmt.Errorf("reading the fields that %s manages: %w", entry.Manager, err)
		}
	}
	return out, nil
}

func (o owner) ours() bool {
	return o.Manager == Manager && o.Operation == metav1.ManagedFieldsOperationApply && o.Subresource == ""
}

func (o owner) clientSide() bool {
	return o.Manager == clientSideApply && o.Operation == metav1.ManagedFieldsOperationUpdate && o.Subresource == ""
}

// ours gives the fields that we own; nil if we never applied the object.
func (o owners) ours() *fieldpath.Set {
	var out *fieldpath.Set
	for _, entry := range o {
		if entry.ours() {
			if out == nil {
				out = &fieldpath.Set{}
			}
			out = out.Union(entry.fields)
		}
	}
	return out
}

// clientSide gives the fields that kubectl's client-side apply owns, or nil.
func (o owners) clientSide() *fieldpath.Set {
	for _, entry := range o {
		if entry.clientSide() {
			return entry.fields
		}
	}
	return nil
}

// all gives every field that anybody owns.
func (o owners) all() *fieldpath.Set {
	out := &fieldpath.Set{}
	for _, entry := range o {
		out = out.Union(entry.fields)
	}
	return out
}

// replicasPath is the field that a HorizontalPodAutoscaler sets.
var replicasPath = fieldpath.MakePathOrDie("spec", "replicas")

// handover is a JSON patch that makes the record of owners what it has to be
// before we apply: what kubectl's client-side apply owns becomes ours, so that
// applying removes what git doesn't have; and with release, replicas are no
// longer ours, so that applying without them doesn't reset them to one. It is
// nil if there is nothing to do. It fails as a conflict if the object changed
// meanwhile.
func handover(live *unstructured.Unstructured, release bool) ([]byte, error) {
	u := live.DeepCopy()
	if err := csaupgrade.UpgradeManagedFields(u, sets.New(clientSideApply), Manager); err != nil {
		return nil, err
	}
	before, err := ownersOf(live)
	if err != nil {
		return nil, err
	}
	after, err := ownersOf(u)
	if err != nil {
		return nil, err
	}
	changed := before.clientSide() != nil
	entries := u.GetManagedFields()
	for i, entry := range after {
		if !release || !entry.ours() || !entry.fields.Has(replicasPath) {
			continue
		}
		raw, err := entry.fields.Difference(fieldpath.NewSet(replicasPath)).ToJSON()
		if err != nil {
			return nil, err
		}
		entries[i].FieldsV1 = &metav1.FieldsV1{}
		entries[i].FieldsV1.SetRawBytes(raw)
		changed = true
	}
	if !changed {
		return nil, nil
	}
	return json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/managedFields", "value": entries},
		{"op": "replace", "path": "/metadata/resourceVersion", "value": live.GetResourceVersion()},
	})
}

// orphans are the fields that disappear when what client-side apply owned
// becomes ours and we then apply: its fields, without those to keep and those
// that others own too.
func orphans(live owners, keep *fieldpath.Set) *fieldpath.Set {
	for _, entry := range live {
		if !entry.clientSide() && !entry.ours() {
			keep = keep.Union(entry.fields)
		}
	}
	out := &fieldpath.Set{}
	live.clientSide().Iterate(func(path fieldpath.Path) {
		if !keep.Has(path) && !reaches(keep, path) {
			out.Insert(path.Copy())
		}
	})
	return out
}

// reaches reports whether a set has anything beneath a path.
func reaches(set *fieldpath.Set, path fieldpath.Path) bool {
	for _, element := range path {
		child, ok := set.Children.Get(element)
		if !ok {
			return false
		}
		set = child
	}
	return true
}

// remove takes the fields of a set out of a value.
func remove(value any, set *fieldpath.Set) any {
	switch v := value.(type) {
	case map[string]any:
		set.Members.Iterate(func(e fieldpath.PathElement) {
			if e.FieldName != nil {
				delete(v, *e.FieldName)
			}
		})
		set.Children.Iterate(func(e fieldpath.PathElement) {
			if e.FieldName == nil {
				return
			}
			if item, ok := v[*e.FieldName]; ok {
				child, _ := set.Children.Get(e)
				v[*e.FieldName] = remove(item, child)
			}
		})
		return v
	case []any:
		kept := make([]any, 0, len(v))
	items:
		for _, item := range v {
			gone := false
			set.Members.Iterate(func(e fieldpath.PathElement) { gone = gone || selects(e, item) })
			if gone {
				continue items
			}
			set.Children.Iterate(func(e fieldpath.PathElement) {
				if selects(e, item) {
					child, _ := set.Children.Get(e)
					item = remove(item, child)
				}
			})
			kept = append(kept, item)
		}
		return kept
	}
	return value
}

// selects reports whether a path element is the one of an item of a list.
func selects(e fieldpath.PathElement, item any) bool {
	switch {
	case e.Value != nil:
		return sameScalar((*e.Value).Unstructured(), item)
	case e.Key != nil:
		fields, ok := item.(map[string]any)
		if !ok {
			return false
		}
		for _, key := range *e.Key {
			value, ok := fields[key.Name]
			if !ok || !sameScalar(key.Value.Unstructured(), value) {
				return false
			}
		}
		return true
	}
	return false
}
