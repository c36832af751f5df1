package drift

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platform/internal/config"
	"platform/internal/plan"
)

func night(n int) time.Time { return time.Date(2026, 11, n, 2, 0, 0, 0, time.UTC) }

func about(n int) About {
	return About{Time: night(n), Tool: "v1", Repository: "example-platform", Commit: "abc"}
}

func update(resource string, paths ...string) plan.Change {
	c := plan.Change{Layer: plan.Addons, Op: plan.Update, Resource: resource}
	for _, path := range paths {
		c.Diff = append(c.Diff, plan.Field{Path: path, From: 1.0, To: 2.0})
	}
	return c
}

func missing(resource string) plan.Change {
	return plan.Change{Layer: plan.Addons, Op: plan.Create, Resource: resource, Diff: []plan.Field{{Path: "kind", To: "x"}}}
}

// told is a report as people would retell it: cluster, status, operation,
// resource, fields, first seen and, if it is one, what ignores it.
func told(r *Report) []string {
	out := []string{}
	for _, c := range r.Clusters {
		for _, f := range c.Findings {
			text := fmt.Sprintf("%s: %s %s %s", c.Name, f.Status, f.Op, f.Resource)
			for _, field := range f.Diff {
				text += fmt.Sprintf(" %s(%d)", field.Path, field.Since.Day())
			}
			text += fmt.Sprintf(" since %d", f.FirstSeen.Day())
			if f.UnknownSince != nil {
				text += fmt.Sprintf(" unknown %d", f.UnknownSince.Day())
			}
			if f.Ignored != nil {
				text += " ignored: " + f.Ignored.Reason
			}
			out = append(out, text)
		}
	}
	return out
}

func expect(t *testing.T, r *Report, want ...string) {
	t.Helper()
	if want == nil {
		want = []string{}
	}
	if diff := cmp.Diff(want, told(r)); diff != "" {
		t.Error(diff)
	}
	ids := map[string]bool{}
	for _, c := range r.Clusters {
		for _, f := range c.Findings {
			if f.ID == "" || ids[f.ID] {
				t.Errorf("%s is no name for %s alone", f.ID, f.Resource)
			}
			ids[f.ID] = true
			if want := int64(r.Time.Sub(f.FirstSeen) / time.Second); f.AgeSeconds != want {
				t.Errorf("%s is %d s old, want %d", f.Resource, f.AgeSeconds, want)
			}
		}
	}
}

func TestNights(t *testing.T) {
	look := func(changes ...plan.Change) []Look { return []Look{{Cluster: "dev", Changes: changes}} }

	r1 := Make(about(1), look(update("A", "x", "y"), missing("B")), nil, nil)
	expect(t, r1,
		"dev: new update A x(1) y(1) since 1",
		"dev: new create B kind(1) since 1")
	if r1.Previous != nil || r1.Clusters[0].Previous != nil {
		t.Error("a first report was compared with something")
	}

	// Other values, a field less, a field more, and other fields of what is
	// missing: all the same findings.
	a := update("A", "y", "z")
	a.Diff[0].From = 7.0
	b := missing("B")
	b.Diff = append(b.Diff, plan.Field{Path: "spec", To: 1.0})
	r2 := Make(about(2), look(a, b), r1, nil)
	expect(t, r2,
		"dev: open update A y(1) z(2) since 1",
		"dev: open create B kind(1) spec(1) since 1")
	for i := range 2 {
		if r1.Clusters[0].Findings[i].ID != r2.Clusters[0].Findings[i].ID {
			t.Errorf("%s has lost its name", r2.Clusters[0].Findings[i].Resource)
		}
	}
	if n := r2.Clusters[0].Findings[0].NewFields(); n != 1 {
		t.Errorf("%d new fields, want z", n)
	}
	if r2.Previous == nil || !r2.Previous.Equal(night(1)) {
		t.Errorf("compared with %v", r2.Previous)
	}

	// What began with z is as old as z.
	r3 := Make(about(3), look(update("A", "z")), r2, nil)
	expect(t, r3,
		"dev: open update A z(2) since 2",
		"dev: resolved create B kind(1) spec(1) since 1")

	// Nothing in common: repaired, and broken elsewhere. That something was
	// resolved is told once.
	r4 := Make(about(4), look(update("A", "q")), r3, nil)
	expect(t, r4,
		"dev: new update A q(4) since 4",
		"dev: resolved update A z(2) since 2")

	r5 := Make(about(5), look(), r4, nil)
	expect(t, r5, "dev: resolved update A q(4) since 4")
	expect(t, Make(about(6), look(), r5, nil))

	// Another operation is another finding.
	expect(t, Make(about(5), look(missing("A")), r4, nil),
		"dev: new create A kind(5) since 5",
		"dev: resolved update A q(4) since 4")
}

