package addons

import (
	"fmt"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"platform/internal/plan"
)

// credit says of each field that differs which field manager holds it in the
// cluster, and when that manager last wrote the object. The API server keeps one
// time for all fields of a manager, so that it is no more than an upper bound;
// of a field that somebody removed it keeps nothing.
func credit(fields []plan.Field, by owners) {
	if len(fields) == 0 {
		return
	}
	held := make([]holding, len(by))
	for i, entry := range by {
		held[i] = holdingOf(entry.fields)
	}
	for i := range fields {
		f := &fields[i]
		if f.From == nil {
			continue
		}
		best := -1
		for j, entry := range by {
			if !held[j].has(f.Path) {
				continue
			}
			// Whoever isn't us made it differ; of several, who wrote last.
			switch {
			case best < 0, by[best].ours() && !entry.ours():
				best = j
			case entry.ours() && !by[best].ours():
			case entry.Time != nil && (by[best].Time == nil || by[best].Time.Before(entry.Time)):
				best = j
			}
		}
		if best < 0 {
			continue // the server's own: a default
		}
		f.Manager = by[best].Manager
		if by[best].Time != nil {
			t := by[best].Time.UTC()
			f.Written = &t
		}
	}
}

// holding is what a manager holds: paths, each with whether that is only the
// existence of what other paths are beneath.
type holding map[string]bool

func holdingOf(fields *fieldpath.Set) holding {
	h := holding{}
	fields.Iterate(func(path fieldpath.Path) {
		for i := 1; i < len(path); i++ {
			if above := spell(path[:i]); fields.Has(path[:i]) {
				h[above] = true
			}
		}
		if at := spell(path); !h[at] {
			h[at] = false
		}
	})
	return h
}

// has reports whether a path is held, or what it is part of, or a part of it.
func (h holding) has(path string) bool {
	for at, existence := range h {
		if at == path || beneathPath(at, path) || beneathPath(path, at) && !existence {
			return true
		}
	}
	return false
}

// beneathPath reports whether a path is beneath another.
func beneathPath(path, top string) bool {
	rest, ok := strings.CutPrefix(path, top)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// spell writes a path of an owner's record as a diff does.
func spell(path fieldpath.Path) string {
	out := ""
	for _, e := range path {
		switch {
		case e.FieldName != nil:
			out = plan.JoinPath(out, *e.FieldName)
		case e.Key != nil:
			parts := make([]string, 0, len(*e.Key))
			for _, key := range *e.Key {
				parts = append(parts, key.Name+"="+text(key.Value.Unstructured()))
			}
			out += "[" + strings.Join(parts, ",") + "]"
		case e.Value != nil:
			out += "[" + text((*e.Value).Unstructured()) + "]"
		case e.Index != nil:
			out += fmt.Sprintf("[%d]", *e.Index)
		}
	}
	return out
}
