package schema

import (
	"fmt"
	"strconv"
	"strings"

	"platform/internal/plan"
)

// path is the place of a value in an object. It is spelled only when something
// is wrong there.
type path struct {
	parent *path
	key    string
	// list is what the value is an element of; then index counts.
	list  []any
	index int
}

func (p *path) child(key string) *path { return &path{parent: p, key: key} }

func (p *path) element(list []any, index int) *path {
	return &path{parent: p, list: list, index: index}
}

// String spells the path as package plan does.
func (p *path) String() string {
	switch {
	case p == nil:
		return ""
	case p.list != nil:
		return p.parent.String() + elementName(p.list, p.index)
	}
	return plan.JoinPath(p.parent.String(), p.key)
}

// elementName is an element by its name where all elements have different ones,
// else by its index.
func elementName(list []any, index int) string {
	names := map[string]bool{}
	for _, item := range list {
		object, _ := item.(map[string]any)
		name, ok := object["name"].(string)
		if !ok || names[name] {
			return fmt.Sprintf("[%d]", index)
		}
		names[name] = true
	}
	return fmt.Sprintf("[name=%q]", list[index].(map[string]any)["name"])
}

// below goes on from p, where value is, along a path as Kubernetes' own
// validation writes it: dots, [0] and [key]. Keys may have dots and brackets
// themselves, so that the value has to tell where one ends.
func (p *path) below(value any, rest string) *path {
	for rest != "" {
		var key string
		switch v := value.(type) {
		case []any:
			inside, after, ok := strings.Cut(strings.TrimPrefix(rest, "["), "]")
			index, err := strconv.Atoi(inside)
			if !ok || rest[0] != '[' || err != nil || index < 0 || index >= len(v) {
				return p
			}
			p, value, rest = p.element(v, index), v[index], strings.TrimPrefix(after, ".")
			continue
		case map[string]any:
			key, rest = cutKey(v, rest)
			value = v[key]
		default:
			key, rest = cutKey(nil, rest)
			value = nil
		}
		p = p.child(key)
	}
	return p
}

// cutKey takes the first key off a path: the longest one of the map that fits,
// or what looks like one.
func cutKey(m map[string]any, text string) (key, rest string) {
	found := false
	if bracketed, ok := strings.CutPrefix(text, "["); ok {
		for k := range m {
			if after, ok := strings.CutPrefix(bracketed, k+"]"); ok && (!found || len(k) > len(key)) {
				key, rest, found = k, after, true
			}
		}
		if !found {
			key, rest, _ = strings.Cut(bracketed, "]")
		}
		return key, strings.TrimPrefix(rest, ".")
	}
	for k := range m {
		after, ok := strings.CutPrefix(text, k)
		if ok && (after == "" || after[0] == '.' || after[0] == '[') && (!found || len(k) > len(key)) {
			key, rest, found = k, after, true
		}
	}
	if !found {
		end := strings.IndexAny(text[1:], ".[") + 1
		if end == 0 {
			end = len(text)
		}
		key, rest = text[:end], text[end:]
	}
	return key, strings.TrimPrefix(rest, ".")
}
