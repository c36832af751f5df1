package worker

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unsafe"

	"k8s.io/kops/upup/pkg/fi"
	"k8s.io/kops/util/pkg/reflectutils"
	"sigs.k8s.io/yaml"

	"platform/internal/plan"
)

// kops prints a dry run but doesn't return it: its target keeps, in unexported
// fields, each task with its actual and expected value. This file reads them
// by reflection. It is written for k8s.io/kops 1.36.2; TestTargetFields fails
// when another version moves them.

// Names of the fields of fi.DryRunTarget and of the records in it.
const (
	targetChanges   = "changes"
	targetDeletions = "deletions"
	renderActual    = "a"
	renderAbsent    = "aIsNil"
	renderExpected  = "e"
	renderChanges   = "changes"
)

// extract gives a dry run as data. Deferred deletions are those that only a
// prune carries out, which a full reconcile ends with.
func extract(target *fi.CloudupDryRunTarget, tasks map[string]fi.CloudupTask) ([]plan.Change, error) {
	keys := make(map[fi.CloudupTask]string, len(tasks))
	for key, task := range tasks {
		keys[task] = key
	}
	value := reflect.ValueOf(target).Elem()
	var out []plan.Change
	records := unexported(value.FieldByName(targetChanges))
	for i := range records.Len() {
		record := records.Index(i).Elem()
		actual := unexported(record.FieldByName(renderActual))
		expected := unexported(record.FieldByName(renderExpected))
		delta := unexported(record.FieldByName(renderChanges))
		task, ok := expected.Interface().(fi.CloudupTask)
		if !ok {
			return nil, fmt.Errorf("kops' dry run has a %s where a task was expected", expected.Type())
		}
		change := plan.Change{Layer: plan.Kops, Op: plan.Update, Resource: keys[task]}
		if unexported(record.FieldByName(renderAbsent)).Bool() {
			change.Op = plan.Create
			change.Diff = created(expected)
		} else {
			change.Diff = updated(actual, expected, delta)
		}
		out = append(out, change)
	}
	deletions := unexported(value.FieldByName(targetDeletions))
	for i := range deletions.Len() {
		deletion, ok := deletions.Index(i).Interface().(fi.CloudupDeletion)
		if !ok {
			return nil, fmt.Errorf("kops' dry run has a %s where a deletion was expected", deletions.Index(i).Type())
		}
		out = append(out, plan.Change{Layer: plan.Kops, Op: plan.Delete, Resource: deletion.TaskName() + "/" + deletion.Item()})
	}
	slices.SortFunc(out, func(a, b plan.Change) int {
		return cmp.Or(cmp.Compare(opOrder(a.Op), opOrder(b.Op)), cmp.Compare(a.Resource, b.Resource))
	})
	return out, nil
}

func opOrder(op plan.Op) int { return slices.Index(plan.Ops, op) }

// unexported makes an unexported field of an addressable struct readable.
func unexported(v reflect.Value) reflect.Value {
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

// fields visits the fields of a task that say something about the resource.
func fields(task reflect.Value, visit func(name string, value reflect.Value)) {
	task = deref(task)
	if task.Kind() != reflect.Struct {
		return
	}
	for i := range task.NumField() {
		f := task.Type().Field(i)
		if !f.IsExported() || f.Name == "Name" || f.Name == "Lifecycle" {
			continue
		}
		visit(f.Name, task.Field(i))
	}
}

func created(expected reflect.Value) []plan.Field {
	var out []plan.Field
	fields(expected, func(name string, value reflect.Value) {
		if value.IsZero() {
			return
		}
		if _, isResource := asResource(value); isResource {
			return // a whole file or script: its content is no one's first question
		}
		if to := plain(value); !isEmpty(to) {
			out = append(out, plan.Field{Path: name, To: to})
		}
	})
	plan.SortFields(out)
	return out
}

func updated(actual, expected, delta reflect.Value) []plan.Field {
	var out []plan.Field
	was, want := deref(actual), deref(expected)
	fields(delta, func(name string, change reflect.Value) {
		if change.IsZero() {
			return
		}
		from, to := was.FieldByName(name), want.FieldByName(name)
		fromText, fromOK := asResource(from)
		toText, toOK := asResource(to)
		if fromOK || toOK {
			out = append(out, diffText(name, fromText, toText)...)
			return
		}
		fields := plan.Diff(name, plain(from), plain(to))
		if len(fields) == 0 {
			// Seen by kops, not by this rendering: say so rather than hide it.
			fields = []plan.Field{{Path: name, From: plain(from), To: plain(to)}}
		}
		out = append(out, fields...)
	})
	plan.SortFields(out)
	return out
}

func deref(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return reflect.Value{}
		}
		v = v.Elem()
	}
	return v
}