func TestNamesAreStable(t *testing.T) {
	id := func(cluster string, c plan.Change) string {
		return Make(about(1), []Look{{Cluster: cluster, Changes: []plan.Change{c}}}, nil, nil).Clusters[0].Findings[0].ID
	}
	base := update("A", "x", "y")
	other := update("A", "y", "x")
	other.Diff[0].From, other.Reason, other.Source = "secret", "because", "file"
	if id("dev", base) != id("dev", other) {
		t.Error("the order of fields, values, reason or source name a finding")
	}
	seen := map[string]string{id("dev", base): "base"}
	for what, got := range map[string]string{
		"cluster": id("int", base), "fields": id("dev", update("A", "x")), "resource": id("dev", update("B", "x", "y")),
		"operation": id("dev", missing("A")), "joined": id("dev", update("A", "xy")),
		"layer": id("dev", plan.Change{Layer: plan.AWS, Op: plan.Update, Resource: "A", Diff: base.Diff}),
	} {
		if seen[got] != "" {
			t.Errorf("another %s, the same name as %s", what, seen[got])
		}
		seen[got] = what
	}
	// The reports that are kept have the names of releases before this one.
	if got, want := id("dev", base), "6e638736092af299"; got != want {
		t.Errorf("findings go by other names now: %s, want %s", got, want)
	}
}

func TestEqualTwins(t *testing.T) {
	looks := []Look{{Cluster: "dev", Changes: []plan.Change{missing("A"), missing("A")}}}
	r1 := Make(about(1), looks, nil, nil)
	r2 := Make(about(2), looks, r1, nil)
	expect(t, r2, "dev: open create A kind(1) since 1", "dev: open create A kind(1) since 1")
}

func TestUnreachable(t *testing.T) {
	gone := errors.New("API server https://api.dev: no route to host")
	r1 := Make(about(1), []Look{{Cluster: "dev", Changes: []plan.Change{update("A", "x"), {Layer: plan.Kops, Op: plan.Roll, Resource: "Nodes"}}}}, nil, nil)
	r2 := Make(about(2), []Look{{Cluster: "dev", Err: gone}}, r1, nil)
	expect(t, r2,
		"dev: unknown roll Nodes since 1 unknown 2",
		"dev: unknown update A x(1) since 1 unknown 2")
	c := r2.Clusters[0]
	if c.State != Unreachable || c.Error != gone.Error() || !c.Seen.Equal(night(1)) || c.Counts[plan.Addons][plan.Update] != 1 {
		t.Errorf("got %+v", c)
	}
	if code := r2.ExitCode(); code != 1 {
		t.Errorf("nothing is certain: exit code %d", code)
	}

	// A part of it: the rest is compared, and what is found there is certain.
	r3 := Make(about(3), []Look{{Cluster: "dev", Err: gone, Unread: []plan.Layer{plan.Addons, Versions}, Changes: []plan.Change{
		update("half a plan", "x"), {Layer: plan.AWS, Op: plan.Update, Resource: "LB"},
	}}}, r2, nil)
	expect(t, r3,
		"dev: resolved roll Nodes since 1",
		"dev: new update LB since 3",
		"dev: unknown update A x(1) since 1 unknown 2")
	if c := r3.Clusters[0]; c.State != Unreachable || !c.Seen.Equal(night(1)) {
		t.Errorf("got %+v", c)
	}
	if code := r3.ExitCode(); code != 2 {
		t.Errorf("the load balancer differs: exit code %d", code)
	}

	// Back again: still there since the first night, or gone.
	back := Make(about(4), []Look{{Cluster: "dev", Changes: []plan.Change{update("A", "x")}}}, r3, nil)
	expect(t, back,
		"dev: resolved update LB since 3",
		"dev: open update A x(1) since 1")
	expect(t, Make(about(4), []Look{{Cluster: "dev"}}, r2, nil),
		"dev: resolved roll Nodes since 1",
		"dev: resolved update A x(1) since 1")
	if r := Make(about(1), []Look{{Cluster: "dev", Err: gone}}, nil, nil); r.Clusters[0].Seen != nil {
		t.Error("a cluster that was never seen has a date")
	}
}

