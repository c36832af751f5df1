package secrets

import (
	"regexp"
	"strings"
	"unicode"
)

// Names of what is secret end in these, in any spelling. Any value of a password
// is one; of the others only a value that isn't words, since keys and tokens are
// often called by a name.
var (
	passwordNames = []string{"password", "passwd", "passphrase"}
	secretNames   = []string{"secret", "token", "credential", "credentials", "apikey", "accesskey", "privatekey", "secretkey", "encryptionkey", "signingkey", "authkey"}
)

var separators = strings.NewReplacer("_", "", "-", "")

// Kinds of what is found by its name.
const (
	password = "a password"
	secret   = "a secret"
)

// kindOf says what a name is the name of, if of anything secret.
func kindOf(name string) string {
	// Most names end in none of these letters.
	if name == "" || strings.IndexByte("dDeElLnNsStTyY", name[len(name)-1]) < 0 {
		return ""
	}
	name = separators.Replace(strings.ToLower(name))
	for _, suffix := range passwordNames {
		if strings.HasSuffix(name, suffix) {
			return password
		}
	}
	for _, suffix := range secretNames {
		if strings.HasSuffix(name, suffix) {
			return secret
		}
	}
	return ""
}

// named finds values next to a name that says that they are secret.
func (s *scanner) named(key string, syntax Syntax) {
	if kind := kindOf(key); secretValue(kind, s.rest) && strings.TrimSpace(s.rest) == s.rest {
		s.add([]Match{{kind, 0, len(s.text)}})
		return
	}
	s.add(assigned(s.rest, syntax))
	if syntax == Data {
		s.add(words(s.rest))
	}
}

// assigned finds values behind a colon or an equals sign.
func assigned(text string, syntax Syntax) []Match {
	var out []Match
	for i := 0; i < len(text); i++ {
		if text[i] != ':' && text[i] != '=' {
			continue
		}
		kind := kindOf(nameBefore(text, i))
		if kind == "" {
			continue
		}
		start, end := valueAfter(text, i, syntax)
		if secretValue(kind, text[start:end]) {
			out = append(out, Match{kind, start, end})
			i = end - 1
		}
	}
	return out
}

// nameBefore is the name before a colon or an equals sign, which may be in quotes.
func nameBefore(text string, end int) string {
	for end > 0 && strings.IndexByte(" \t\"'", text[end-1]) >= 0 {
		end--
	}
	start := end
	for start > 0 && end-start < 64 && inName(text[start-1]) {
		start--
	}
	return text[start:end]
}

func inName(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '_' || b == '-' || b == '.'
}

// valueAfter is the value after the sign that follows a name: what is in quotes,
// or, in data, the rest of the line but for a comment.
func valueAfter(text string, sign int, syntax Syntax) (start, end int) {
	start = sign + 1
	for start < len(text) && strings.IndexByte(":=>+ \t", text[start]) >= 0 {
		start++
	}
	if start == len(text) {
		return start, start
	}
	if quote := text[start]; quote == '"' || quote == '\'' {
		start++
		for end = start; end < len(text) && text[end] != quote && text[end] != '\n' && end-start <= longest; end++ {
		}
		return start, end
	}
	end = start
	if syntax == Code {
		return start, start
	}
	for end < len(text) && strings.IndexByte(" \t\r\n,;\"'", text[end]) < 0 && end-start <= longest {
		end++
	}
	return start, end
}

// words finds values that only space separates from their names: at the end of a
// line, a name alone or a flag, and a value that isn't a word of a sentence.
func words(text string) []Match {
	var out []Match
	start := 0
	for line := range strings.Lines(text) {
		at := start
		start += len(line)
		line = strings.TrimRight(line, " \t\r\n")
		space := strings.LastIndexAny(line, " \t")
		if space < 0 {
			continue
		}
		before := strings.TrimRight(line[:space], " \t")
		name := before[strings.LastIndexAny(before, " \t")+1:]
		value := line[space+1:]
		flag := strings.HasPrefix(name, "-")
		alone := strings.TrimLeft(before, " \t") == name
		if (flag || alone) && notAWord(value) && secretValue(kindOf(name), value) {
			out = append(out, Match{kindOf(name), at + space + 1, at + len(line)})
		}
	}
	return out
}

// notAWord says whether a value has more in it than letters, and no quotes, which
// other syntax has.
func notAWord(value string) bool {
	return strings.IndexFunc(value, func(r rune) bool { return !unicode.IsLetter(r) }) >= 0 && !strings.ContainsAny(value, `"'{}[](),;:=`)
}

// secretValue says whether a value of a kind is written out.
func secretValue(kind, value string) bool {
	switch {
	case kind == "" || len(value) < shortest || len(value) > longest || isPlaceholder(value) || isPath(value) || strings.ContainsAny(value, " \t\r\n"):
		return false
	case kind == password:
		return true
	}
	return len(value) >= 12 && !isName(value)
}

// isPath says whether a value is the place of a file.
func isPath(value string) bool {
	return strings.HasPrefix(value, "/") || strings.HasPrefix(value, "./") || strings.HasPrefix(value, "~/")
}

// names are what people call things: words, with small numbers behind some.
var names = regexp.MustCompile(`^(?:[A-Za-z]?[a-z]+\d{0,3}|[A-Z]{2,}\d{0,3}|\d{1,8})(?:[-_./:](?:[A-Za-z]?[a-z]+\d{0,3}|[A-Z]+\d{0,3}|\d{1,8})|[A-Z][a-z]+\d{0,3})*$`)

func isName(value string) bool { return names.MatchString(value) }

// placeholders stand for a secret that comes from elsewhere: variables, templates,
// things to be replaced.
var placeholders = regexp.MustCompile(`(?i)[$%][({a-z_%]|\{\{|#\{|^<.*>$|^\[.*\]$|^[*x.…•-]+$|change[_-]?me|replace[_-]?(?:me|this)|place[_-]?holder|^(?:null|none|nil|true|false|todo|undefined|redacted|hidden|secret|password|passwd|pass|token|key|string|user|required|optional|value|yes|no)$|^(?:your|my|the|some|test)?[_-]?(?:secret|password|passwd|token|key)[_-]?(?:here|1|123)?$`)

// isPlaceholder says whether a value only stands for a secret.
func isPlaceholder(value string) bool {
	value = strings.TrimSpace(value)
	return value == "" || isExample(value) || strings.HasPrefix(value, "$") || placeholders.MatchString(value)
}

// isExample says whether a value is one that documentation gives.
func isExample(value string) bool {
	return strings.Contains(strings.ToLower(value), "example")
}
