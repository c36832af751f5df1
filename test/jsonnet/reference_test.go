package jsonnet

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/library.md")

const reference = "docs/library.md"

// The reference is made of the libraries' comments. After changing one:
//
//	go test ./test/jsonnet -run TestReference -update
func TestReference(t *testing.T) {
	var b strings.Builder
	b.WriteString("# The jsonnet libraries\n\nMade of the comments in `lib/` by `go test ./test/jsonnet -run TestReference -update`.\n")
	for _, name := range []string{"kube", "platform", "kops", "aws"} {
		path := filepath.Join("lib", name+".libsonnet")
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		page, undocumented := document(string(text))
		for _, function := range undocumented {
			t.Errorf("%s: %s has no comment that begins with its name", path, function)
		}
		fmt.Fprintf(&b, "\n## %s\n\n`local %s = import '%s';`\n\n%s", path, name, path, page)
	}
	file := filepath.Join(root, reference)
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is not what the comments say; run this test with -update", reference)
	}
}

var (
	section = regexp.MustCompile(`^  // (.+?) /{4,}$`)
	// A field of the library itself: indented once, hidden. Names with a leading
	// underscore are the library's own business.
	field = regexp.MustCompile(`^  ([A-Za-z][A-Za-z0-9_]*|_Object)(\(.*\))?::`)
)

// document gives a library's reference, and the fields that have no comment.
func document(text string) (page string, undocumented []string) {
	var b strings.Builder
	var comment []string
	intro := true
	for _, line := range strings.Split(text, "\n") {
		if intro {
			if rest, ok := strings.CutPrefix(line, "//"); ok {
				b.WriteString(markdown(rest) + "\n")
				continue
			}
			intro = false
		}
		if match := section.FindStringSubmatch(line); match != nil {
			fmt.Fprintf(&b, "\n### %s\n", match[1])
			comment = nil
			continue
		}
		if rest, ok := strings.CutPrefix(line, "  //"); ok {
			comment = append(comment, markdown(rest))
			continue
		}
		if match := field.FindStringSubmatch(line); match != nil {
			if len(comment) == 0 || !strings.HasPrefix(comment[0], match[1]) {
				undocumented = append(undocumented, match[1])
			}
			fmt.Fprintf(&b, "\n**`%s%s`**\n\n%s\n", match[1], match[2], strings.Join(comment, "\n"))
		}
		comment = nil
	}
	return b.String(), undocumented
}

// markdown takes a line of a comment; what is indented in it is code.
func markdown(line string) string {
	line = strings.TrimPrefix(line, " ")
	if strings.HasPrefix(line, "  ") {
		return "  " + line
	}
	return line
}
