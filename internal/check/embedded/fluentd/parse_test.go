package fluentd

import (
	"fmt"
	"strings"
	"testing"
)

// show spells an element as one line.
func show(e *Element) string {
	var parts []string
	for _, p := range e.Params {
		parts = append(parts, fmt.Sprintf("%d:%s=%q", p.Line, p.Name, p.Value))
	}
	for _, inner := range e.Elements {
		parts = append(parts, fmt.Sprintf("%d:%s(%s)[%s]", inner.Line, inner.Name, inner.Arg, show(inner)))
	}
	return strings.Join(parts, " ")
}

// What is read, and what isn't, is as fluentd 1.19's own parser has it.
func TestParse(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"# only a comment", ""},
		{"<a>\n</a>", "1:a()[]"},
		{"<match a.** b.*>\n  @type null\n</match>\n", `1:match(a.** b.*)[2:@type="null"]`},
		{"<a \"b c\">\n</a>", "1:a(b c)[]"},
		{"<a\n b >\n</a>", "1:a(b)[]"},
		{"k v", `1:k="v"`},
		{"k\nl v", `1:k="" 2:l="v"`},
		{"k v w # comment\n", `1:k="v w"`},
		{"k v#w # comment", `1:k="v#w"`},
		{"k # value", `1:k="# value"`},
		{"k v   \t \n", `1:k="v"`},
		{"k v\r\nl w\r\n", `1:k="v" 2:l="w"`},
		{`k "v \"w\" \n\t" # c`, `1:k="v \"w\" \n\t"`},
		{`k 'v \'w\' \\ \n'`, `1:k="v 'w' \\ \\n"`},
		{"k \"a\nb\"\nl 1", `1:k="a\nb" 3:l="1"`},
		{"k \"a\\\nb\"", `1:k="ab"`},
		{`k "#{ENV['x'] + "}"} y"`, `1:k="#{ENV['x'] + \"}\"} y"`},
		{"k #{x} y", `1:k="#{x} y"`},
		{`k ["a", "b#c"] # d`, `1:k="[\"a\", \"b#c\"]"`},
		{"k [1, # one\n  2]\nl 3", `1:k="[1, \n  2]" 3:l="3"`},
		{`k {"a": {"b": "}"}}`, `1:k="{\"a\": {\"b\": \"}\"}}"`},
		{`k ["#{ENV["x"]}"]`, `1:k="[\"#{ENV[\\\"x\\\"]}\"]"`},
		{`"a b" c`, `1:a b="c"`},
		{"<record>\n  @x y\n</record>", `1:record()[2:@x="y"]`},
	} {
		root, problems := Parse(File{"fluent.conf", c.text}, nil)
		if len(problems) > 0 {
			t.Errorf("%q: %v", c.text, problems)
		}
		if got := show(root); got != c.want {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
}

func TestParseProblems(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"<a>", "1: <a> has no end tag </a>"},
		{"\n<a>\n<b>\n</b>\n", "2: <a> has no end tag </a>"},
		{"<a>\n</b>", "2: </b> where </a> should end the section of line 1"},
		{"</a>", "1: </a> ends a section that hasn't begun"},
		{"<a", "1: the tag <a has no >"},
		{"<a>\n</a b>", "2: the end tag </a has no >"},
		{"<>\n</>", "1: a tag has no name"},
		{"<a> b\n</a>", "1: there is more in the line of <a>"},
		{"<a>\n</a> b", "2: there is more in the line of </a>"},
		{`k "v" w`, "1: there is more in the line of parameter k"},
		{`"k"v`, `1: there is no space behind the parameter's name "k"`},
		{"@x y", "1: @x: only fluentd's own parameters begin with @"},
		{"<match **>\n @typ null\n</match>", "2: @typ: only fluentd's own parameters begin with @"},
		{"\nk \"v\n", `2: a string in "…" doesn't end`},
		{"k \"\nv\"", `1: a string in "…" doesn't end`},
		{`k "\q"`, `1: \q stands for nothing in a string in "…"`},
		{"k 'v\nw'", "1: a string in '…' doesn't end in its line"},
		{`k "#{ENV['x'}"`, "1: } in embedded code #{…} closes another bracket"},
		{`k "#{ENV['x`, "1: embedded code #{…} doesn't end"},
		{"\nk [1, 2", "2: an array or hash doesn't end"},
		{"k [1 2]", "1: an array or hash isn't JSON"},
		{`k ["a`, "1: a string in an array or hash doesn't end"},
		{"k {\"a\": # c\n1}", "1: a comment in an array or hash, behind what isn't complete"},
		{strings.Repeat("<a>\n", 200), "102: sections are nested more than 100 deep"},
	} {
		_, problems := Parse(File{"fluent.conf", c.text}, nil)
		if len(problems) != 1 || fmt.Sprintf("%d: %s", problems[0].Line, problems[0].Message) != c.want {
			t.Errorf("%q: got %v, want %s", c.text, problems, c.want)
		}
	}
}

func TestInclude(t *testing.T) {
	files := map[string]string{
		"a.conf":    "x 1\n@include b.conf\n",
		"b.conf":    "<source>\n</source>\n",
		"bad.conf":  "y 1\n<a>\n",
		"loop.conf": "@include loop.conf\n",
	}
	include := func(name string) ([]File, bool) {
		content, ok := files[name]
		if !ok {
			return nil, true
		}
		return []File{{name, content}}, false
	}
	for _, c := range []struct{ text, want, problem string }{
		{"@include a.conf # comment\nz 3", `1:x="1" 2:z="3" 1:source()[]`, ""},
		{"include b.conf", `1:source()[]`, ""},
		{"<label @A>\n @include a.conf\n</label>", `1:label(@A)[1:x="1" 1:source()[]]`, ""},
		{"@include c.conf", "", "fluent.conf:1: @include c.conf: there is no such file"},
		{"@include bad.conf", `1:y="1"`, "bad.conf:2: <a> has no end tag </a>"},
		{"@include loop.conf", "", "loop.conf:1: files include each other more than 20 deep"},
	} {
		root, problems := Parse(File{"fluent.conf", c.text}, include)
		if got := show(root); got != c.want {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
		got := ""
		for _, p := range problems {
			got += fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
		}
		if got != c.problem {
			t.Errorf("%q: got %s, want %s", c.text, got, c.problem)
		}
	}
}

// It ends, whatever it is given, and has no problem in a line that there isn't.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"<match a.** b.*>\n  @type null\n  k \"#{ENV['x']}\" # c\n</match>\n",
		"k [1, # one\n  2]\nl {\"a\": \"b\"}\n", "k \"a\\\nb\"\n'c' 'd'", "@include x\n</a>", "k v#w # z\r\n<a\n b>",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		include := func(string) ([]File, bool) { return []File{{"more", text}}, true }
		root, problems := Parse(File{"fluent.conf", text}, include)
		problems = append(problems, Lint(root)...)
		for _, p := range problems {
			if lines := strings.Count(text, "\n") + 1; p.Line < 1 || p.Line > lines || p.Message == "" {
				t.Errorf("%q: line %d of %d: %q", text, p.Line, lines, p.Message)
			}
		}
	})
}
