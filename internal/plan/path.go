package plan

import (
	"fmt"
	"strconv"
	"strings"
)

// JoinPath appends a map's key to a path. A key that isn't a plain word, such
// as a label's, goes into brackets.
func JoinPath(path, key string) string {
	if strings.ContainsAny(key, ".[]/ ") || key == "" {
		return fmt.Sprintf("%s[%q]", path, key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// SplitPath gives the parts of a path: keys as they are, elements of lists in
// their brackets. It takes what JoinPath and Diff make; of other text it makes
// something, and doesn't fail.
func SplitPath(path string) []string {
	var parts []string
	for path != "" {
		switch {
		case path[0] == '.':
			path = path[1:]
		case path[0] == '[':
			end := bracketEnd(path)
			inside := strings.TrimSuffix(path[1:end], "]")
			if key, err := strconv.Unquote(inside); err == nil {
				parts = append(parts, key)
			} else {
				parts = append(parts, path[:end])
			}
			path = path[end:]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			parts = append(parts, path[:end])
			path = path[end:]
		}
	}
	return parts
}

// bracketEnd is where the bracket that a path begins with ends; a quoted one
// may have brackets inside.
func bracketEnd(path string) int {
	quoted := false
	for i := 1; i < len(path); i++ {
		switch {
		case quoted && path[i] == '\\':
			i++
		case path[i] == '"':
			quoted = !quoted
		case path[i] == ']' && !quoted:
			return i + 1
		}
	}
	return len(path)
}
