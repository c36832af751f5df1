package fluentd

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Element is a section, or a file as a whole.
type Element struct {
	Name, Arg string
	File      string
	Line      int
	Params    []Param
	Elements  []*Element
}

// Param is a parameter of a section.
type Param struct {
	Name, Value string
	File        string
	Line        int
}

// Param is a parameter by its name; the last one counts.
func (e *Element) Param(name string) (Param, bool) {
	for i := len(e.Params) - 1; i >= 0; i-- {
		if e.Params[i].Name == name {
			return e.Params[i], true
		}
	}
	return Param{}, false
}

// Problem is what is wrong at a line of a file; line 0 is unknown.
type Problem struct {
	File    string
	Line    int
	Message string
	Warning bool
}

// Include gives the files that a name in @include stands for, in order. It says
// whether the name is known to stand for none; one that may stand for files which
// can't be read here isn't.
type Include func(name string) (files []File, missing bool)

// File is a file of configuration.
type File struct{ Name, Content string }

// Bounds of nesting: sections in sections, and files in files.
const (
	maxDepth    = 100
	maxIncludes = 20
)

// Parse reads a file and those that it includes. Like fluentd, it stops at the
// first error; the element has what came before.
func Parse(file File, include Include) (*Element, []Problem) {
	root := &Element{File: file.Name, Line: 1}
	var problems []Problem
	parseFile(file, include, root, 0, &problems)
	return root, problems
}

func parseFile(file File, include Include, root *Element, depth int, problems *[]Problem) (ok bool) {
	p := &parser{scanner: scanner{text: file.Content, line: 1}, file: file.Name, include: include, includes: depth, problems: problems}
	defer func() {
		if e := recover(); e != nil {
			problem, is := e.(syntaxError)
			if !is {
				panic(e)
			}
			*problems = append(*problems, Problem{File: file.Name, Line: problem.line, Message: problem.message})
		}
	}()
	p.element(root, true, 0)
	return true
}

// syntaxError ends the reading of a file.
type syntaxError struct {
	line    int
	message string
}

type parser struct {
	scanner
	file     string
	include  Include
	includes int
	problems *[]Problem
}

func (p *parser) fail(line int, format string, args ...any) {
	panic(syntaxError{line, fmt.Sprintf(format, args...)})
}

// reserved are the parameters with @ that fluentd has itself.
var reserved = map[string]bool{"@type": true, "@id": true, "@label": true, "@log_level": true}

// element reads what is in a section, and its end tag.
func (p *parser) element(e *Element, root bool, depth int) {
	if depth > maxDepth {
		p.fail(p.line, "sections are nested more than %d deep", maxDepth)
	}
	for {
		p.spacing(true)
		line := p.line
		switch {
		case p.eof():
			if !root {
				p.fail(e.Line, "<%s> has no end tag </%s>", e.Name, e.Name)
			}
			return
		case p.skip("</"):
			name := p.word()
			p.spacing(true)
			if !p.skip(">") {
				p.fail(line, "the end tag </%s has no >", name)
			}
			if !p.lineEnd() {
				p.fail(line, "there is more in the line of </%s>", name)
			}
			if root {
				p.fail(line, "</%s> ends a section that hasn't begun", name)
			}
			if name != e.Name {
				p.fail(line, "</%s> where </%s> should end the section of line %d", name, e.Name, e.Line)
			}
			return
		case p.skip("<"):
			p.section(e, line, depth)
		default:
			p.param(e, root, line)
		}
	}
}

func (p *parser) section(parent *Element, line, depth int) {
	inner := &Element{Name: p.word(), File: p.file, Line: line}
	if inner.Name == "" {
		p.fail(line, "a tag has no name")
	}
	p.spacing(true)
	inner.Arg = p.argument()
	p.spacing(true)
	if !p.skip(">") {
		p.fail(line, "the tag <%s has no >", inner.Name)
	}
	if !p.lineEnd() {
		p.fail(line, "there is more in the line of <%s>", inner.Name)
	}
	p.element(inner, false, depth+1)
	parent.Elements = append(parent.Elements, inner)
}

