package ui

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platform/internal/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var samplePlan = plan.Plan{Cluster: "dev", Changes: []plan.Change{
	{Layer: plan.Kops, Op: plan.Create, Resource: "Subnet/a.dev.example.net", Diff: []plan.Field{{Path: "CIDR", To: "10.0.0.0/24"}}},
	{Layer: plan.Kops, Op: plan.Create, Resource: "Subnet/b.dev.example.net"},
	{Layer: plan.Kops, Op: plan.Update, Resource: "InstanceGroup/nodes", Diff: []plan.Field{
		{Path: "spec.maxSize", From: 2.0, To: 3.0}, {Path: "spec.nodeLabels[\"a/b\"]", To: "c"}, {Path: "spec.image", From: "old"},
	}},
	{Layer: plan.Kops, Op: plan.Roll, Resource: "InstanceGroup/nodes", Reason: "2 of 2 instances: their launch template changes (ImageID)"},
	{Layer: plan.AWS, Op: plan.Create, Resource: "LoadBalancer/dev", Diff: []plan.Field{{Path: "arn", To: plan.Unknown}}},
	{Layer: plan.Addons, Op: plan.Update, Resource: "ConfigMap monitoring/prometheus", Diff: []plan.Field{
		{Path: "data.config", From: "a\nb\nc\nd\ne\nf\n", To: "a\nb\nc\nD\ne\nf\n"},
	}},
	{Layer: plan.Addons, Op: plan.Delete, Resource: "Service monitoring/old"},
}}

func TestPlan(t *testing.T) {
	for _, test := range []struct {
		name  string
		paint Paint
		plan  plan.Plan
		o     PlanOptions
	}{
		{"full", Paint{}, samplePlan, PlanOptions{}},
		{"summary", Paint{}, samplePlan, PlanOptions{Summary: true}},
		{"compact", Paint{}, samplePlan, PlanOptions{Compact: true}},
		{"verbose", Paint{}, samplePlan, PlanOptions{Verbose: true}},
		{"colour", Paint{on: true}, samplePlan, PlanOptions{}},
		{"empty", Paint{}, plan.Plan{Cluster: "dev"}, PlanOptions{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			Plan(&out, test.paint, test.plan, test.o)
			golden(t, test.name+".txt", out.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; rewrite with -update):\n%s", path, diff)
	}
}

func TestLineDiff(t *testing.T) {
	for _, test := range []struct{ name, from, to, want string }{
		{"equal", "a b", "a b", ""},
		{"change", "a b c", "a x c", " a|-b|+x| c"},
		{"append", "a", "a b", " a|+b"},
		{"far apart", "1 2 3 4 5 6 7 8 9", "x 2 3 4 5 6 7 8 y", "-1|+x| 2| 3| …| 7| 8|-9|+y"},
		{"from nothing", "", "a b", "+a|+b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, line := range lineDiff(strings.Fields(test.from), strings.Fields(test.to)) {
				got = append(got, string(line.kind)+line.text)
			}
			if text := strings.Join(got, "|"); text != test.want {
				t.Errorf("got %q, want %q", text, test.want)
			}
		})
	}
}

// FuzzLineDiff applies what lineDiff says to the old text and expects the new
// one, contexts aside.
func FuzzLineDiff(f *testing.F) {
	f.Add("a b c", "a c d")
	f.Fuzz(func(t *testing.T, from, to string) {
		a, b := strings.Fields(from), strings.Fields(to)
		if len(a) > 200 || len(b) > 200 {
			return
		}
		var old, new []string
		for _, line := range middle(a, b) {
			if line.kind != '+' {
				old = append(old, line.text)
			}
			if line.kind != '-' {
				new = append(new, line.text)
			}
		}
		if strings.Join(old, " ") != strings.Join(a, " ") || strings.Join(new, " ") != strings.Join(b, " ") {
			t.Errorf("middle(%q, %q) loses lines", a, b)
		}
	})
}

func TestStacks(t *testing.T) {
	got := Stacks([]plan.Health{
		{Layer: plan.Kops, Stack: "cluster", State: plan.Ready},
		{Layer: plan.Addons, Stack: "monitoring", State: plan.Failed, Resource: "Deployment monitoring/grafana", Reason: "0/1 replicas"},
		{Layer: plan.Addons, Stack: "monitoring", State: plan.Progressing},
		{Layer: plan.Kops, Stack: "cluster", State: plan.Ready},
	})
	want := []Stack{
		{Layer: plan.Kops, Name: "cluster", Ready: 2, Total: 2, State: plan.Ready},
		{Layer: plan.Addons, Name: "monitoring", Ready: 0, Total: 2, State: plan.Failed},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProgressPlain(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(Streams{Err: &out}, false)
	p.Report(plan.Event{Layer: plan.Kops, Action: "storing the spec"})
	p.Report(plan.Event{Layer: plan.Kops, Resource: "VPC/dev", Action: "created"})
	p.Report(plan.Event{Layer: plan.Kops, Action: "log", Detail: "chatter", Transient: true})
	p.Report(plan.Event{Layer: plan.Kops, Action: "warning", Detail: "it may break"})
	p.Close()
	want := "kops    storing the spec\nkops    warning: it may break\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
