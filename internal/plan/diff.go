package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Diff compares two values as encoding/json would decode them and gives the
// fields that differ, sorted by path; prefix is the path of the values
// themselves and may be empty. Lists of objects that all have a distinct name
// are matched by name, others by index.
func Diff(prefix string, from, to any) []Field {
	var out []Field
	diff(prefix, from, to, &out)
	SortFields(out)
	return out
}

func diff(path string, from, to any, out *[]Field) {
	if reflect.DeepEqual(from, to) {
		return
	}
	fromMap, fromOK := from.(map[string]any)
	toMap, toOK := to.(map[string]any)
	if (fromOK || from == nil) && (toOK || to == nil) && len(fromMap)+len(toMap) > 0 {
		keys := maps.Clone(fromMap)
		if keys == nil {
			keys = map[string]any{}
		}
		maps.Copy(keys, toMap)
		for key := range keys {
			diff(JoinPath(path, key), fromMap[key], toMap[key], out)
		}
		return
	}
	fromList, fromOK := from.([]any)
	toList, toOK := to.([]any)
	if fromOK && toOK {
		if diffNamed(path, fromList, toList, out) {
			return
		}
		if len(fromList) == len(toList) {
			for i := range fromList {
				diff(fmt.Sprintf("%s[%d]", path, i), fromList[i], toList[i], out)
			}
			return
		}
	}
	*out = append(*out, Field{Path: path, From: from, To: to})
}

// diffNamed compares lists of named objects and reports whether they are.
func diffNamed(path string, from, to []any, out *[]Field) bool {
	fromNames, fromOK := byName(from)
	toNames, toOK := byName(to)
	if !fromOK || !toOK {
		return false
	}
	names := slices.Collect(maps.Keys(fromNames))
	for name := range toNames {
		if _, both := fromNames[name]; !both {
			names = append(names, name)
		}
	}
	before := len(*out)
	for _, name := range names {
		diff(fmt.Sprintf("%s[name=%q]", path, name), fromNames[name], toNames[name], out)
	}
	if len(*out) == before {
		// The same items in another order.
		*out = append(*out, Field{Path: path, From: namesOf(from), To: namesOf(to)})
	}
	return true
}

func namesOf(list []any) []any {
	names := make([]any, len(list))
	for i, item := range list {
		names[i] = item.(map[string]any)["name"]
	}
	return names
}

func byName(list []any) (map[string]any, bool) {
	named := make(map[string]any, len(list))
	for _, item := range list {
		object, _ := item.(map[string]any)
		name, ok := object["name"].(string)
		if _, twice := named[name]; !ok || twice {
			return nil, false
		}
		named[name] = item
	}
	return named, true
}