func TestClustersComeAndGo(t *testing.T) {
	r1 := Make(about(1), []Look{{Cluster: "dev", Changes: []plan.Change{missing("A")}}, {Cluster: "int"}}, nil, nil)
	r2 := Make(about(2), []Look{{Cluster: "int", Paused: &Pause{By: "ops"}}, {Cluster: "web", Changes: []plan.Change{missing("A")}}}, r1, nil)
	expect(t, r2, "web: new create A kind(2) since 2")
	states := []State{r2.Clusters[0].State, r2.Clusters[1].State}
	if diff := cmp.Diff([]State{Paused, Drifted}, states); diff != "" {
		t.Error(diff)
	}
	if r2.Clusters[1].Previous != nil || !r2.Clusters[0].Previous.Equal(night(1)) {
		t.Error("each cluster is compared with its own last report")
	}
	if r := Make(about(2), []Look{{Cluster: "int"}}, r1, nil); r.ExitCode() != 0 || r.Clusters[0].State != Clean {
		t.Errorf("a clean cluster: %+v", r)
	}
	r2.Order([]string{"web", "dev", "int"})
	if r2.Clusters[0].Name != "web" || r2.Clusters[1].Name != "int" {
		t.Error("Order: not in the order given")
	}
}

func rule(resource, path, reason string, day int) config.Ignore {
	return config.Ignore{Resource: resource, Path: path, Reason: reason, Expires: night(day).Truncate(24 * time.Hour)}
}

func TestIgnore(t *testing.T) {
	looks := []Look{
		{Cluster: "dev", Changes: []plan.Change{update("Deployment a/x", "spec.replicas", "spec.paused"), missing("Service a/x"), update("Deployment b/y", "spec.replicas")}},
		{Cluster: "int", Changes: []plan.Change{update("Deployment a/x", "spec.replicas")}},
	}
	inInt := rule("*", "", "int is being rebuilt", 9)
	inInt.Cluster = "int"
	r := Make(about(1), looks, nil, []config.Ignore{
		rule("* a/*", "spec.repl*", "scaled by hand", 9), inInt,
		rule("Deployment b/*", "", "was agreed upon", 0), rule("ConfigMap *", "", "nothing of that kind", 9),
	})
	expect(t, r,
		"dev: new update Deployment a/x spec.paused(1) since 1",
		"dev: new update Deployment a/x spec.replicas(1) since 1 ignored: scaled by hand",
		"dev: new update Deployment b/y spec.replicas(1) since 1",
		"dev: new create Service a/x kind(1) since 1",
		"int: new update Deployment a/x spec.replicas(1) since 1 ignored: scaled by hand")
	var states []string
	for _, rule := range r.Ignore {
		states = append(states, fmt.Sprint(rule.State, " ", rule.Matched))
	}
	if diff := cmp.Diff([]string{"active 2", "unused 0", "expired 1", "unused 0"}, states); diff != "" {
		t.Error(diff)
	}
	if c := r.Clusters[1]; c.State != Clean || len(c.Counts) != 0 || c.Tally().Ignored != 1 {
		t.Errorf("int, where all is ignored, is %+v", c)
	}
	if c := r.Clusters[0]; c.Counts[plan.Addons][plan.Update] != 2 || c.Tally() != (Tally{State: Drifted, Current: 3, New: 3, Ignored: 1}) {
		t.Errorf("dev is %+v, %+v", c.Tally(), c.Counts)
	}

	// A rule holds for the whole of its last day.
	last := config.Ignore{Resource: "*", Reason: "x", Expires: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	for at, want := range map[time.Time]RuleState{
		time.Date(2026, 11, 1, 23, 59, 59, 0, time.UTC):                                         RuleActive,
		time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC):                                            RuleExpired,
		time.Date(2026, 11, 2, 1, 0, 0, 0, time.FixedZone("CET", int(time.Hour/time.Second)*2)): RuleActive,
	} {
		if r := Make(About{Time: at}, looks, nil, []config.Ignore{last}); r.Ignore[0].State != want {
			t.Errorf("at %s: %s, want %s", at, r.Ignore[0].State, want)
		}
	}
}

