package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// Every rule is explained in docs/checks.md, and nothing else is.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "checks.md"))
	if err != nil {
		t.Fatal(err)
	}
	var documented, names []string
	for _, found := range regexp.MustCompile(`(?m)^### (\S+)$`).FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, found[1])
	}
	for _, rule := range All(Options{}) {
		names = append(names, rule.Name)
		if rule.Title == "" || rule.Why == "" || rule.Find == nil {
			t.Errorf("rule %s isn't complete", rule.Name)
		}
	}
	if !slices.Equal(documented, names) {
		t.Errorf("docs/checks.md explains %v, there are %v", documented, names)
	}
}
