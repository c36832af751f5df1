package schema

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"platform/internal/check/schema/openapi"
	"platform/internal/check/spelling"
)

// problem is something that is wrong with an object.
type problem struct {
	at           *path
	message, fix string
}

// walker compares an object with its schema.
type walker struct {
	kind        string
	definitions map[string]*openapi.Schema
	// custom says that the object is a custom resource: its schema has no open
	// objects but those that say so, and its numbers and formats are checked by
	// the API server's own code.
	custom bool
	// visit, if set, is told of every object that has a definition of its own,
	// after its fields.
	visit    func(at *path, definition string, object map[string]any)
	problems []problem
	// meant are the fields that misspelt ones were probably meant to be: they
	// aren't missing.
	meant map[string]bool
}

func (w *walker) report(at *path, message, fix string) {
	w.problems = append(w.problems, problem{at, message, fix})
}

// resolve follows references to what a schema really says.
func (w *walker) resolve(s *openapi.Schema) (*openapi.Schema, string) {
	definition := ""
	for s != nil && s.Ref != "" {
		definition = s.Ref
		s = w.definitions[s.Ref]
	}
	return s, definition
}

// value checks a value. around is the schema of the object that it is a field
// of, if it is one.
func (w *walker) value(at *path, value any, s, around *openapi.Schema) {
	s, definition := w.resolve(s)
	if s == nil || !w.hasType(at, value, s) {
		return
	}
	switch v := value.(type) {
	case map[string]any:
		w.object(at, v, s, around)
		if w.visit != nil && definition != "" {
			w.visit(at, definition, v)
		}
	case []any:
		w.list(at, v, s)
	case string:
		// Kubernetes takes an empty field for one that is left out.
		missing := v == "" && !w.custom && at != nil && at.list == nil
		if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) && !missing {
			w.enum(at, v, s.Enum)
		}
	}
}

func (w *walker) object(at *path, object map[string]any, s, around *openapi.Schema) {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		p := s.Properties[name]
		switch {
		case p == nil && s.Embedded && embedded[name] != nil:
			p = embedded[name]
		case p == nil && s.Additional != nil:
			p = s.Additional
		case p == nil && !s.Open && (len(s.Properties) > 0 || s.Embedded || w.custom):
			w.unknown(at, name, object, s, around)
			continue
		}
		if p != nil {
			w.value(at.child(name), object[name], p, s)
		}
	}
	for _, name := range s.Required {
		field := at.child(name)
		if _, ok := object[name]; !ok && !w.meant[field.String()] {
			w.report(field, fmt.Sprintf("the required field %q is missing", name), "Add it: "+w.explain(field))
		}
	}
	for name, p := range s.Properties {
		// Nobody declares a status.
		if _, ok := object[name]; p.Always && !ok && name != "status" && !slices.Contains(s.Required, name) {
			w.value(at.child(name), map[string]any{}, p, s)
		}
	}
}

// embedded are the fields that every embedded object has.
var embedded = map[string]*openapi.Schema{
	"apiVersion": {Type: openapi.String},
	"kind":       {Type: openapi.String},
	"metadata":   {Ref: objectMeta},
}

// unknown reports a field that there isn't, and what may have been meant: a
// field of a similar name, or the same one further in or out.
func (w *walker) unknown(at *path, name string, object map[string]any, s, around *openapi.Schema) {
	message := fmt.Sprintf("unknown field %q", name)
	known := slices.Sorted(maps.Keys(s.Properties))
	// A field that is there already isn't what was meant.
	free := slices.DeleteFunc(slices.Clone(known), func(field string) bool { _, ok := object[field]; return ok })
	if meant := spelling.Closest(name, free); meant != "" {
		if w.meant == nil {
			w.meant = map[string]bool{}
		}
		w.meant[at.child(meant).String()] = true
		w.report(at.child(name), message+fmt.Sprintf("; did you mean %q?", meant), "Correct the name of the field, or delete it.")
		return
	}
	for _, field := range known {
		inner, _ := w.resolve(s.Properties[field])
		if inner != nil && inner.Properties[name] != nil && field != "metadata" && field != "status" {
			w.report(at.child(name), message+fmt.Sprintf("; there is one in %s", field), fmt.Sprintf("Move it to %s.", at.child(field).child(name)))
			return
		}
	}
	if around != nil && around.Properties[name] != nil {
		outer := "the object"
		if at.parent != nil {
			outer = at.parent.String()
		}
		w.report(at.child(name), message+fmt.Sprintf("; there is one in %s", outer), fmt.Sprintf("Move it to %s.", at.parent.child(name)))
		return
	}
	w.report(at.child(name), message, "Delete the field: "+w.explain(at))
}