func (p *parser) param(e *Element, root bool, line int) {
	name := p.str(isSpace)
	if name == "" {
		p.fail(line, "a parameter has no name")
	}
	behind := p.pos
	if newline := p.spacing(false); newline || p.eof() {
		e.Params = append(e.Params, Param{Name: name, File: p.file, Line: line})
		return
	}
	if p.pos == behind {
		p.fail(line, "there is no space behind the parameter's name %q", name)
	}
	if name == "@include" || name == "include" && root {
		p.includeFiles(e, line)
		return
	}
	if strings.HasPrefix(name, "@") && !reserved[name] && (root || topLevel[e.Name]) {
		p.fail(line, "%s: only fluentd's own parameters begin with @", name)
	}
	value := p.literal()
	if !p.lineEnd() {
		p.fail(p.line, "there is more in the line of parameter %s", name)
	}
	e.Params = append(e.Params, Param{Name: name, Value: value, File: p.file, Line: line})
}

// topLevel are the sections in which fluentd keeps @ for itself.
var topLevel = map[string]bool{"match": true, "source": true, "filter": true, "system": true}

func (p *parser) includeFiles(e *Element, line int) {
	name := p.str(nil)
	if !p.lineEnd() {
		p.fail(line, "there is more in the line of @include")
	}
	if p.includes >= maxIncludes {
		p.fail(line, "files include each other more than %d deep", maxIncludes)
	}
	if p.include == nil {
		return
	}
	files, missing := p.include(name)
	if missing {
		*p.problems = append(*p.problems, Problem{File: p.file, Line: line, Message: fmt.Sprintf("@include %s: there is no such file", name)})
	}
	for _, file := range files {
		if !parseFile(file, p.include, e, p.includes+1, p.problems) {
			return
		}
	}
}

// argument reads what stands in a tag behind its name.
func (p *parser) argument() string {
	if p.rest() == "" || p.rest()[0] == '>' {
		return ""
	}
	switch {
	case p.skip(`"`):
		return p.doubleQuoted()
	case p.skip("'"):
		return p.singleQuoted()
	}
	start := p.pos
	for !p.eof() && p.text[p.pos] != '>' && p.text[p.pos] != '\n' && p.text[p.pos] != '\r' {
		p.pos++
	}
	return strings.TrimRight(p.text[start:p.pos], " \t")
}

// literal reads a value: JSON, or a string.
func (p *parser) literal() string {
	p.spacing(false)
	if rest := p.rest(); rest != "" && (rest[0] == '[' || rest[0] == '{') {
		return p.json()
	}
	return p.str(nil)
}

// str reads a string. Without quotes it ends where stop says, or at the end of
// the line; a comment there needs a space in front of it.
func (p *parser) str(stop func(byte) bool) string {
	switch {
	case p.skip(`"`):
		return p.doubleQuoted()
	case p.skip("'"):
		return p.singleQuoted()
	}
	start := p.pos
	for !p.eof() {
		switch c := p.text[p.pos]; {
		case c == '\n' || c == '\r' || stop != nil && stop(c):
			return p.text[start:p.pos]
		case c == ' ' || c == '\t':
			end := p.pos
			for end < len(p.text) && (p.text[end] == ' ' || p.text[end] == '\t') {
				end++
			}
			if end == len(p.text) || strings.IndexByte("\n\r#", p.text[end]) >= 0 {
				return p.text[start:p.pos]
			}
			p.pos = end
		default:
			p.pos++
		}
	}
	return p.text[start:p.pos]
}