// asResource gives the content of a file or script that a task holds.
func asResource(v reflect.Value) (string, bool) {
	if !v.IsValid() || !v.CanInterface() {
		return "", false
	}
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return "", false
		}
	}
	resource, ok := v.Interface().(fi.Resource)
	if !ok {
		return "", false
	}
	text, err := fi.ResourceAsString(resource)
	if err != nil {
		return "", true
	}
	return text, true
}

// plain turns a task's field into data as encoding/json would decode it.
// Another task is shown by its name.
func plain(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	if v.CanInterface() {
		if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
			if v.IsNil() {
				return nil
			}
		}
		if named, ok := v.Interface().(fi.HasName); ok {
			if name := named.GetName(); name != nil {
				return *name
			}
		}
	}
	v = deref(v)
	switch v.Kind() {
	case reflect.Invalid:
		return nil
	case reflect.Bool:
		return v.Bool()
	case reflect.String:
		return v.String()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return v.Uint()
	case reflect.Float32, reflect.Float64:
		return v.Float()
	case reflect.Slice, reflect.Array:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i))
		}
		slices.SortStableFunc(list, func(a, b any) int { return cmp.Compare(scalarText(a), scalarText(b)) })
		return list
	case reflect.Map:
		out := make(map[string]any, v.Len())
		for _, key := range v.MapKeys() {
			out[fmt.Sprint(key.Interface())] = plain(v.MapIndex(key))
		}
		return out
	case reflect.Struct:
		out := map[string]any{}
		fields(v, func(name string, value reflect.Value) {
			if !value.IsZero() {
				out[name] = plain(value)
			}
		})
		return out
	}
	return reflectutils.ValueAsString(v)
}

// scalarText orders lists of names, whose order means nothing in a task;
// lists of anything else keep theirs.
func scalarText(v any) string {
	text, _ := v.(string)
	return text
}

// secretLine matches what must not be shown of a script: the keys of an
// emulated S3.
var secretLine = regexp.MustCompile(`(S3_(?:SECRET_)?ACCESS_KEY(?:_ID)?=).*`)

// diffText compares two texts field by field where both are YAML documents,
// and otherwise by the lines that differ.
func diffText(name, from, to string) []plan.Field {
	from, to = secretLine.ReplaceAllString(from, "$1(not shown)"), secretLine.ReplaceAllString(to, "$1(not shown)")
	var fromData, toData map[string]any
	if yaml.Unmarshal([]byte(from), &fromData) == nil && yaml.Unmarshal([]byte(to), &toData) == nil && len(fromData) > 0 && len(toData) > 0 {
		if out := plan.Diff(name, fromData, toData); len(out) > 0 {
			return out
		}
	}
	removed, added := differingLines(strings.Split(from, "\n"), strings.Split(to, "\n"))
	return []plan.Field{{Path: name, From: removed, To: added}}
}

// differingLines gives the lines that only one text has, as often as it has
// more of them.
func differingLines(from, to []string) (removed, added any) {
	count := map[string]int{}
	for _, line := range to {
		count[line]++
	}
	var only []string
	for _, line := range from {
		if count[line] > 0 {
			count[line]--
		} else {
			only = append(only, line)
		}
	}
	removed = joined(only)
	count = map[string]int{}
	for _, line := range from {
		count[line]++
	}
	only = nil
	for _, line := range to {
		if count[line] > 0 {
			count[line]--
		} else {
			only = append(only, line)
		}
	}
	return removed, joined(only)
}

func joined(lines []string) any {
	if len(lines) == 0 {
		return nil
	}
	return strings.Join(lines, "\n")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
