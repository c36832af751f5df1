package secrets

import (
	"math"
	"regexp"
	"strings"
)

// Strings made by chance differ from names in two ways: their letters are spread
// evenly, which Shannon's entropy measures, and they have no words in them.
const (
	// minRandom is the length of a string of letters of both cases and digits
	// that is worth a look: 20 of them are 119 bits.
	minRandom = 20
	// minLower is that for lower case and digits, minHex for hexadecimal.
	minLower, minHex = 24, 32
	// minSpread is the entropy as a part of what a string of its length can have;
	// letters of one case have less.
	minSpread, minLowerSpread = 0.8, 0.78
	// maxWords is the part of a string that may be in words.
	maxWords = 0.5
)

// random finds strings that look as if they had been made by chance.
func (s *scanner) random(key string) {
	if len(randomTokens(s.rest)) == 0 {
		return
	}
	s.public()
	for _, m := range randomTokens(s.rest) {
		if !digestNamed(key, s.rest, m.Start) && !isExample(s.rest[m.Start:m.End]) {
			s.found = append(s.found, m)
		}
	}
}

func randomTokens(text string) []Match {
	var out []Match
	for start := 0; start < len(text); {
		if !inToken(text[start]) {
			start++
			continue
		}
		end := start
		for end < len(text) && inToken(text[end]) {
			end++
		}
		from, to := trim(text, start, end)
		if to-from >= minRandom && looksRandom(text[from:to]) {
			out = append(out, Match{"a random string, such as a key or a token,", from, to})
		}
		start = end
	}
	return out
}

// inToken says whether a letter can be part of base64 in either alphabet.
func inToken(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '+' || b == '/' || b == '=' || b == '-' || b == '_'
}

// trim leaves away what is punctuation around a token, and names before it.
func trim(text string, start, end int) (int, int) {
	for {
		for start < end && strings.IndexByte("+/=-_", text[start]) >= 0 {
			start++
		}
		for end > start && strings.IndexByte("/-_", text[end-1]) >= 0 {
			end--
		}
		// Folders on the way to it.
		if i := strings.IndexByte(text[start:end], '/'); i >= 2 && isName(text[start:start+i]) {
			start += i + 1
			continue
		}
		// name=value
		i := strings.IndexByte(text[start:end], '=')
		if i < 0 || strings.Trim(text[start+i:end], "=") == "" {
			return start, end
		}
		start += i + 1
	}
}

func looksRandom(token string) bool {
	var lower, upper, digits, other int
	hex := true
	for i := range len(token) {
		switch b := token[i]; {
		case 'a' <= b && b <= 'z':
			lower++
			hex = hex && b <= 'f'
		case 'A' <= b && b <= 'Z':
			upper++
			hex = hex && b <= 'F'
		case '0' <= b && b <= '9':
			digits++
		default:
			other++
			hex = false
		}
	}
	n := len(token)
	letters := lower + upper
	switch {
	case digits == 0 || letters == 0 || isName(withoutSuffix(token)):
		return false
	case hex && (lower == 0 || upper == 0):
		return n >= minHex && digits < n*9/10 && spread(token, 16) >= minSpread
	case lower > 0 && upper > 0:
		return spread(token, 64) >= minSpread && inWords(token) <= maxWords
	}
	// One case: digits must be among the letters, not behind them.
	return n >= minLower && other <= n/8 && digits >= n/8 && changes(token) >= n/5 && spread(token, 36) >= minLowerSpread
}

// withoutSuffix leaves away the few letters by which generated names differ, such
// as those of Jobs.
func withoutSuffix(token string) string {
	if i := strings.LastIndexByte(token, '-'); i > 0 && len(token)-i <= 11 {
		return token[:i]
	}
	return token
}

// spread is a string's entropy in proportion to the most that its length and its
// alphabet allow.
func spread(token string, alphabet int) float64 {
	var counts [256]int
	for i := range len(token) {
		counts[token[i]]++
	}
	entropy := 0.0
	for _, count := range counts {
		if count > 0 {
			p := float64(count) / float64(len(token))
			entropy -= p * math.Log2(p)
		}
	}
	return entropy / math.Log2(float64(min(len(token), alphabet)))
}

// word is a run of letters as words have it.
var word = regexp.MustCompile(`[A-Z][a-z]{3,}|[a-z]{4,}|[A-Z]{5,}`)

// inWords is the part of a string that is in such runs.
func inWords(token string) float64 {
	n := 0
	for _, at := range word.FindAllStringIndex(token, -1) {
		n += at[1] - at[0]
	}
	return float64(n) / float64(len(token))
}

// changes counts where letters meet digits.
func changes(token string) int {
	n := 0
	for i := 1; i < len(token); i++ {
		if isDigit(token[i]) != isDigit(token[i-1]) {
			n++
		}
	}
	return n
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// digestNames are names of what is random on purpose and public: digests, versions
// of sources, identifiers.
var digestNames = regexp.MustCompile(`(?i)(?:sha\d*|digests?|checksums?|hash|md5|commit|revision|rev|fingerprint|etag|uid|uuid|thumbprint|cabundle|ca[_.-]?(?:data|cert|crt)|certificate|public[_-]?key|integrity|nonce)\W*$|checksum/`)

// digestNamed says whether a string's name, or what is before it on its line, says
// that it is public.
func digestNamed(key, text string, start int) bool {
	line := text[strings.LastIndexByte(text[:start], '\n')+1 : start]
	if len(line) > 80 {
		line = line[len(line)-80:]
	}
	return digestNames.MatchString(key) || digestNames.MatchString(strings.TrimRight(line, " \t\"':=@,([{"))
}
