package savedplan

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"platform/internal/plan"
)

func change(op plan.Op, resource string, fields ...plan.Field) plan.Change {
	return plan.Change{Layer: plan.Addons, Op: op, Resource: resource, Diff: fields}
}

func saved(changes ...plan.Change) Saved {
	return Saved{
		Cluster: "dev", Made: time.Date(2026, 11, 1, 2, 3, 4, 0, time.UTC), Tool: "v1", Rendered: "abc",
		Plan: plan.Plan{Cluster: "dev", Changes: changes},
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.json")
	now := time.Now()
	before := saved(
		change(plan.Update, "Secret a/b", plan.Field{Path: "data.x", From: "(secret, hash 0123456789ab)", To: "(secret, hash aaaaaaaaaaaa)", Manager: "kubectl", Written: &now}),
		change(plan.Create, "TargetGroup/http", plan.Field{Path: "arn", To: plan.Unknown}, plan.Field{Path: "port", To: 80}),
		change(plan.Delete, "Service a/c"),
	)
	if err := Write(path, before); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	read, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	// Another salt, and somebody else's time.
	again := before.Plan
	again.Changes = append([]plan.Change(nil), again.Changes...)
	again.Changes[0] = change(plan.Update, "Secret a/b", plan.Field{Path: "data.x", From: "(secret, hash 111111111111)", To: "(secret, hash 222222222222)"})
	if err := read.Check(again, "abc"); err != nil {
		t.Error(err)
	}
}

func TestStale(t *testing.T) {
	s := saved(change(plan.Update, "Deployment a/b", plan.Field{Path: "spec.replicas", From: 1, To: 2}), change(plan.Delete, "Service a/c"))
	at := "since the plan was made, 2026-11-01 02:03:04 UTC"
	for name, c := range map[string]struct {
		now      []plan.Change
		rendered string
		want     string
	}{
		"the same":         {s.Plan.Changes, "abc", ""},
		"another value":    {[]plan.Change{change(plan.Update, "Deployment a/b", plan.Field{Path: "spec.replicas", From: 3, To: 2}), s.Plan.Changes[1]}, "abc", "reality has changed " + at + ": now also to update Deployment a/b"},
		"one more":         {append(s.Plan.Changes[:2:2], change(plan.Create, "Role a/d")), "abc", "reality has changed " + at + ": now also to create Role a/d"},
		"one less":         {s.Plan.Changes[:1], "abc", "reality has changed " + at + ": no longer to delete Service a/c"},
		"another tree":     {s.Plan.Changes, "def", "what git declares has changed " + at},
		"a secret's other": {[]plan.Change{s.Plan.Changes[0], {Layer: plan.Addons, Op: plan.Delete, Resource: "Service a/c", Seen: "12"}}, "abc", "reality has changed " + at + ": now also to delete Service a/c"},
	} {
		err := s.Check(plan.Plan{Cluster: "dev", Changes: c.now}, c.rendered)
		got := ""
		if stale := new(StaleError); errors.As(err, &stale) {
			got = stale.Error()
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"":                                  "is no saved plan",
		"{}":                                "is no saved plan; `platform plan CLUSTER --out FILE` makes one",
		`{"cluster": "dev", "changes": []}`: "is no saved plan",
		`{"format": 9, "cluster": "dev", "rendered": "x", "tool": "v9", "plan": {"cluster": "dev"}}`: "was saved by platform v9, in another form",
	} {
		path := filepath.Join(dir, "plan.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := Read(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
