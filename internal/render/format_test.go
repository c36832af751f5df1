package render

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-jsonnet"
)

// both evaluates a program natively and interpreted. The native way must give
// what the interpreted one gives, or fail, or leave it to it.
func both(t *testing.T, program string) (native, interpreted string, nativeErr, interpretedErr error) {
	t.Helper()
	node, err := jsonnet.SnippetToAST("x", program)
	if err != nil {
		t.Skip(err)
	}
	interpreted, interpretedErr = jsonnet.MakeVM().Evaluate(node)
	e := newEvaluator(Options{}, &importer{}, nil)
	if node, err = jsonnet.SnippetToAST("x", program); err != nil {
		t.Fatal(err)
	}
	e.rewrite("x", node)
	native, nativeErr = e.vm.Evaluate(node)
	return native, interpreted, nativeErr, interpretedErr
}

func checkBoth(t *testing.T, program string) {
	t.Helper()
	native, interpreted, nativeErr, interpretedErr := both(t, program)
	switch {
	case nativeErr != nil:
		// It is evaluated again, interpreted; slow, if it is for nothing.
		if interpretedErr == nil {
			t.Errorf("%s: native: %v, interpreted %s", program, nativeErr, interpreted)
		}
	case interpretedErr != nil:
		t.Errorf("%s: native %s, interpreted: %v", program, native, interpretedErr)
	case native != interpreted:
		t.Errorf("%s: native %s, interpreted %s", program, native, interpreted)
	}
}

func TestFormat(t *testing.T) {
	for _, test := range []struct {
		format, values string
		// native says that it isn't left to the interpreted format.
		native bool
	}{
		{"", "[]", true},
		{"plain", "[]", true},
		{"%s", `"x"`, true},
		{"%s", "1.5", true},
		{"%s", "-0", true},
		{"%s", "1e300", true},
		{"%s", "0.1 + 0.2", true},
		{"%s", "null", true},
		{"%s", "[[1, 'a', {}]]", true},
		{"%s", `[{ b: [], a: { c: "\"\\\u0001\u007f\u0080é\n" }, h:: 1 }]`, true},
		{"%s and %s", "['a', true]", true},
		{"%5s|%-5s|%05s|% s|%.1s", "['a', 'é', 'b', 'c', 'def']", true},
		{"%5%|%-3%|%%", "[]", true},
		{"%d %i %u %ld", "[1, -1.9, -0.9, 1e14]", true},
		{"%5d|%-5d|%05d|%+d|% d|%+05d|%-05d|% 05d|%.3d|%8.3d|%08.3d", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -11]", true},
		{"%(a)s-%(b)05d-%(a)s%%", "{ a: 'x', b:: 7, c: error 'not asked for' }", true},
		{"%(a)s", "['x']", true},
		{"%(a)s", "{ a: self.b, b: { c: 1 }, d: function() 1 }", true},
		{"%(a)%", "{}", true},
		{"日%s本", "'語'", true},
		{"%c", "'x'", false},
		{"%x", "255", false},
		{"%5.2f", "3.14159", false},
		{"%*d", "[5, 1]", false},
		{"%40s", "'wide'", false},
		{"%d", "1e15", false},
		{"%s", "std.char(65533)", false},
		{"%(" + strings.Repeat("k", 80) + ")s", "{ ['" + strings.Repeat("k", 80) + "']: 1 }", false},
		{"%s", "[]", false},
		{"%s", "[1, 2]", false},
		{"%s", "{ a: 1 }", false},
		{"%d", "'1'", false},
		{"%", "1", false},
		{"%(a", "{ a: 1 }", false},
		{"%q", "1", false},
		{"%(b)s", "{ a: 1 }", false},
		{"%s", "[function() 1]", false},
	} {
		literal, err := json.Marshal(test.format)
		if err != nil {
			t.Fatal(err)
		}
		program := string(literal) + " % " + test.values
		checkBoth(t, program)
		// As a value, std.mod is what is called; it tells who formatted.
		verbs, ok := parseFormat(test.format)
		if !ok {
			if test.native {
				t.Errorf("%s: not native", test.format)
			}
			continue
		}
		value, err := jsonnet.MakeVM().EvaluateAnonymousSnippet("x", "local v = "+test.values+`;
			if std.isArray(v) then v else if !std.isObject(v) then [v] else [v[k] for k in `+keysOf(verbs)+`]`)
		if err != nil {
			if test.native {
				t.Errorf("%s: %v", program, err)
			}
			continue
		}
		var values any
		if err := json.Unmarshal([]byte(value), &values); err != nil {
			t.Fatal(err)
		}
		got, err := format([]any{test.format, values})
		if (got != nil) != test.native || err != nil {
			t.Errorf("%s: got %v, %v; native: %v", program, got, err, test.native)
		}
	}
}