func (w *walker) list(at *path, list []any, s *openapi.Schema) {
	for i, item := range list {
		if s.Items != nil {
			w.value(at.element(list, i), item, s.Items, nil)
		}
	}
	switch s.ListType {
	case "set":
		w.unique(at, list, func(item any) (string, bool) { return fmt.Sprintf("%#v", item), true }, nil)
	case "map":
		item, _ := w.resolve(s.Items)
		w.unique(at, list, func(value any) (string, bool) { return mapKey(value, item, s.MapKeys) }, s.MapKeys)
	}
}

// mapKey identifies an element of a list of which no two may be the same. A key
// that is left out has its default; without one, another finding says so.
func mapKey(value any, item *openapi.Schema, keys []string) (string, bool) {
	object, ok := value.(map[string]any)
	if !ok || item == nil {
		return "", false
	}
	var out []string
	for _, key := range keys {
		part, ok := object[key]
		if !ok && item.Properties[key] != nil {
			part = item.Properties[key].Default
		}
		out = append(out, fmt.Sprintf("%#v", part))
	}
	return strings.Join(out, " "), true
}

func (w *walker) unique(at *path, list []any, identify func(any) (string, bool), keys []string) {
	seen := map[string]int{}
	for i, item := range list {
		id, ok := identify(item)
		if !ok {
			continue
		}
		first, again := seen[id]
		if !again {
			seen[id] = i
			continue
		}
		same := "value"
		if len(keys) > 0 {
			same = strings.Join(keys, " and ")
		}
		w.report(at.element(list, i), fmt.Sprintf("has the same %s as element %d of the list", same, first),
			"Delete one of the two, or tell them apart.")
	}
}

func (w *walker) enum(at *path, value string, allowed []string) {
	message := fmt.Sprintf("must be %s, is %q", alternatives(allowed), value)
	fix := "Choose one of the values: " + w.explain(at)
	if meant := spelling.Closest(value, allowed); meant != "" {
		fix = fmt.Sprintf("Write %q, if that is what was meant.", meant)
	}
	w.report(at, message, fix)
}

func alternatives(values []string) string {
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = strconv.Quote(value)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
}

// hasType checks a value's type and format and reports another one.
func (w *walker) hasType(at *path, value any, s *openapi.Schema) bool {
	switch s.Format {
	case openapi.FormatIntOrString:
		return w.intOrString(at, value)
	case openapi.FormatQuantity:
		return w.quantity(at, value)
	}
	number, integral := numberOf(value)
	ok := false
	switch s.Type {
	case "":
		return true
	case openapi.Object:
		_, ok = value.(map[string]any)
	case openapi.Array:
		_, ok = value.([]any)
	case openapi.Boolean:
		_, ok = value.(bool)
	case openapi.Number:
		ok = isNumber(value)
	case openapi.Integer:
		ok = isNumber(value) && integral
		if ok && (s.Format == "int32" && (number > math.MaxInt32 || number < math.MinInt32)) {
			w.report(at, fmt.Sprintf("%s doesn't fit into 32 bits", text(value)), "Write a smaller number.")
			return false
		}
	case openapi.String:
		var v string
		if v, ok = value.(string); ok {
			return w.format(at, v, s.Format)
		}
	}
	if !ok {
		w.report(at, fmt.Sprintf("must be %s, is %s", article(s.Type), describe(value)), w.convert(at, value, s.Type))
	}
	return ok
}

// format checks strings of which the decoder wants a certain form.
func (w *walker) format(at *path, value, format string) bool {
	var err error
	switch {
	case w.custom || value == "":
		return true
	case format == "byte":
		if _, err = base64.StdEncoding.DecodeString(value); err != nil {
			w.report(at, "must be base64: "+err.Error(), "Encode the value with std.base64; kube.Secret does it for data_.")
		}
	case format == "date-time":
		if _, err = time.Parse(time.RFC3339, value); err != nil {
			w.report(at, fmt.Sprintf("must be a time such as 2006-01-02T15:04:05Z, is %q", value), "Write the time in that form.")
		}
	}
	return err == nil
}

