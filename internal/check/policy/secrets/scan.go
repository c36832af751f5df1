package secrets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Match is secret material in a text.
type Match struct {
	// Kind is what it looks like: an AWS access key, a password.
	Kind string
	// Start and End are its place in the text.
	Start, End int
}

// Syntax says what may be text without quotes.
type Syntax int

const (
	// Data is configuration, where values need no quotes.
	Data Syntax = iota
	// Code is a program, where only what is in quotes is a value.
	Code
)

// Scan finds secret material, in the order of the text. The key is the name under
// which the text stands, such as a field's or a variable's; empty if it has none.
func Scan(key, text string, syntax Syntax) []Match {
	if len(text) < shortest {
		return nil
	}
	s := scanner{text: text}
	s.shapes()
	// Whatever was found isn't looked at again.
	s.rest = blank(text, s.found)
	s.named(key, syntax)
	s.random(key)
	slices.SortFunc(s.found, func(a, b Match) int { return cmp.Compare(a.Start, b.Start) })
	return s.found
}

// Values that are shorter or longer are taken for no secret by their name alone.
const shortest, longest = 4, 512

// Preview is as much of a secret as may be shown: enough to find it again.
func Preview(secret string) string {
	n := utf8.RuneCountInString(secret)
	if n < 12 {
		return fmt.Sprintf("%d characters", n)
	}
	runes := []rune(secret)
	return fmt.Sprintf("%s…, %d characters", strings.ReplaceAll(string(runes[:4]), "\n", " "), n)
}

type scanner struct {
	text string
	// rest is the text with spaces for what need not be looked at any more.
	rest  string
	found []Match
}

func (s *scanner) add(found []Match) {
	s.found = append(s.found, found...)
	s.rest = blank(s.rest, found)
}

// blank writes spaces over parts of a text; lines stay lines.
func blank(text string, parts []Match) string {
	if len(parts) == 0 {
		return text
	}
	out := []byte(text)
	for _, p := range parts {
		for i := p.Start; i < p.End; i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	return string(out)
}

// Placeholder says whether all of a text only stands for a secret, or is public.
func Placeholder(text string) bool {
	if isPlaceholder(text) {
		return true
	}
	s := scanner{text: text, rest: text}
	s.public()
	return strings.TrimSpace(s.rest) == ""
}
