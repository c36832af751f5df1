package embedded

import (
	"os"
	"path/filepath"
	"strings"

	"platform/internal/check"
)

// sources finds the lines of jsonnet that name something: rules are made by
// functions, into a text, and a place in that text is of little help.
type sources struct {
	root  string
	files []string
	// lines are all lines, by file; they are read when they are first asked for.
	lines map[string][]string
}

// place puts a finding at the line that has a name in quotes, if there is only
// one.
func (s *sources) place(f check.Finding, name string) check.Finding {
	if s.lines == nil {
		s.lines = map[string][]string{}
		for _, file := range s.files {
			if data, err := os.ReadFile(filepath.Join(s.root, file)); err == nil {
				s.lines[file] = strings.Split(string(data), "\n")
			}
		}
	}
	file, line, times := "", 0, 0
	for _, candidate := range s.files {
		for i, text := range s.lines[candidate] {
			if strings.Contains(text, "'"+name+"'") || strings.Contains(text, `"`+name+`"`) {
				file, line = candidate, i+1
				times++
			}
		}
	}
	if name != "" && times == 1 {
		f.File, f.Line = file, line
	}
	return f
}
