package schema

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// slot is a value in an object, with how to replace it.
type slot struct {
	where  string
	value  any
	parent any // map[string]any or []any
	key    string
	index  int
}

func (s slot) set(value any) {
	switch p := s.parent.(type) {
	case map[string]any:
		p[s.key] = value
	case []any:
		p[s.index] = value
	}
}

// slots are all values of an object below its root, but for what says which
// object it is.
func slots(where string, value any, out *[]slot) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			at := where + "." + key
			switch at {
			case ".apiVersion", ".kind", ".metadata.name", ".metadata.namespace":
				continue
			}
			if where != "" || key != "metadata" {
				*out = append(*out, slot{where: at, value: v[key], parent: v, key: key})
			}
			slots(at, v[key], out)
		}
	case []any:
		for i, item := range v {
			at := fmt.Sprintf("%s[%d]", where, i)
			*out = append(*out, slot{where: at, value: item, parent: v, index: i})
			slots(at, item, out)
		}
	}
}

// mutate changes an object and describes the change; empty if the change that
// was drawn isn't possible there.
func mutate(random *rand.Rand, object map[string]any) string {
	var all []slot
	slots("", object, &all)
	if len(all) == 0 {
		return ""
	}
	s := all[random.IntN(len(all))]
	fields, inMap := s.parent.(map[string]any)
	switch random.IntN(10) {
	case 0:
		if !inMap {
			return ""
		}
		name := misspell(random, s.key)
		if _, there := fields[name]; there || name == "" {
			return ""
		}
		delete(fields, s.key)
		fields[name] = s.value
		return fmt.Sprintf("rename %s to %s", s.where, name)
	case 1:
		if !inMap {
			return ""
		}
		delete(fields, s.key)
		return "drop " + s.where
	case 2, 3:
		other := otherType(random, s.value)
		s.set(other)
		return fmt.Sprintf("type of %s: %v", s.where, brief(other))
	case 4:
		text, ok := s.value.(string)
		if !ok {
			return ""
		}
		other := []string{"", text + "x", strings.ToUpper(text), text + " ", "-" + text, "a b", strings.Repeat("x", 70)}[random.IntN(7)]
		s.set(other)
		return fmt.Sprintf("text of %s: %s", s.where, brief(other))
	case 5:
		list, ok := s.value.([]any)
		if !ok || len(list) == 0 {
			return ""
		}
		s.set(append(slices.Clone(list), list[random.IntN(len(list))]))
		return "double an element of " + s.where
	case 6:
		if _, ok := s.value.(int64); !ok {
			return ""
		}
		other := []int64{-1, 0, 70000, 1 << 40}[random.IntN(4)]
		s.set(other)
		return fmt.Sprintf("number %s: %d", s.where, other)
	case 7:
		inner, ok := s.value.(map[string]any)
		if !ok {
			return ""
		}
		name := []string{"enabled", "name", "spec", "Replicas", "value"}[random.IntN(5)]
		if _, there := inner[name]; there {
			return ""
		}
		inner[name] = "x"
		return fmt.Sprintf("add %s.%s", s.where, name)
	case 8:
		// One level out.
		inner, ok := s.value.(map[string]any)
		if !ok || !inMap || len(inner) == 0 {
			return ""
		}
		keys := slices.Sorted(maps.Keys(inner))
		key := keys[random.IntN(len(keys))]
		if _, there := fields[key]; there {
			return ""
		}
		fields[key] = inner[key]
		delete(inner, key)
		return fmt.Sprintf("move %s.%s out", s.where, key)
	default:
		switch s.value.(type) {
		case map[string]any:
			s.set(map[string]any{})
		case []any:
			s.set([]any{})
		default:
			return ""
		}
		return "empty " + s.where
	}
}

func misspell(random *rand.Rand, name string) string {
	if len(name) < 2 {
		return name + "s"
	}
	i := random.IntN(len(name) - 1)
	switch random.IntN(4) {
	case 0:
		return name[:i] + name[i+1:]
	case 1:
		return name[:i] + name[i+1:i+2] + name[i:i+1] + name[i+2:]
	case 2:
		return name + "s"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func otherType(random *rand.Rand, value any) any {
	candidates := []any{"text", "3", int64(3), 1.5, true, map[string]any{}, map[string]any{"a": "b"}, []any{}, []any{"a"}}
	if v, ok := value.(int64); ok {
		candidates = append(candidates, fmt.Sprint(v), fmt.Sprint(v), fmt.Sprint(v))
	}
	if v, ok := value.([]any); ok && len(v) > 0 {
		candidates = append(candidates, v[0], v[0], v[0])
	}
	return candidates[random.IntN(len(candidates))]
}

func brief(value any) string {
	text := fmt.Sprintf("%#v", value)
	if len(text) > 40 {
		return text[:40] + "…"
	}
	return text
}
