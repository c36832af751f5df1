package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite what the corpus of wrong inputs expects")

// TestCorpus holds `platform check` against repositories that are wrong in one
// way each: every file of test/corpus edits the repository in test/corpus/base,
// or the real one, and lists what must be found, no more and no less, as
// RULE FILE:LINE and part of the message.
func TestCorpus(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	corpus := filepath.Join(root, "test", "corpus")
	cache := t.TempDir()
	testscript.Run(t, testscript.Params{
		Dir:                 corpus,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			// Renderings of what a case doesn't touch.
			env.Setenv("PLATFORM_CACHE_DIR", cache)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"base":    func(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(base(ts.MkAbs("."), root, corpus)) },
			"whole":   func(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(whole(ts.MkAbs("."), root)) },
			"replace": replaceCommand,
			"finds": func(ts *testscript.TestScript, _ bool, args []string) {
				finds(ts, corpus, args)
			},
		},
	})
}

// base makes the small repository that is right in everything.
func base(dir, root, corpus string) error {
	for _, pair := range [][2]string{
		{filepath.Join(corpus, "base"), "."}, {filepath.Join(root, "lib"), "lib"},
		{filepath.Join(root, "addons", "guardrails"), "addons/guardrails"},
	} {
		if err := copyTree(pair[0], filepath.Join(dir, pair[1])); err != nil {
			return err
		}
	}
	return nil
}

// whole makes a copy of the real repository.
func whole(dir, root string) error {
	for _, name := range []string{"platform.yaml", "lib", "addons", "clusters", "docs", "generated"} {
		if err := copyTree(filepath.Join(root, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// copyTree copies a file or a folder; what is there already stays.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		if _, err := os.Stat(target); err == nil {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	})
}

// replaceCommand is `replace FILE OLD NEW`: what the file OLD holds is replaced
// by what the file NEW holds. It must be there exactly once. In NEW, <|> stands
// for nothing: it keeps made-up secrets from looking like real ones to those who
// scan this repository.
func replaceCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	old := strings.TrimSuffix(ts.ReadFile(args[1]), "\n")
	if n := strings.Count(text, old); n != 1 {
		ts.Fatalf("%s has this %d times: %s", args[0], n, old)
	}
	to := strings.ReplaceAll(strings.TrimSuffix(ts.ReadFile(args[2]), "\n"), "<|>", "")
	text = strings.Replace(text, old, to, 1)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// finds is `finds [FLAG…]`: `platform check` with these flags finds what the
// file want lists.
func finds(ts *testscript.TestScript, corpus string, args []string) {
	err := ts.Exec("platform", append([]string{"check", "--output", "json"}, args...)...)
	if err == nil {
		ts.Fatalf("check found nothing")
	}
	var result struct {
		Findings []struct {
			Rule, Level, File, Object, Path, Message, Fix string
			Line                                          int
		} `json:"findings"`
	}
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &result); err != nil {
		ts.Fatalf("%v: %s", err, ts.ReadFile("stderr"))
	}
	var got []string
	for _, f := range result.Findings {
		where := strings.Trim(strings.Join([]string{f.Object, f.Path}, ": "), ": ")
		if where != "" {
			where += ": "
		}
		rule := f.Rule
		if f.Level != "error" {
			rule += "/" + f.Level
		}
		// Lines of the library move without anything being wrong.
		message := libraryLine.ReplaceAllString(f.Message, "$1)")
		got = append(got, fmt.Sprintf("%s %s:%d %s%s", rule, f.File, f.Line, where, message))
	}
	if *update {
		ts.Check(rewrite(filepath.Join(corpus, ts.Name()+".txtar"), got))
		return
	}
	want := strings.Split(strings.TrimSpace(ts.ReadFile("want")), "\n")
	if !slices.Equal(got, want) {
		ts.Fatalf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var libraryLine = regexp.MustCompile(`(\(says lib/[^:)]+):\d+\)`)

func rewrite(file string, want []string) error {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return err
	}
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
	archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(strings.Join(want, "\n") + "\n")})
	return os.WriteFile(file, txtar.Format(archive), 0o644)
}
