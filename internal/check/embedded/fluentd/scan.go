package fluentd

import "strings"

// scanner is a place in a text.
type scanner struct {
	text string
	pos  int
	line int
}

func (s *scanner) eof() bool    { return s.pos >= len(s.text) }
func (s *scanner) rest() string { return s.text[s.pos:] }

// next takes a character.
func (s *scanner) next() byte {
	c := s.text[s.pos]
	s.pos++
	if c == '\n' {
		s.line++
	}
	return c
}

// skip takes a word, which has no end of a line in it.
func (s *scanner) skip(word string) bool {
	if !strings.HasPrefix(s.rest(), word) {
		return false
	}
	s.pos += len(word)
	return true
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// word takes the name of a section.
func (s *scanner) word() string {
	start := s.pos
	for !s.eof() && (isAlphanumeric(s.text[s.pos]) || s.text[s.pos] == '_') {
		s.pos++
	}
	return s.text[start:s.pos]
}

// spacing takes white space, and comments if it may. It says whether a line
// ended in it.
func (s *scanner) spacing(comments bool) (newline bool) {
	for !s.eof() {
		switch c := s.text[s.pos]; {
		case isSpace(c):
			newline = newline || c == '\n'
			s.next()
		case comments && c == '#':
			s.comment()
		default:
			return newline
		}
	}
	return newline
}

func (s *scanner) comment() {
	for !s.eof() && s.text[s.pos] != '\n' {
		s.pos++
	}
}

// atLineEnd says whether nothing but white space and a comment is left in the
// line.
func (s *scanner) atLineEnd() bool {
	for _, c := range []byte(s.rest()) {
		switch c {
		case ' ', '\t':
		case '\n', '\r', '#':
			return true
		default:
			return false
		}
	}
	return true
}

// lineEnd takes the rest of the line, if that is nothing.
func (s *scanner) lineEnd() bool {
	if !s.atLineEnd() {
		return false
	}
	s.comment()
	if !s.eof() {
		s.next()
	}
	return true
}
