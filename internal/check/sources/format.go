package sources

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-jsonnet/formatter"

	"platform/internal/atomicfile"
	"platform/internal/check"
)

const fixFormat = "Run `platform check --fix`."

// Format is the rule that jsonnet is written in the one form that jsonnetfmt
// gives it.
var Format = check.Rule{
	Name: "format", Title: "jsonnet is in standard form",
	Why:      "A change should show what changes, not how somebody likes to indent.",
	NoRender: true,
	Find: func(ctx context.Context, r *check.Repository) ([]check.Finding, error) {
		return eachSource(ctx, r, func(source, text string) []check.Finding {
			formatted, err := format(source, text)
			if err != nil || formatted == text {
				return nil // the rule about programs says what can't be parsed
			}
			line := firstDifference(text, formatted)
			return []check.Finding{check.InFile(source, line).Saying("isn't in standard form from here on", fixFormat)}
		})
	},
}

// Fix brings files into standard form and names those that it changed. Files
// that can't be parsed stay as they are.
func Fix(r *check.Repository) ([]string, error) {
	var fixed []string
	for _, source := range r.Sources {
		path := filepath.Join(r.Config.Root, source)
		info, err := os.Stat(path)
		if err != nil {
			return fixed, err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fixed, err
		}
		formatted, err := format(source, string(text))
		if err != nil || formatted == string(text) {
			continue
		}
		if err := atomicfile.Write(path, []byte(formatted), info.Mode().Perm()); err != nil {
			return fixed, fmt.Errorf("rewriting %s: %w", source, err)
		}
		fixed = append(fixed, source)
	}
	return fixed, nil
}

func format(name, text string) (string, error) {
	return formatter.Format(name, text, formatter.DefaultOptions())
}

func firstDifference(a, b string) int {
	linesA, linesB := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i, line := range linesA {
		if i >= len(linesB) || line != linesB[i] {
			return i + 1
		}
	}
	return len(linesA)
}