func (w *walker) intOrString(at *path, value any) bool {
	if _, ok := value.(string); ok {
		return true
	}
	number, integral := numberOf(value)
	switch {
	case !isNumber(value) || !integral:
		w.report(at, fmt.Sprintf("must be an integer or a string, is %s", describe(value)), "Write a number, or a string: "+w.explain(at))
	case !w.custom && (number > math.MaxInt32 || number < math.MinInt32):
		w.report(at, fmt.Sprintf("%s doesn't fit into 32 bits", text(value)), "Write a smaller number.")
	default:
		return true
	}
	return false
}

func (w *walker) quantity(at *path, value any) bool {
	if isNumber(value) {
		return true
	}
	v, ok := value.(string)
	if !ok {
		w.report(at, fmt.Sprintf("must be a quantity such as \"500m\" or \"2Gi\", is %s", describe(value)), "Write a quantity.")
		return false
	}
	if _, err := resource.ParseQuantity(strings.TrimSpace(v)); err != nil {
		w.report(at, fmt.Sprintf("must be a quantity such as \"500m\" or \"2Gi\", is %q", v), quantityFix(v))
		return false
	}
	return true
}

// quantityFix knows the ways in which people spell units.
func quantityFix(value string) string {
	trimmed := strings.TrimRight(value, " bBiI")
	for _, unit := range []string{"k", "K", "m", "M", "g", "G", "t", "T"} {
		number, ok := strings.CutSuffix(trimmed, unit)
		if _, err := strconv.ParseFloat(strings.TrimSpace(number), 64); !ok || err != nil {
			continue
		}
		meant := strings.TrimSpace(number) + strings.ToUpper(unit) + "i"
		if _, err := resource.ParseQuantity(meant); err == nil {
			return fmt.Sprintf("Write %q, if that is what was meant.", meant)
		}
	}
	return "Units are m, k, M, G, T and Ki, Mi, Gi, Ti, right behind the number."
}

// numberOf is a number's value, and whether it is whole. Jsonnet and JSON know
// one type of numbers; what the decoder made of it doesn't matter.
func numberOf(value any) (number float64, integral bool) {
	switch v := value.(type) {
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case float64:
		// Whole numbers that come as floats have too many digits for an int64.
		return v, v == math.Trunc(v) && math.Abs(v) < 1<<63
	}
	return 0, false
}

func isNumber(value any) bool {
	switch value.(type) {
	case int64, int, float64:
		return true
	}
	return false
}

func article(kind string) string {
	switch kind {
	case openapi.Array:
		return "a list"
	case openapi.Object, openapi.Integer:
		return "an " + kind
	}
	return "a " + kind
}

// describe says what a value is, with the value if it is short.
func describe(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case bool:
		return fmt.Sprintf("the boolean %t", v)
	case string:
		const enough = 60
		if len(v) > enough {
			return "a string"
		}
		return fmt.Sprintf("the string %q", v)
	}
	return "the number " + text(value)
}

func text(value any) string {
	if v, ok := value.(float64); ok {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

// convert says how to make the wanted type of a value.
func (w *walker) convert(at *path, value any, wanted string) string {
	s, isString := value.(string)
	switch {
	case isString && (wanted == openapi.Integer || wanted == openapi.Number):
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			return "Write the number without quotes, or convert it with std.parseInt."
		}
	case isString && wanted == openapi.Boolean && (s == "true" || s == "false"):
		return "Write it without quotes."
	case wanted == openapi.String && (isNumber(value) || value == true || value == false):
		return "Write it in quotes, or convert it with std.toString."
	case wanted == openapi.Array && isString:
		return "Put the value into brackets."
	}
	return "Correct the value: " + w.explain(at)
}

// explain names the command that describes a field.
func (w *walker) explain(at *path) string {
	name := strings.ToLower(w.kind)
	var keys []string
	for p := at; p != nil; p = p.parent {
		if p.list == nil {
			keys = append(keys, p.key)
		}
	}
	slices.Reverse(keys)
	for _, key := range keys {
		if strings.ContainsAny(key, "./ []") {
			break // a map's key
		}
		name += "." + key
	}
	return "kubectl explain " + name + " describes it."
}
