package jsonnet

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-jsonnet/formatter"
	"github.com/google/go-jsonnet/linter"
)

// All jsonnet is in the form that jsonnetfmt gives it, and jsonnet-lint has
// nothing to say.
func TestFormatAndLint(t *testing.T) {
	var files []string
	for _, folder := range []string{"lib", "addons", "clusters", "test/jsonnet/testdata"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && (strings.HasSuffix(path, ".jsonnet") || strings.HasSuffix(path, ".libsonnet")) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		formatted, err := formatter.Format(file, string(text), formatter.DefaultOptions())
		if err != nil {
			t.Errorf("%s: %v", file, err)
		} else if formatted != string(text) {
			t.Errorf("%s: run jsonnetfmt -i on it", file)
		}
		var problems bytes.Buffer
		if linter.LintSnippet(vm(), &problems, []linter.Snippet{{FileName: file, Code: string(text)}}) {
			t.Errorf("%s:\n%s", file, problems.String())
		}
	}
}