// TestIgnoreComesAndGoes: ages don't depend on what was ignored meanwhile.
func TestIgnoreComesAndGoes(t *testing.T) {
	rules := []config.Ignore{rule("A", "x", "known", 3)}
	look := func(paths ...string) []Look {
		return []Look{{Cluster: "dev", Changes: []plan.Change{update("A", paths...)}}}
	}
	r1 := Make(about(1), look("x"), nil, rules)
	expect(t, r1, "dev: new update A x(1) since 1 ignored: known")
	r2 := Make(about(2), look("x", "y"), r1, rules)
	expect(t, r2,
		"dev: new update A y(2) since 2",
		"dev: open update A x(1) since 1 ignored: known")
	// The rule is over: one finding, as old as its oldest field.
	r4 := Make(about(4), look("x", "y"), r2, rules)
	expect(t, r4, "dev: open update A x(1) y(2) since 1")
	if r4.Ignore[0].State != RuleExpired || r4.Ignore[0].Matched != 1 {
		t.Errorf("got %+v", r4.Ignore[0])
	}
	// A new rule takes a part of it; the other keeps its name.
	r5 := Make(about(5), look("x", "y"), r4, []config.Ignore{rule("A", "x", "known after all", 9)})
	expect(t, r5,
		"dev: open update A y(2) since 2",
		"dev: open update A x(1) since 1 ignored: known after all")
	if r5.Clusters[0].Findings[0].ID != r4.Clusters[0].Findings[0].ID {
		t.Error("what people see has lost its name")
	}
	// What nobody wanted to hear of needs no all-clear.
	expect(t, Make(about(6), []Look{{Cluster: "dev"}}, r5, nil), "dev: resolved update A y(2) since 2")
	// What can't be seen stays ignored, and its rule isn't called unused.
	r6 := Make(about(6), []Look{{Cluster: "dev", Err: errors.New("gone")}}, r5, []config.Ignore{rule("A", "x", "still", 9), rule("C", "", "who knows", 9)})
	expect(t, r6,
		"dev: unknown update A y(2) since 2 unknown 6",
		"dev: unknown update A x(1) since 1 unknown 6 ignored: still")
	if r6.Ignore[1].State != RuleActive {
		t.Errorf("got %+v", r6.Ignore)
	}
	// And a rule may split what can't be seen.
	expect(t, Make(about(6), []Look{{Cluster: "dev", Err: errors.New("gone")}}, r4, []config.Ignore{rule("A", "x", "new", 9)}),
		"dev: unknown update A y(2) since 2 unknown 6",
		"dev: unknown update A x(1) since 1 unknown 6 ignored: new")
}

func TestFits(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "anything", true}, {"a", "a", true}, {"a", "ab", false}, {"*", "", true}, {"a*", "a", true},
		{"*a*b", "xaab", true}, {"*a*b", "xaabc", false}, {"a**b", "ab", true}, {"*ab", "aab", true},
		{`c[name="*"].x`, `c[name="web"].x`, true}, {"Deployment a/*", "Deployment ab/x", false}, {"a?", "ab", false},
	} {
		if got := fits(test.pattern, test.text); got != test.want {
			t.Errorf("%q, %q: %v", test.pattern, test.text, got)
		}
	}
	// Not exponential.
	if fits(strings.Repeat("*a", 50)+"b", strings.Repeat("a", 5000)) {
		t.Error("there is no b")
	}
}