// doubleQuoted reads a string that may go over several lines. Each of them but
// the last must have something in it; a backslash at its end joins it with the
// next one.
func (p *parser) doubleQuoted() string {
	line := p.line
	var b strings.Builder
	for {
		switch {
		case p.eof() || p.text[p.pos] == '\n' && !p.beforeLineEnd():
			p.fail(line, `a string in "…" doesn't end`)
		case p.skip(`"`):
			return b.String()
		case p.beforeLineEnd():
			c := p.next()
			if p.eof() {
				continue
			}
			if newline := p.next(); c != '\\' {
				b.WriteByte(c)
				b.WriteByte(newline)
			}
		case p.skip(`\`):
			c := p.next()
			if isAlphanumeric(c) && strings.IndexByte("rntfb0", c) < 0 {
				p.fail(p.line, `\%c stands for nothing in a string in "…"`, c)
			}
			b.WriteByte(unescape(c))
		case strings.HasPrefix(p.rest(), "#{"):
			b.WriteString(p.ruby())
		default:
			b.WriteByte(p.next())
		}
	}
}

func unescape(c byte) byte {
	if i := strings.IndexByte("rntfb0", c); i >= 0 {
		return "\r\n\t\f\b\x00"[i]
	}
	return c
}

// beforeLineEnd says whether only one character is left in the line.
func (p *parser) beforeLineEnd() bool {
	next := p.pos + 1
	return next >= len(p.text) || p.text[next] == '\n' || p.text[next] == '\r'
}

func (p *parser) singleQuoted() string {
	line := p.line
	var b strings.Builder
	for {
		switch {
		case p.eof() || p.text[p.pos] == '\n':
			p.fail(line, "a string in '…' doesn't end in its line")
		case p.skip("'"):
			return b.String()
		case p.skip(`\'`):
			b.WriteByte('\'')
		case p.skip(`\\`):
			b.WriteByte('\\')
		default:
			b.WriteByte(p.next())
		}
	}
}

// ruby reads embedded code, #{…}, with the strings and brackets in it.
func (p *parser) ruby() string {
	line, start := p.line, p.pos
	p.skip("#")
	var open []byte
	for {
		if p.eof() {
			p.fail(line, "embedded code #{…} doesn't end")
		}
		switch c := p.next(); c {
		case '{', '(', '[':
			open = append(open, c)
		case '}', ')', ']':
			if open[len(open)-1] != opening[c] {
				p.fail(p.line, "%c in embedded code #{…} closes another bracket", c)
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				return p.text[start:p.pos]
			}
		case '\'', '"':
			p.rubyString(c)
		}
	}
}

var opening = map[byte]byte{'}': '{', ')': '(', ']': '['}

func (p *parser) rubyString(quote byte) {
	for !p.eof() {
		switch c := p.next(); {
		case c == '\\' && !p.eof():
			p.next()
		case c == quote:
			return
		}
	}
}

// json reads an array or a hash, which may go over several lines with comments
// between complete elements.
func (p *parser) json() string {
	line := p.line
	end := map[byte]string{'[': "]", '{': "}"}[p.text[p.pos]]
	var b strings.Builder
	depth := 0
	for {
		if p.eof() {
			p.fail(line, "an array or hash doesn't end")
		}
		switch c := p.text[p.pos]; c {
		case '#':
			so := strings.TrimSuffix(strings.TrimRight(b.String(), " \t\r\n"), ",") + end
			if !json.Valid([]byte(so)) {
				p.fail(p.line, "a comment in an array or hash, behind what isn't complete")
			}
			p.comment()
			continue
		case '"':
			p.jsonString(&b, line)
			continue
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		b.WriteByte(p.next())
		if depth == 0 {
			break
		}
	}
	if !json.Valid([]byte(b.String())) {
		p.fail(line, "an array or hash isn't JSON")
	}
	return b.String()
}

func (p *parser) jsonString(b *strings.Builder, line int) {
	b.WriteByte(p.next())
	for {
		switch {
		case p.eof():
			p.fail(line, "a string in an array or hash doesn't end")
		case strings.HasPrefix(p.rest(), "#{"):
			code, _ := json.Marshal(p.ruby())
			b.Write(code[1 : len(code)-1])
		case p.text[p.pos] == '\\':
			b.WriteByte(p.next())
			if !p.eof() {
				b.WriteByte(p.next())
			}
		case p.text[p.pos] == '"':
			b.WriteByte(p.next())
			return
		default:
			b.WriteByte(p.next())
		}
	}
}