func keysOf(verbs []verb) string {
	keys := []string{}
	for _, v := range verbs {
		if v.conversion == 's' || v.conversion == 'd' {
			keys = append(keys, v.key)
		}
	}
	data, _ := json.Marshal(keys)
	return string(data)
}

// TestPercent is of %'s other uses, and of what a program may do to std.
func TestPercent(t *testing.T) {
	for _, program := range []string{
		"7 % 4", "-7.5 % 2", "'%s' % 'a' % []", "local std = {}; '%s' % 1",
		"local f(x) = '%s' % x; [f(i % 3) for i in std.range(0, 5)]",
		"{ a: '%(b)s' % self, b: 'x', assert self.b == 'x' }",
		"{ a: '%(b)s' % $, b: '%d' % 3 } + { b+: 'y' }",
		"local o = { mod:: 1 }; std.mod('%s', 1)", "'%s' % error 'e'", "'%s%s' % ['a', error 'e']",
		"(error 'left') % (error 'right')", "null % 1", "'%s' % function(x) x", "1 % 0", "'a' % 1",
		"std.length('%s' % '\\ud83d\\ude00')", "local k = 'a'; { ['%s' % k]: 1 }",
		"if '%s' % 1 == '1' then { [x]: '%s' % x for x in ['a', 'b'] }",
	} {
		checkBoth(t, program)
	}
}

// TestDepth walks over the depth at which jsonnet refuses: it must be refused
// at the same one.
func TestDepth(t *testing.T) {
	for depth := 400; depth <= 500; depth += 2 {
		root := repository(t, map[string]string{"x.jsonnet": fmt.Sprintf(
			`local deep(n) = if n == 0 then '%%32s' %% 'x' else deep(n - 1) + ''; deep(%d)`, depth,
		)})
		im, err := newImporter(root, nil)
		if err != nil {
			t.Fatal(err)
		}
		vm := jsonnet.MakeVM()
		vm.Importer(im)
		want, wantErr := vm.EvaluateFile("x.jsonnet")
		got, _, err := newEvaluator(Options{Root: root}, im, nil).evaluate("x.jsonnet")
		if got != want || (err != nil) != (wantErr != nil) {
			t.Errorf("depth %d: got %q, %v; want %q, %v", depth, got, err, want, wantErr)
		}
	}
}

// FuzzFormat is differential: whatever the native format formats, the
// interpreted one formats the same.
func FuzzFormat(f *testing.F) {
	for _, seed := range [][2]string{
		{"%s", `"x"`}, {"%-08.3ld%%", `[1.5]`}, {"%(a)+5d", `{"a": -3}`}, {"%5%", `[]`}, {"% s%#d", `[null, 1e15]`},
		{"%s", `[{"b": [1, 0.1, -0, 1e22], "a\u0000": "\u007f\ufffd"}]`}, {"%(", `{}`}, {"%*d", `[1, 2]`}, {"%hhd", `1`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, format, values string) {
		if !json.Valid([]byte(values)) || len(format) > 200 || len(values) > 500 {
			t.Skip()
		}
		literal, err := json.Marshal(format)
		if err != nil {
			t.Skip()
		}
		checkBoth(t, string(literal)+" % "+values)
	})
}
