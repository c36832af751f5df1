package views

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"platform/internal/drift"
	"platform/internal/plan"
	"platform/internal/ui"
)

var updateGolden = flag.Bool("update", false, "write the golden files")

// golden compares with a file of testdata; -update writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *updateGolden {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run go test with -update", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s, - wanted, + got:\n%s", file, diff)
	}
}

func render(t *testing.T, view func(*bytes.Buffer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := view(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestGolden(t *testing.T) {
	r, entries := sample()
	clean := drift.Make(drift.About{Time: r.Time, Tool: "1.4.0", Repository: "example-platform", Commit: "abc"}, []drift.Look{{Cluster: "dev"}, {Cluster: "int"}}, nil, nil)
	link := "https://jenkins.example.net/job/nightly/31/artifact/reports/drift.html"
	for name, view := range map[string]func(*bytes.Buffer) error{
		"report.json":  func(w *bytes.Buffer) error { return drift.Write(w, r) },
		"history.json": func(w *bytes.Buffer) error { return json.NewEncoder(w).Encode(entries) },
		"report.txt":   func(w *bytes.Buffer) error { return Text(w, ui.Paint{}, r, TextOptions{}) },
		"verbose.txt":  func(w *bytes.Buffer) error { return Text(w, ui.Paint{}, r, TextOptions{Verbose: true}) },
		"summary.txt":  func(w *bytes.Buffer) error { return Text(w, ui.Paint{}, r, TextOptions{Summary: true}) },
		"clean.txt":    func(w *bytes.Buffer) error { return Text(w, ui.Paint{}, clean, TextOptions{}) },
		"colour.txt": func(w *bytes.Buffer) error {
			return Text(w, ui.Streams{OutTerminal: true}.OutPaint(), r, TextOptions{})
		},
		"report.prom": func(w *bytes.Buffer) error { return Prometheus(w, r) },
		"chat.json":   func(w *bytes.Buffer) error { return Chat(w, r, link) },
		"chat.txt":    func(w *bytes.Buffer) error { return Message(w, r, link) },
		"report.html": func(w *bytes.Buffer) error { return HTML(w, r, entries) },
		"clean.html":  func(w *bytes.Buffer) error { return HTML(w, clean, nil) },
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, render(t, view)) })
	}
}

// TestViewsOfReadReport: a report that was kept reads as it did when it was new.
func TestViewsOfReadReport(t *testing.T) {
	r, entries := sample()
	read, err := drift.Read(bytes.NewReader(render(t, func(w *bytes.Buffer) error { return drift.Write(w, r) })))
	if err != nil {
		t.Fatal(err)
	}
	for name, view := range map[string]func(*bytes.Buffer, *drift.Report) error{
		"json": func(w *bytes.Buffer, r *drift.Report) error { return drift.Write(w, r) },
		"text": func(w *bytes.Buffer, r *drift.Report) error {
			return Text(w, ui.Paint{}, r, TextOptions{Verbose: true})
		},
		"html": func(w *bytes.Buffer, r *drift.Report) error { return HTML(w, r, entries) },
		"prom": func(w *bytes.Buffer, r *drift.Report) error { return Prometheus(w, r) },
	} {
		a := render(t, func(w *bytes.Buffer) error { return view(w, r) })
		b := render(t, func(w *bytes.Buffer) error { return view(w, read) })
		if !bytes.Equal(a, b) {
			t.Errorf("%s: %s", name, cmp.Diff(string(a), string(b)))
		}
	}
}

func TestPrometheusParses(t *testing.T) {
	r, _ := sample()
	r.Clusters[1].Name = "in\"t\\\n\xff"
	r.Clusters[1].Findings[0].Layer = "new layer"
	r.Clusters[1].Counts = map[plan.Layer]map[plan.Op]int{"new layer": {plan.Update: 3}}
	r.Clusters[3].Seen = nil
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(render(t, func(w *bytes.Buffer) error { return Prometheus(w, r) })))
	if err != nil {
		t.Fatal(err)
	}
	value := func(name string, labels ...string) (float64, bool) {
		for _, metric := range families[name].GetMetric() {
			var got []string
			for _, l := range metric.GetLabel() {
				got = append(got, l.GetName(), l.GetValue())
			}
			if cmp.Equal(labels, got) {
				if metric.TimestampMs != nil {
					t.Errorf("%s has a timestamp, which a Pushgateway refuses", name)
				}
				return metric.GetGauge().GetValue(), true
			}
		}
		return 0, false
	}
	for _, test := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"platform_drift_changes", []string{"cluster", "dev"}, 4},
		{"platform_drift_changes", []string{"cluster", "in\"t\\\n?"}, 3},
		{"platform_drift_findings", []string{"cluster", "in\"t\\\n?", "layer", "new layer", "op", "update"}, 3},
		{"platform_drift_findings", []string{"cluster", "dev", "layer", "addons", "op", "update"}, 2},
		{"platform_drift_report_timestamp_seconds", []string{"cluster", "dev"}, float64(r.Time.Unix())},
		{"platform_drift_reachable", []string{"cluster", "edge"}, 0},
		{"platform_drift_ignored", []string{"cluster", "dev"}, 1},
		{"platform_drift_oldest_seconds", []string{"cluster", "in\"t\\\n?"}, 4 * 24 * 3600},
		{"platform_drift_versions_behind", []string{"cluster", "in\"t\\\n?"}, 1},
		{"platform_drift_ignore_rules", []string{"state", "expired"}, 1},
	} {
		if got, has := value(test.name, test.labels...); !has || got != test.want {
			t.Errorf("%s%v is %v (%v), want %v", test.name, test.labels, got, has, test.want)
		}
	}
	if _, has := value("platform_drift_report_timestamp_seconds", "cluster", "edge"); has {
		t.Error("a cluster that was never read has a time")
	}
}

