//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documented gives every command line of the tool in the documentation's code
// blocks and in its own help, without what is piped or said behind it.
func documented(t *testing.T, s *site) []string {
	t.Helper()
	var texts []string
	files, err := filepath.Glob(filepath.Join(project(t), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	fence := regexp.MustCompile("(?ms)^ *```[a-z]*\n(.*?)^ *```")
	for _, file := range append(files, filepath.Join(project(t), "README.md")) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range fence.FindAllStringSubmatch(string(data), -1) {
			texts = append(texts, block[1])
		}
	}
	examples := regexp.MustCompile(`(?ms)^Examples:\n(.*?)\n\n`)
	for _, command := range commands(t, s, nil) {
		help := s.run(append(command, "--help")...)
		found := examples.FindStringSubmatch(help.stdout)
		if found == nil {
			t.Errorf("platform %s has no example", strings.Join(command, " "))
			continue
		}
		texts = append(texts, found[1])
	}
	line := regexp.MustCompile(`(?m)^\s*(?:\$ )?(?:eval "\$\()?((?:bin/)?platform [^|#\n]*?)(?:\)")?\s*(?:[|#].*)?$`)
	var out []string
	for _, text := range texts {
		for _, found := range line.FindAllStringSubmatch(text, -1) {
			command := strings.TrimSpace(strings.TrimPrefix(found[1], "bin/"))
			// Each once, but for what puts back what another one did.
			if !slices.Contains(out, command) || strings.HasPrefix(command, "platform resume") {
				out = append(out, command)
			}
		}
	}
	return out
}

// commands lists the tool's commands, as its help does.
func commands(t *testing.T, s *site, parent []string) [][]string {
	t.Helper()
	help := s.run(append(slices.Clone(parent), "--help")...)
	_, list, found := strings.Cut(help.stdout, "Available Commands:\n")
	if !found {
		return [][]string{parent}
	}
	list, _, _ = strings.Cut(list, "\n\n")
	var out [][]string
	for line := range strings.Lines(list) {
		name := strings.Fields(line)[0]
		if name == "help" || name == "completion" {
			continue // cobra's own
		}
		out = append(out, commands(t, s, append(slices.Clone(parent), name))...)
	}
	return out
}

// takesAway tells the commands that the others couldn't do without.
func takesAway(command string) bool { return strings.Contains(command, " down") }

// docsWork runs what the documentation shows, but for what would end the
// cluster or the sandbox.
func docsWork(t *testing.T, s *site) {
	// What a clone has.
	s.git("update-ref", "refs/remotes/origin/main", "HEAD")
	runDocumented(t, s, func(c string) bool { return !takesAway(c) })
}

// docsEnd runs the rest.
func docsEnd(t *testing.T, s *site) { runDocumented(t, s, takesAway) }

func runDocumented(t *testing.T, s *site, pick func(string) bool) {
	t.Helper()
	all := documented(t, s)
	if len(all) < 20 {
		t.Errorf("only %d command lines were found: %q", len(all), all)
	}
	for _, command := range all {
		if !pick(command) {
			continue
		}
		command, file, redirected := strings.Cut(command, ">")
		r := s.run(strings.Fields(command)[1:]...)
		if redirected {
			if err := os.WriteFile(filepath.Join(s.root, strings.TrimSpace(file)), []byte(r.stdout), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		switch {
		case r.code == 0:
		case r.code == 2 && strings.HasPrefix(command, "platform drift"): // the other clusters aren't there
		case r.code == 1 && strings.Contains(r.stderr, "there is no terminal to ask on"):
		default:
			t.Errorf("documented as %q:\n%s", command, r)
		}
	}
}
