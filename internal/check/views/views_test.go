package views

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"platform/internal/check"
	"platform/internal/ui"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var rules = []check.Rule{
	{Name: "references", Title: "what objects refer to exists", Why: "It leads nowhere."},
	{Name: "format", Title: "jsonnet is in standard form", Why: "Changes should show what changes."},
	{Name: "schema", Title: "objects are what Kubernetes takes", Why: "The API server refuses them."},
}

var result = &check.Result{
	Rules: []check.RuleResult{{Rule: "references", Findings: 2, Seconds: 0.25}, {Rule: "format"}, {Rule: "schema", Findings: 2, Seconds: 1}},
	Findings: []check.Finding{
		{
			Rule: "references", Level: check.Error, File: "clusters/dev/shop.jsonnet", Line: 12, Clusters: []string{"dev", "int"},
			Object: "Service shop/shop", Path: "spec.selector", Message: "selects no pods <&> \"these\"", Fix: "Correct it.",
		},
		{Rule: "references", Level: check.Error, File: "clusters/dev/shop.jsonnet", Line: 13, Object: "Role shop/shop", Message: "isn't there", Fix: "Correct it."},
		{Rule: "schema", Level: check.Warning, File: "addons/a b.libsonnet", Line: 7, Column: 3, Message: "is deprecated\x01", Why: "It goes away in 1.37.", Fix: "Use v1."},
		{Rule: "schema", Level: check.Error, File: "platform.yaml", Message: "is odd"},
	},
	Files: 3, Objects: 1,
}

func TestViews(t *testing.T) {
	none := &check.Result{Rules: []check.RuleResult{{Rule: "format"}}, Files: 1, Objects: 0}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"text":       func(b *bytes.Buffer) error { Text(b, ui.Paint{}, result, rules); return nil },
		"none":       func(b *bytes.Buffer) error { Text(b, ui.Paint{}, none, rules); return nil },
		"junit.xml":  func(b *bytes.Buffer) error { return JUnit(b, result, rules) },
		"sarif.json": func(b *bytes.Buffer) error { return SARIF(b, result, rules, "v1.2.3") },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, b.String(), want)
		}
	}
}

// What others parse can be parsed.
func TestParse(t *testing.T) {
	var b bytes.Buffer
	if err := JUnit(&b, result, rules); err != nil {
		t.Fatal(err)
	}
	var suites testSuites
	if err := xml.Unmarshal(b.Bytes(), &suites); err != nil {
		t.Fatal(err)
	}
	if suites.Tests != 5 || suites.Failures != 4 || len(suites.Suites) != 3 || suites.Suites[1].Cases[0].Failure != nil {
		t.Errorf("got %+v", suites)
	}
	b.Reset()
	if err := SARIF(&b, result, rules, ""); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	for _, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID || r.Locations[0].Physical.Region.Line < 1 {
			t.Errorf("result %+v", r)
		}
	}
}
