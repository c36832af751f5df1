package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestImageName(t *testing.T) {
	for image, want := range map[string]string{
		"prometheus":                               "prometheus",
		"quay.io/prometheus/prometheus:v3.1.0":     "prometheus",
		"localhost:5000/a/nginx":                   "nginx",
		"localhost:5000/a/nginx:1@sha256:12:34/56": "nginx",
	} {
		if got := imageName(image); got != want {
			t.Errorf("%s: got %s, want %s", image, got, want)
		}
	}
}

func TestGroovy(t *testing.T) {
	for _, c := range []struct{ script, want string }{
		{"", ""},
		{"a { b('c') [1] }", ""},
		{"// ( [\n/* { */ a()", ""},
		{`a('(', "[", '\'(', "\"{")`, ""},
		{"a('''\n( ' ''')\nb(\"\"\"\n{ \" \"\"\")", ""},
		{`a("${b { "c${d()}" }}")`, ""},
		{`a = 1 / 2 // (`, ""},
		{`a =~ /(/ `, ""},
		{`return /[/`, ""},
		{`b(/\/(/)`, ""},
		{`$/ ( /$`, ""},
		{"c = a / (b / 2)", ""},

		{"a {\n b(\n}", "3: } where the ( of line 2 should be closed"},
		{"\na(", "2: ( isn't closed"},
		{"a\n)", "2: ) closes nothing"},
		{"a('b\n')", "1: a string '…' doesn't end in its line"},
		{"a(\"b\n\")", `1: a string "…" doesn't end in its line`},
		{"a(\"\"\"b\n", `1: a string """…""" doesn't end`},
		{"a('b", "1: a string '…' doesn't end"},
		{"\n/* a", "2: a comment doesn't end"},
		{"$/ a", "1: a string $/…/$ doesn't end"},
		{`a("${b)")`, `1: ) where the { of line 1 should be closed`},
	} {
		got := ""
		if problem, ok := groovyProblem(c.script); !ok {
			got = fmt.Sprintf("%d: %s", problem.line, problem.message)
		}
		if got != c.want {
			t.Errorf("%q: got %s, want %s", c.script, got, c.want)
		}
	}
}

func FuzzGroovy(f *testing.F) {
	f.Add("a(\"${b { \"c\" }}\") // (\n/x/ $/ /$ '''\n'''")
	f.Fuzz(func(t *testing.T, script string) {
		problem, ok := groovyProblem(script)
		if lines := strings.Count(script, "\n") + 1; !ok && (problem.line < 1 || problem.line > lines || problem.message == "") {
			t.Errorf("%q: %+v", script, problem)
		}
	})
}

func TestCascVariables(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		"a $ {b} $b {c}":               "",
		"${A} ${B:-} ${C:-${D}}":       "A B? D C?",
		"^${A} ${B}":                   "B",
		"${A":                          "",
		"${readFile:/a} ${file:${A}}":  "</a A",
		"${base64:text}":               "",
		"${json:key:${A}}":             "A",
		"${a.b-c}":                     "a.b-c",
		"${A}}":                        "A",
		"${secret:prefix}":             "secret:prefix",
		"${fileBase64:/a}${sysProp:b}": "</a",
	} {
		var got []string
		for _, v := range cascVariables(text) {
			switch {
			case v.file != "":
				got = append(got, "<"+v.file)
			case v.hasDefault:
				got = append(got, v.name+"?")
			default:
				got = append(got, v.name)
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: got %s, want %s", text, s, want)
		}
	}
}

func FuzzCascVariables(f *testing.F) {
	f.Add("${A} ${B:-} ${C:-${D}} ^${x} ${readFile:/a}")
	f.Fuzz(func(t *testing.T, text string) {
		for _, v := range cascVariables(text) {
			if !strings.Contains(text, v.name) || !strings.Contains(text, v.file) {
				t.Errorf("%q: %+v", text, v)
			}
		}
	})
}

func TestAnchors(t *testing.T) {
	page := "# Run books\n\ntext # no heading\n## NodeDown ##\n### What's `this`, then?\n#nothing\n"
	want := []string{"nodedown", "run-books", "whats-this-then"}
	got := anchors(page)
	for _, anchor := range want {
		if !got[anchor] {
			t.Errorf("%s is missing in %v", anchor, got)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
}

func TestRunbooks(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "docs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "docs", "runbooks.md"), []byte("## NodeDown\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := &runbooks{root: root}
	for link, want := range map[string]string{
		"https://git.example.net/a/b/src/branch/main/docs/runbooks.md#nodedown": "",
		"https://git.example.net/docs/runbooks.md":                              "",
		"https://git.example.net/a/docs/runbooks.md#nodeup":                     "docs/runbooks.md has no section #nodeup",
		"https://wiki.example.net/books#nodeup":                                 "",
		"https://git.example.net/other.md#nodeup":                               "",
		"https://git.example.net/../../etc/passwd.md#a":                         "",
		"docs/runbooks.md#nodedown":                                             `"docs/runbooks.md#nodedown" is no address`,
		"https://%":                                                             `"https://%" is no address`,
	} {
		if got := b.broken(link); got != want {
			t.Errorf("%s: got %q, want %q", link, got, want)
		}
	}
}

// Messages name the versions of the parsers that are linked.
func TestVersions(t *testing.T) {
	module, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		// Prometheus' module counts 3.9 as 0.309.
		"github.com/prometheus/prometheus v0.3" + fmt.Sprintf("%02s", strings.TrimPrefix(prometheusVersion, "3.")) + ".",
		"github.com/prometheus/alertmanager v" + alertmanagerVersion + ".",
	} {
		if !strings.Contains(string(module), want) {
			t.Errorf("go.mod doesn't have %s…", want)
		}
	}
}
