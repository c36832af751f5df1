package render

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"platform/internal/plan"
)

// Object is one Kubernetes object and where it comes from.
type Object struct {
	// Key is the object's place in its file's value: the keys on the way to
	// it, joined by dots.
	Key string
	*unstructured.Unstructured
}

// objects finds the Kubernetes objects in a file's value: the value itself,
// the leaves of nested objects and arrays, and the items of Lists. Nulls, by
// which jsonnet leaves a field out, are dropped from maps on the way; in a
// list they have no meaning and are refused.
func objects(value any) ([]Object, error) {
	var out []Object
	if err := collect("", value, &out); err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b Object) int { return cmp.Compare(a.Key, b.Key) })
	for i := 1; i < len(out); i++ {
		if out[i-1].Key == out[i].Key {
			return nil, &objectError{key: out[i].Key, message: "two objects have this key; nested keys are joined by dots, so that {a: {b: …}} and {'a.b': …} are the same"}
		}
	}
	return out, nil
}

func collect(key string, value any, out *[]Object) error {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		for i, item := range v {
			if err := collect(joinKey(key, strconv.Itoa(i)), item, out); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		_, hasVersion := v["apiVersion"].(string)
		kind, hasKind := v["kind"].(string)
		if !hasVersion || !hasKind {
			if hasVersion || hasKind {
				return &objectError{key: key, message: "an object needs both apiVersion and kind"}
			}
			return collectMap(key, v, out)
		}
		if items, ok := v["items"].([]any); ok && kind == "List" {
			return collect(key, items, out)
		}
		if path := dropNulls("", v); path != "" {
			return &objectError{key: key, path: path, message: "is null, which means nothing in a list"}
		}
		o := &unstructured.Unstructured{Object: v}
		if o.GetName() == "" {
			return &objectError{key: key, message: fmt.Sprintf("the %s has no metadata.name", kind)}
		}
		if key == "" {
			key = o.GetKind() + "-" + o.GetName()
		}
		*out = append(*out, Object{Key: key, Unstructured: o})
		return nil
	}
	return &objectError{key: key, message: fmt.Sprintf("want Kubernetes objects, nested as you like, got %T %v", value, value)}
}

// collectMap collects what a map holds. Beside objects it may hold settings for
// them, such as a namespace's name; without any object they are a mistake.
func collectMap(key string, v map[string]any, out *[]Object) error {
	before := len(*out)
	var setting error
	for _, name := range slices.Sorted(maps.Keys(v)) {
		err := collect(joinKey(key, name), v[name], out)
		switch v[name].(type) {
		case string, bool, int64, float64:
			if setting == nil {
				setting = err
			}
		default:
			if err != nil {
				return err
			}
		}
	}
	if len(*out) == before {
		return setting
	}
	return nil
}

func joinKey(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// objectError is what is wrong with a part of a file's value.
type objectError struct {
	key string
	// path is the field of the object at the key; empty for the whole.
	path    string
	message string
}

func (e *objectError) Error() string {
	what := e.key
	if what == "" {
		what = "the file's value"
	}
	if e.path != "" {
		return what + ": " + e.path + " " + e.message
	}
	return what + ": " + e.message
}

// dropNulls removes null fields: the API server would not ignore them but
// make zeros and empty strings of them. It stops at a null in a list and gives
// its path.
func dropNulls(path string, value any) string {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if v[key] == nil {
				delete(v, key)
				continue
			}
			if found := dropNulls(plan.JoinPath(path, key), v[key]); found != "" {
				return found
			}
		}
	case []any:
		for i, item := range v {
			at := fmt.Sprintf("%s[%d]", path, i)
			if item == nil {
				return at
			}
			if found := dropNulls(at, item); found != "" {
				return found
			}
		}
	}
	return ""
}
