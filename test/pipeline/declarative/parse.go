package declarative

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Error is what is wrong with a pipeline, and where.
type Error struct {
	Line    int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }

// call is the one kind of statement: a name, arguments and perhaps a block.
type call struct {
	name  string
	line  int
	args  []arg
	block []*call
	// hasBlock tells an empty block from none.
	hasBlock bool
}

// arg is an argument; key is empty unless it is named.
type arg struct {
	key   string
	value any
}

// Values are nil, bool, int64, text, parameter, variable, []any, []arg (a map)
// and *call.
type (
	text struct {
		value string
		// template: it has ${...} to be filled in.
		template bool
	}
	// parameter is the value of a parameter of the job.
	parameter string
	// variable is any other; nothing takes one.
	variable string
)

// parser reads the part of Groovy that declarative pipelines are written in. It
// stops at the first error by panicking with it.
type parser struct {
	source string
	at     int
}

func parse(source string) (calls []*call, err error) {
	p := &parser{source: source}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			err = r
		default:
			panic(r)
		}
	}()
	calls = p.statements()
	if p.at < len(p.source) {
		p.fail("unexpected %s", p.here())
	}
	return calls, nil
}

func (p *parser) line() int { return 1 + strings.Count(p.source[:p.at], "\n") }

func (p *parser) fail(format string, args ...any) {
	panic(&Error{p.line(), fmt.Sprintf(format, args...)})
}

// here is what comes next, for errors.
func (p *parser) here() string {
	if p.at >= len(p.source) {
		return "end of file"
	}
	rest, _, _ := strings.Cut(p.source[p.at:], "\n")
	if rest == "" {
		return "end of line"
	}
	return strconv.Quote(rest[:min(len(rest), 20)])
}

func (p *parser) peek(prefix string) bool { return strings.HasPrefix(p.source[p.at:], prefix) }

func (p *parser) take(prefix string) bool {
	if !p.peek(prefix) {
		return false
	}
	p.at += len(prefix)
	return true
}

func (p *parser) want(prefix string) {
	if !p.take(prefix) {
		p.fail("want %q, not %s", prefix, p.here())
	}
}

// blanks skips blanks and comments, and the ends of lines where a statement may
// go on behind them.
func (p *parser) blanks(lines bool) {
	for p.at < len(p.source) {
		switch {
		case p.peek("//"):
			end := strings.IndexByte(p.source[p.at:], '\n')
			if end < 0 {
				end = len(p.source) - p.at
			}
			p.at += end
		case p.peek("/*"):
			end := strings.Index(p.source[p.at:], "*/")
			if end < 0 {
				p.fail("the comment has no end")
			}
			p.at += end + 2
		case p.peek(" "), p.peek("\t"), p.peek("\r"), lines && p.peek("\n"):
			p.at++
		default:
			return
		}
	}
}

var word = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)

func (p *parser) word() string {
	found := word.FindString(p.source[p.at:])
	p.at += len(found)
	return found
}

// statements reads until a block or the file ends.
func (p *parser) statements() []*call {
	var out []*call
	for {
		p.blanks(true)
		for p.take(";") {
			p.blanks(true)
		}
		if p.at >= len(p.source) || p.peek("}") {
			return out
		}
		out = append(out, p.statement())
		p.blanks(false)
		if p.at < len(p.source) && !p.peek("\n") && !p.peek(";") && !p.peek("}") {
			p.fail("unexpected %s", p.here())
		}
	}
}

func (p *parser) statement() *call {
	c := &call{line: p.line(), name: p.word()}
	if c.name == "" {
		p.fail("unexpected %s", p.here())
	}
	p.blanks(false)
	switch {
	case p.take("("):
		c.args = p.arguments(")")
		p.blanks(false)
	case p.at < len(p.source) && !strings.ContainsRune("\n;{}", rune(p.source[p.at])):
		c.args = p.arguments("")
	}
	if p.take("{") {
		c.hasBlock = true
		c.block = p.statements()
		p.want("}")
	}
	return c
}

// arguments reads a list up to its closing bracket; without one, it ends with the
// line.
func (p *parser) arguments(end string) []arg {
	var out []arg
	p.blanks(end != "")
	if end != "" && p.take(end) {
		return out
	}
	for {
		out = append(out, p.argument())
		p.blanks(end != "")
		if p.take(",") {
			p.blanks(true)
			continue
		}
		if end != "" {
			p.want(end)
		}
		return out
	}
}

func (p *parser) argument() arg {
	start := p.at
	if key := p.word(); key != "" {
		p.blanks(false)
		if p.take(":") {
			p.blanks(true)
			return arg{key, p.value()}
		}
		p.at = start
	}
	return arg{value: p.value()}
}

var number = regexp.MustCompile(`^[0-9]+`)

func (p *parser) value() any {
	switch {
	case p.peek("'"), p.peek(`"`):
		return p.text()
	case p.take("["):
		return p.list()
	}
	if digits := number.FindString(p.source[p.at:]); digits != "" {
		p.at += len(digits)
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			p.fail("%v", err)
		}
		return n
	}
	line := p.line()
	name := p.word()
	switch name {
	case "":
		p.fail("want a value, not %s", p.here())
	case "true", "false":
		return name == "true"
	case "null":
		return nil
	}
	if p.take("(") {
		return &call{name: name, line: line, args: p.arguments(")")}
	}
	if name == "params" && p.take(".") {
		return parameter(p.word())
	}
	for p.take(".") {
		name += "." + p.word()
	}
	return variable(name)
}

// list reads a list or, where it has keys, a map.
func (p *parser) list() any {
	args := p.arguments("]")
	named := 0
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.value
		if a.key != "" {
			named++
		}
	}
	switch {
	case named == 0:
		return values
	case named < len(args):
		p.fail("a list with keys for some of its elements")
	}
	return args
}

// filling is what templates may have filled in.
var filling = regexp.MustCompile(`\$\{params\.([A-Za-z_][A-Za-z0-9_]*)\}`)

func (p *parser) text() text {
	quote := p.source[p.at : p.at+1]
	if triple := strings.Repeat(quote, 3); p.peek(triple) {
		quote = triple
	}
	double := quote[0] == '"'
	p.at += len(quote)
	var out strings.Builder
	template := false
	for !p.take(quote) {
		switch {
		case p.at >= len(p.source), len(quote) == 1 && p.peek("\n"):
			p.fail("the text has no end")
		case p.take(`\`):
			out.WriteString(p.escape())
		case double && p.peek("$"):
			found := filling.FindString(p.source[p.at:])
			if found == "" || !p.peek(found) {
				p.fail("only ${params.NAME} can be filled in, not %s", p.here())
			}
			out.WriteString(found)
			p.at += len(found)
			template = true
		default:
			out.WriteByte(p.source[p.at])
			p.at++
		}
	}
	return text{out.String(), template}
}

func (p *parser) escape() string {
	if p.at >= len(p.source) {
		p.fail("the text has no end")
	}
	c := p.source[p.at]
	p.at++
	switch c {
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case '\n':
		return ""
	case '\\', '\'', '"', '$':
		return string(c)
	}
	p.at--
	p.fail(`there is no escape \%c`, c)
	return ""
}
