package embedded

import (
	"fmt"
	"slices"
	"strings"
)

// groovyProblem says where the brackets and strings of a Groovy script don't
// match. It is no parser of Groovy: there is none outside of the JVM. What it
// finds is what goes wrong when a script is put together by a template.
func groovyProblem(script string) (problem, bool) {
	g := &groovy{text: script, line: 1}
	for g.pos < len(g.text) {
		if !g.step() {
			return g.problem, false
		}
	}
	if n := len(g.open); n > 0 {
		return problem{g.open[n-1].line, fmt.Sprintf("%c isn't closed", g.open[n-1].bracket)}, false
	}
	return problem{}, true
}

type groovy struct {
	text string
	pos  int
	line int
	open []openBracket
	// value says that what came last ends a value, so that a / divides it.
	value   bool
	problem problem
}

type openBracket struct {
	bracket byte
	line    int
	// quote is the string that ${ interrupts.
	quote string
}

func (g *groovy) fail(line int, format string, args ...any) bool {
	g.problem = problem{line, fmt.Sprintf(format, args...)}
	return false
}

func (g *groovy) has(prefix string) bool { return strings.HasPrefix(g.text[g.pos:], prefix) }

// take moves on by some characters.
func (g *groovy) take(n int) {
	n = min(n, len(g.text)-g.pos)
	g.line += strings.Count(g.text[g.pos:g.pos+n], "\n")
	g.pos += n
}

var closing = map[byte]byte{')': '(', ']': '[', '}': '{'}

// step reads a token.
func (g *groovy) step() bool {
	c := g.text[g.pos]
	switch {
	case g.has("//"):
		end := strings.IndexByte(g.text[g.pos:], '\n')
		if end < 0 {
			end = len(g.text) - g.pos
		}
		g.take(end)
	case g.has("/*"):
		end := strings.Index(g.text[g.pos+2:], "*/")
		if end < 0 {
			return g.fail(g.line, "a comment doesn't end")
		}
		g.take(end + 4)
	case g.has(`'''`), g.has(`"""`):
		return g.str(g.text[g.pos:g.pos+3], true)
	case c == '\'' || c == '"':
		return g.str(string(c), true)
	case g.has("$/"):
		end := strings.Index(g.text[g.pos+2:], "/$")
		if end < 0 {
			return g.fail(g.line, "a string $/…/$ doesn't end")
		}
		g.take(end + 4)
		g.value = true
	case c == '/' && !g.value && g.slashy():
	case c == '(' || c == '[' || c == '{':
		g.open = append(g.open, openBracket{bracket: c, line: g.line})
		g.take(1)
		g.value = false
	case closing[c] != 0:
		return g.close(c)
	case c == ' ' || c == '\t' || c == '\r':
		g.take(1)
	case c == '\n':
		g.take(1)
		g.value = false
	case isWord(c):
		end := g.pos
		for end < len(g.text) && isWord(g.text[end]) {
			end++
		}
		// Behind these comes a value.
		g.value = !slices.Contains([]string{"return", "in", "case", "assert"}, g.text[g.pos:end])
		g.take(end - g.pos)
	default:
		g.value = false
		g.take(1)
	}
	return true
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// slashy reads a string /…/, if it is one: it ends in its line.
func (g *groovy) slashy() bool {
	for i := g.pos + 1; i < len(g.text) && g.text[i] != '\n'; i++ {
		switch g.text[i] {
		case '\\':
			i++
		case '/':
			g.take(i + 1 - g.pos)
			g.value = true
			return true
		}
	}
	g.take(1)
	g.value = false
	return true
}

func (g *groovy) close(c byte) bool {
	n := len(g.open)
	if n == 0 {
		return g.fail(g.line, "%c closes nothing", c)
	}
	last := g.open[n-1]
	if last.bracket != closing[c] {
		return g.fail(g.line, "%c where the %c of line %d should be closed", c, last.bracket, last.line)
	}
	g.open = g.open[:n-1]
	g.take(1)
	g.value = true
	if last.quote != "" {
		return g.str(last.quote, false)
	}
	return true
}

// str reads a string to its end, or to the code in it.
func (g *groovy) str(quote string, begin bool) bool {
	line := g.line
	if begin {
		g.take(len(quote))
	}
	for g.pos < len(g.text) {
		switch {
		case g.text[g.pos] == '\\':
			g.take(2)
		case g.has(quote):
			g.take(len(quote))
			g.value = true
			return true
		case quote[0] == '"' && g.has("${"):
			g.take(1)
			g.open = append(g.open, openBracket{bracket: '{', line: g.line, quote: quote})
			g.take(1)
			g.value = false
			return true
		case len(quote) == 1 && g.text[g.pos] == '\n':
			return g.fail(line, "a string %s…%s doesn't end in its line", quote, quote)
		default:
			g.take(1)
		}
	}
	return g.fail(line, "a string %s…%s doesn't end", quote, quote)
}
