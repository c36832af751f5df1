package jsonnet

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-jsonnet"
)

// Each file of lib/tests evaluates to {"what is so": {actual: …, expected: …}}.
// A test of an error has `fails: function() …` instead and the text that the
// error's message must hold as `message`.
func TestLibrary(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root, "lib", "tests", "*_test.jsonnet"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatal("there is no test in lib/tests")
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), "_test.jsonnet"), func(t *testing.T) {
			names := evaluate[[]string](t, path, "std.objectFields(tests)")
			if len(names) == 0 {
				t.Fatal("no tests")
			}
			for _, name := range names {
				t.Run(name, func(t *testing.T) { libraryCase(t, path, name) })
			}
		})
	}
}

func libraryCase(t *testing.T, path, name string) {
	quoted, err := json.Marshal(name)
	if err != nil {
		t.Fatal(err)
	}
	it := "tests[" + string(quoted) + "]"
	if !evaluate[bool](t, path, "std.objectHas("+it+", 'message')") {
		result := evaluate[struct{ Actual, Expected any }](t, path, it)
		if !reflect.DeepEqual(result.Actual, result.Expected) {
			t.Errorf("actual:\n%s\nexpected:\n%s", indent(t, result.Actual), indent(t, result.Expected))
		}
		return
	}
	message := evaluate[string](t, path, it+".message")
	text, err := vm().EvaluateAnonymousSnippet(path, source(path, it+".fails()"))
	if err == nil {
		t.Fatalf("want an error that says %q, got %s", message, text)
	}
	if !strings.Contains(err.Error(), message) {
		t.Errorf("want an error that says %q, got %v", message, err)
	}
}

func vm() *jsonnet.VM {
	vm := jsonnet.MakeVM()
	vm.Importer(&jsonnet.FileImporter{JPaths: []string{root}})
	return vm
}

func source(path, expression string) string {
	// An anonymous snippet imports by the import path alone, which is the root.
	name := filepath.ToSlash(strings.TrimPrefix(path, filepath.Clean(root)+string(filepath.Separator)))
	return "local tests = import '" + name + "'; " + expression
}

func evaluate[T any](t *testing.T, path, expression string) T {
	t.Helper()
	text, err := vm().EvaluateAnonymousSnippet(path, source(path, expression))
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func indent(t *testing.T, value any) []byte {
	t.Helper()
	out, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return out
}
