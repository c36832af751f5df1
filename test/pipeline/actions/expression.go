package actions

import (
	"fmt"
	"regexp"
	"strings"
)

// context is what expressions refer to: values by their dotted names, and
// whether what is asked about has succeeded so far.
type context struct {
	values map[string]string
	failed bool
	// asked: the expression has called one of the functions on success, so
	// that success isn't required beside it.
	asked bool
}

// evaluate gives an expression's value, a string or a bool. Names that the
// context doesn't have are empty, as they are for GitHub.
func evaluate(source string, c *context) (any, error) {
	e := &evaluator{context: c, rest: source}
	value := e.or()
	if e.err == nil && e.next() != "" {
		e.fail("unexpected %q", e.next())
	}
	return value, e.err
}

type evaluator struct {
	*context
	rest string
	err  error
}

func (e *evaluator) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
	e.rest = ""
}

var token = regexp.MustCompile(`^\s*(\|\||&&|==|!=|[!()]|'(?:[^']|'')*'|[A-Za-z_][\w.-]*|\S)`)

// next is the token that comes next; empty at the end.
func (e *evaluator) next() string {
	found := token.FindStringSubmatch(e.rest)
	if found == nil {
		return ""
	}
	return found[1]
}

func (e *evaluator) take(wanted ...string) string {
	next := e.next()
	for _, want := range wanted {
		if next == want {
			e.rest = e.rest[len(token.FindString(e.rest)):]
			return next
		}
	}
	return ""
}

func truthy(value any) bool { return value != "" && value != false }

func (e *evaluator) or() any {
	value := e.and()
	for e.take("||") != "" {
		if other := e.and(); !truthy(value) {
			value = other
		}
	}
	return value
}

func (e *evaluator) and() any {
	value := e.equal()
	for e.take("&&") != "" {
		if other := e.equal(); truthy(value) {
			value = other
		}
	}
	return value
}

func (e *evaluator) equal() any {
	value := e.unary()
	for {
		op := e.take("==", "!=")
		if op == "" {
			return value
		}
		// GitHub compares texts without regard to case.
		same := strings.EqualFold(fmt.Sprint(value), fmt.Sprint(e.unary()))
		value = same == (op == "==")
	}
}

func (e *evaluator) unary() any {
	if e.take("!") != "" {
		return !truthy(e.unary())
	}
	if e.take("(") != "" {
		value := e.or()
		if e.take(")") == "" {
			e.fail("want ), not %q", e.next())
		}
		return value
	}
	word := e.take(e.next())
	switch {
	case strings.HasPrefix(word, "'") && len(word) > 1:
		return strings.ReplaceAll(word[1:len(word)-1], "''", "'")
	case word == "true" || word == "false":
		return word == "true"
	case word == "" || !regexp.MustCompile(`^[A-Za-z_]`).MatchString(word):
		e.fail("want a value, not %q", word)
		return ""
	}
	if e.take("(") == "" {
		return e.name(word)
	}
	if e.take(")") == "" {
		e.fail("%s takes nothing", word)
	}
	e.asked = true
	switch word {
	case "always":
		return true
	case "cancelled":
		return false
	case "success":
		return !e.failed
	case "failure":
		return e.failed
	}
	e.fail("there is no function %s", word)
	return ""
}

var contexts = []string{"env", "github", "inputs", "matrix", "needs", "runner", "secrets", "vars"}

func (e *evaluator) name(name string) any {
	root, _, dotted := strings.Cut(name, ".")
	for _, known := range contexts {
		if root == known && dotted {
			return e.values[name]
		}
	}
	e.fail("there is no %s", name)
	return ""
}
