package render

import (
	"errors"
	"math"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jsonnet's % on strings is std.format, which the interpreter interprets
// character by character: half the time of rendering a cluster. Here is the
// same in Go for the codes that are in use, %s, %d and %%, with their flags
// and moderate widths. Whatever else there is — floats, other bases, widths
// taken from the values — is left to the interpreted one, and so is every
// error: it is the evaluation's caller that evaluates again, interpreted, for
// the message that jsonnet has.

// Beyond these, the interpreted format would need more stack than fastMaxStack
// leaves, and be refused where this one isn't.
const (
	maxKey   = 64
	maxWidth = 32
)

// maxWhole is where the interpreted format's divisions may begin to round.
const maxWhole = 1e15

// verb is one code of a format, with the text in front of it.
type verb struct {
	text             string
	key              string
	hasKey           bool
	left, zero       bool
	blank, plus      bool
	width, precision int
	// conversion is 's', 'd' or '%'; 0 for the text at the end.
	conversion byte
}

// parseFormat gives a format's verbs; false if it isn't one for us.
func parseFormat(format string) ([]verb, bool) {
	var out []verb
	for {
		text, rest, found := strings.Cut(format, "%")
		v := verb{text: text}
		if !found {
			return append(out, v), true
		}
		if strings.HasPrefix(rest, "(") {
			if v.key, rest, v.hasKey = strings.Cut(rest[1:], ")"); !v.hasKey || len(v.key) > maxKey {
				return nil, false
			}
		}
		rest = v.flags(rest)
		var ok bool
		if v.width, rest, ok = number(rest); !ok {
			return nil, false
		}
		if precision, isPrecision := strings.CutPrefix(rest, "."); isPrecision {
			if v.precision, rest, ok = number(precision); !ok {
				return nil, false
			}
		}
		if rest != "" && strings.ContainsRune("hlL", rune(rest[0])) {
			rest = rest[1:]
		}
		if rest == "" {
			return nil, false
		}
		switch rest[0] {
		case 's', 'd', '%':
			v.conversion = rest[0]
		case 'i', 'u':
			v.conversion = 'd'
		default:
			return nil, false
		}
		out, format = append(out, v), rest[1:]
	}
}

func (v *verb) flags(rest string) string {
	for ; rest != ""; rest = rest[1:] {
		switch rest[0] {
		case '#': // of no effect on our conversions
		case '0':
			v.zero = true
		case '-':
			v.left = true
		case ' ':
			v.blank = true
		case '+':
			v.plus = true
		default:
			return rest
		}
	}
	return rest
}

// number takes the digits at the start of text, of which there may be none.
func number(text string) (n int, rest string, ok bool) {
	for text != "" && text[0] >= '0' && text[0] <= '9' {
		if n = n*10 + int(text[0]-'0'); n > maxWidth {
			return 0, "", false
		}
		text = text[1:]
	}
	return n, text, true
}

// formatKeys is a native function: the fields that a format takes of an object,
// in order; null if the format isn't one for us.
func formatKeys(args []any) (any, error) {
	text, _ := args[0].(string)
	verbs, ok := parseFormat(text)
	if !ok {
		return nil, nil
	}
	keys := []any{}
	for _, v := range verbs {
		switch {
		case v.conversion == 0 || v.conversion == '%':
		case !v.hasKey:
			return nil, nil
		default:
			keys = append(keys, v.key)
		}
	}
	return keys, nil
}

var errUnusualFormat = errors.New("not for the native format")

// format is a native function: a format, and its values in the order of its
// codes; null if it isn't one for us.
func format(args []any) (any, error) {
	text, _ := args[0].(string)
	values, _ := args[1].([]any)
	verbs, ok := parseFormat(text)
	// The replacement character may stand for what Go's strings can't hold and
	// jsonnet's can: half of a surrogate pair.
	if !ok || strings.ContainsRune(text, utf8.RuneError) {
		return nil, nil
	}
	var out strings.Builder
	for _, v := range verbs {
		out.WriteString(v.text)
		switch v.conversion {
		case 0:
		case '%':
			out.WriteString(v.pad("%"))
		default:
			if len(values) == 0 {
				return nil, nil
			}
			field, ok := v.convert(values[0])
			if !ok || strings.ContainsRune(field, utf8.RuneError) {
				return nil, nil
			}
			out.WriteString(v.pad(field))
			values = values[1:]
		}
	}
	if len(values) > 0 {
		return nil, nil
	}
	return out.String(), nil
}

func (v *verb) convert(value any) (string, bool) {
	if v.conversion == 's' {
		if text, ok := value.(string); ok {
			return text, true
		}
		return string(appendJSON(nil, value)), true
	}
	n, ok := value.(float64)
	if !ok || math.Abs(n) >= maxWhole {
		return "", false
	}
	return v.integer(n), true
}

// integer writes a number as %d does: without its fraction, and without the
// sign that is left of one between -1 and 0.
func (v *verb) integer(n float64) string {
	digits := strconv.FormatInt(int64(math.Floor(math.Abs(n))), 10)
	sign := ""
	switch {
	case n <= -1:
		sign = "-"
	case v.plus:
		sign = "+"
	case v.blank:
		sign = " "
	}
	width := v.precision
	if v.zero && !v.left {
		width = max(width, v.width-len(sign))
	}
	if missing := width - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	return sign + digits
}

func (v *verb) pad(field string) string {
	missing := v.width - utf8.RuneCountInString(field)
	if missing <= 0 {
		return field
	}
	if v.left {
		return field + strings.Repeat(" ", missing)
	}
	return strings.Repeat(" ", missing) + field
}

// appendJSON writes a value as std.toString does: JSON on one line.
func appendJSON(out []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(out, "null"...)
	case bool:
		return strconv.AppendBool(out, v)
	case float64:
		if v == math.Floor(v) {
			return strconv.AppendFloat(out, v, 'f', 0, 64)
		}
		return strconv.AppendFloat(out, v, 'g', 17, 64)
	case string:
		return appendJSONString(out, v)
	case []any:
		if len(v) == 0 {
			return append(out, "[ ]"...)
		}
		separator := "["
		for _, item := range v {
			out = appendJSON(append(out, separator...), item)
			separator = ", "
		}
		return append(out, ']')
	case map[string]any:
		if len(v) == 0 {
			return append(out, "{ }"...)
		}
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		separator := "{"
		for _, key := range keys {
			out = appendJSONString(append(out, separator...), key)
			out = appendJSON(append(out, ": "...), v[key])
			separator = ", "
		}
		return append(out, '}')
	}
	// jsonnet has no other values.
	panic(errUnusualFormat)
}

func appendJSONString(out []byte, text string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', byte(c))
		case c == '\b':
			out = append(out, `\b`...)
		case c == '\f':
			out = append(out, `\f`...)
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c == '\t':
			out = append(out, `\t`...)
		case c < 0x20 || c >= 0x7f && c <= 0x9f:
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		default:
			out = utf8.AppendRune(out, c)
		}
	}
	return append(out, '"')
}
