//go:build e2e

package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"platform/internal/drift"
	"platform/internal/drift/views"
)

var updateScreenshots = flag.Bool("update", false, "renew the pictures in docs/images")

// browserModules is where package.json's modules are installed.
const browserModules = "../../.sandbox/browser/node_modules"

// page is one for check.js to look at.
type page struct {
	Name string `json:"name"`
	File string `json:"file"`
	// Screenshots is the folder for pictures, if there are to be any.
	Screenshots string `json:"screenshots,omitempty"`
	// Accessible asks for axe, which takes minutes over thousands of findings.
	Accessible bool `json:"accessible"`
	// Quick is one screen instead of all.
	Quick bool `json:"quick"`
}

func TestPage(t *testing.T) {
	report, history := sample(t)
	clean := *report
	clean.Clusters = nil
	for _, c := range report.Clusters {
		c.State, c.Error, c.Paused, c.Findings, c.Counts = drift.Clean, "", nil, nil, nil
		clean.Clusters = append(clean.Clusters, c)
	}
	clean.Ignore = nil
	pages := []page{
		write(t, "report", report, history, true),
		write(t, "clean", &clean, history, true),
		write(t, "long words", longWords(report), history, true),
		write(t, "fleet", fleet(report, 100, 50), nil, false),
		write(t, "small fleet", fleet(report, 20, 6), nil, true),
	}
	if *updateScreenshots {
		images, err := filepath.Abs("../../docs/images")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(images, 0o755); err != nil {
			t.Fatal(err)
		}
		pages[0].Screenshots = images
	}
	for _, problem := range check(t, pages) {
		t.Error(problem)
	}
}

// TestCheckFinds: the check says no where it has to.
func TestCheckFinds(t *testing.T) {
	report, history := sample(t)
	good := write(t, "report", report, history, true)
	data, err := os.ReadFile(good.File)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]struct{ old, new, want string }{
		"a wide element":  {"<main>", `<main><p style="width:1500px">x</p>`, "pixels wide"},
		"pale text":       {"--soft: #555b64", "--soft: #c5cbd4", "color-contrast"},
		"no language":     {`<html lang="en">`, "<html>", "html-has-lang"},
		"an image":        {"<main>", `<main><img alt="" src="https://example.net/x.png">`, "it loads https://example.net/x.png"},
		"closed on paper": {"details::details-content { content-visibility: visible; block-size: auto; }", "", "aren't printed"},
		"no filter":       {"body:has(#show-new:checked)", "body:has(#show-now:checked)", "the filter new shows"},
	} {
		t.Run(what, func(t *testing.T) {
			broken := strings.ReplaceAll(string(data), change.old, change.new)
			if broken == string(data) {
				t.Fatalf("the page has no %q", change.old)
			}
			// The page's own policy would keep such a page from doing harm.
			broken = strings.Replace(broken, "default-src 'none'", "default-src *", 1)
			bad := page{Name: what, File: filepath.Join(t.TempDir(), "page.html"), Accessible: true, Quick: true}
			if err := os.WriteFile(bad.File, []byte(broken), 0o644); err != nil {
				t.Fatal(err)
			}
			if problems := strings.Join(check(t, []page{bad}), "\n"); !strings.Contains(problems, change.want) {
				t.Errorf("want %q, got:\n%s", change.want, problems)
			}
		})
	}
}

// sample reads the report that the tests of package views make, and what was
// before it.
func sample(t *testing.T) (*drift.Report, []drift.Entry) {
	t.Helper()
	file, err := os.Open("../../internal/drift/views/testdata/report.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	report, err := drift.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("../../internal/drift/views/testdata/history.json")
	if err != nil {
		t.Fatal(err)
	}
	var history []drift.Entry
	if err := json.Unmarshal(data, &history); err != nil {
		t.Fatal(err)
	}
	return report, history
}

// longWords has names that no line can be broken in.
func longWords(report *drift.Report) *drift.Report {
	word := strings.Repeat("unbreakable", 25)
	out := *report
	out.Repository, out.Commit, out.Tool = word, word, word
	out.Ignore = append([]drift.IgnoreRule{}, report.Ignore...)
	for i := range out.Ignore {
		out.Ignore[i].Resource, out.Ignore[i].Path, out.Ignore[i].Reason = word, word, word
	}
	out.Clusters = nil
	for i, c := range report.Clusters {
		c.Name = fmt.Sprint(word, i)
		c.Server, c.Region = word, word
		if c.Error != "" {
			c.Error = word
		}
		c.Versions = map[string]drift.Version{word: {Wanted: word, Running: word + fmt.Sprint(i)}}
		findings := append([]drift.Finding{}, c.Findings...)
		for k, f := range findings {
			f.Resource, f.Source, f.Reason = word, word, word
			f.Diff = append([]drift.Field{}, f.Diff...)
			for n := range f.Diff {
				f.Diff[n].Path, f.Diff[n].From, f.Diff[n].To, f.Diff[n].Manager = word, word, "x\n"+word, word
			}
			findings[k] = f
		}
		c.Findings = findings
		out.Clusters = append(out.Clusters, c)
	}
	return &out
}

// fleet multiplies clusters and findings.
func fleet(report *drift.Report, clusters, findings int) *drift.Report {
	out := *report
	out.Clusters = nil
	for i := range clusters {
		c := report.Clusters[i%len(report.Clusters)]
		c.Name = fmt.Sprintf("store-%03d", i)
		some := c.Findings
		c.Findings = nil
		for k := range findings {
			f := some[k%len(some)]
			f.ID = fmt.Sprintf("%016x", i*findings+k)
			f.Resource = fmt.Sprintf("%s-%d", f.Resource, k)
			c.Findings = append(c.Findings, f)
		}
		out.Clusters = append(out.Clusters, c)
	}
	return &out
}

func write(t *testing.T, name string, report *drift.Report, history []drift.Entry, accessible bool) page {
	t.Helper()
	var out bytes.Buffer
	if err := views.HTML(&out, report, history); err != nil {
		t.Fatal(err)
	}
	p := page{Name: name, File: filepath.Join(t.TempDir(), "page.html"), Accessible: accessible}
	if err := os.WriteFile(p.File, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

// check has check.js look at pages, and gives what it finds wrong.
func check(t *testing.T, pages []page) []string {
	t.Helper()
	modules, err := filepath.Abs(browserModules)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(modules, "playwright-core")); err != nil {
		t.Fatalf("%v: run make browser", err)
	}
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		if chromium, err = exec.LookPath("chromium"); err != nil {
			t.Fatalf("%v: run make browser, or name one with CHROMIUM", err)
		}
	}
	task, err := json.Marshal(map[string]any{"chromium": chromium, "pages": pages})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "check.js")
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	cmd.Stdin = bytes.NewReader(task)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("check.js: %v", err)
	}
	var problems []string
	if err := json.Unmarshal(out, &problems); err != nil {
		t.Fatalf("check.js: %v: %s", err, out)
	}
	return problems
}