func TestHeadline(t *testing.T) {
	about := drift.About{Time: time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)}
	differs := []plan.Change{{Layer: plan.Kops, Op: plan.Roll, Resource: "x"}}
	gone := os.ErrDeadlineExceeded
	for _, test := range []struct {
		looks []drift.Look
		want  string
	}{
		{nil, "No cluster was looked at"},
		{[]drift.Look{{Cluster: "dev"}}, "No drift: 1 cluster is as git says"},
		{[]drift.Look{{Cluster: "dev"}, {Cluster: "int"}}, "No drift: 2 clusters are as git says"},
		{[]drift.Look{{Cluster: "dev"}, {Cluster: "int", Err: gone}}, "No drift in 1 cluster; int couldn't be read"},
		{[]drift.Look{{Cluster: "int", Err: gone}}, "Nobody can tell whether there is drift; int couldn't be read"},
		{[]drift.Look{{Cluster: "dev", Changes: differs}}, "1 of 1 cluster differs from git in 1 finding; 1 new"},
		{[]drift.Look{{Cluster: "dev", Changes: differs}, {Cluster: "int", Changes: differs, Paused: &drift.Pause{By: "ops"}}, {Cluster: "web"}}, "2 of 3 clusters differ from git in 2 findings; 2 new; int paused"},
	} {
		if got := Headline(drift.Make(about, test.looks, nil, nil)); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestExcerpts(t *testing.T) {
	long := strings.Repeat("a", 100)
	for _, test := range []struct{ a, b, wantA, wantB string }{
		{"short", "text", "short", "text"},
		{long + "x" + long, long + "y" + long, "…aaaxaaaaa…", "…aaayaaaaa…"},
		{long, "x", "aaaaaaaaa…", "x"},
		{long, long + "!", "…aaa", "…aaa!"},
	} {
		if a, b := excerpts(test.a, test.b, 10); a != test.wantA || b != test.wantB {
			t.Errorf("%q and %q", a, b)
		}
	}
}

// TestTextIsHarmless: what a cluster says can't steer a terminal or a chat.
func TestTextIsHarmless(t *testing.T) {
	evil := "\x1b[2J\u202e<!channel> <https://evil.example|click>\r\nx"
	r := drift.Make(drift.About{Time: time.Now(), Repository: evil, Commit: evil}, []drift.Look{{
		Cluster: evil, Server: evil, Paused: &drift.Pause{By: evil, Reason: evil},
		Changes: []plan.Change{{Layer: plan.Addons, Op: plan.Update, Resource: evil, Reason: evil, Source: evil, Diff: []plan.Field{
			{Path: evil, From: evil, To: evil + evil, Manager: evil}, {Path: "y", From: "1", To: evil},
		}}},
	}}, nil, nil)
	for name, view := range map[string]func(*bytes.Buffer) error{
		"text":    func(w *bytes.Buffer) error { return Text(w, ui.Paint{}, r, TextOptions{Verbose: true}) },
		"message": func(w *bytes.Buffer) error { return Message(w, r, "") },
	} {
		if got := string(render(t, view)); strings.ContainsAny(got, "\x1b\r\u202e") {
			t.Errorf("%s: %q", name, got)
		}
	}
	var body struct{ Text string }
	if err := json.Unmarshal(render(t, func(w *bytes.Buffer) error { return Chat(w, r, "https://x.example/a?b=1&c=2") }), &body); err != nil {
		t.Fatal(err)
	}
	if rest := strings.ReplaceAll(body.Text, "<https://x.example/a?b=1&amp;c=2|The whole report>", ""); strings.ContainsAny(rest, "<>") || rest == body.Text {
		t.Errorf("chat: %q", body.Text)
	}
}

func TestChatIsBounded(t *testing.T) {
	r, _ := bigFleet(100, 50, false)
	if got := render(t, func(w *bytes.Buffer) error { return Chat(w, r, "") }); len(got) > 4000 {
		t.Errorf("%d bytes; Slack cuts messages after 4,000", len(got))
	}
}
