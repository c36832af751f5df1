package drift

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platform/internal/config"
	"platform/internal/plan"
)

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("cluster-%02d", i)
	}
	return out
}

// shards gives each cluster's shard.
func shards(t *testing.T, clusters []string, n int) map[string]int {
	t.Helper()
	out := map[string]int{}
	most := (len(clusters) + n - 1) / n
	for i := 1; i <= n; i++ {
		mine, err := Shard(clusters, i, n)
		if err != nil {
			t.Fatal(err)
		}
		if len(mine) > most {
			t.Errorf("%d of %d: %d clusters, an even share is %d", i, n, len(mine), most)
		}
		for _, name := range mine {
			if out[name] != 0 {
				t.Errorf("%s is in shards %d and %d", name, out[name], i)
			}
			out[name] = i
		}
	}
	if len(out) != len(clusters) {
		t.Errorf("%d shards have %d of %d clusters", n, len(out), len(clusters))
	}
	return out
}

func TestShard(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 101} {
		all := names(100)
		before := shards(t, all, n)
		slices.Reverse(all)
		if diff := cmp.Diff(before, shards(t, all, n)); diff != "" {
			t.Errorf("another order, %d shards: %s", n, diff)
		}
	}
	all := names(100)
	before, moved := shards(t, all, 10), 0
	for name, shard := range shards(t, append(all, "another"), 10) {
		if name != "another" && before[name] != shard {
			moved++
		}
	}
	if moved > 20 {
		t.Errorf("one cluster more has moved %d of 100", moved)
	}
	got, err := Shard([]string{"web", "dev", "int"}, 1, 1)
	if err != nil || !slices.Equal(got, []string{"web", "dev", "int"}) {
		t.Errorf("not in the order given: %v, %v", got, err)
	}
	for _, bad := range [][2]int{{0, 3}, {4, 3}, {1, 0}, {-1, 3}} {
		if _, err := Shard(all, bad[0], bad[1]); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("shard %d/%d: want", bad[0], bad[1])) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestMerge(t *testing.T) {
	rules := []config.Ignore{rule("A", "", "known", 9), rule("C", "", "unheard of", 9)}
	looks := []Look{
		{Cluster: "dev", Changes: []plan.Change{update("A", "x"), missing("B")}},
		{Cluster: "int", Err: errors.New("no route to host")},
		{Cluster: "web", Changes: []plan.Change{update("A", "x")}},
	}
	before := Make(about(1), looks, nil, rules)
	whole := Make(about(2), looks, before, rules)
	var parts []Report
	for _, look := range looks {
		parts = append(parts, *Make(about(2), []Look{look}, before, rules))
	}
	got, err := Merge(parts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*whole, got); diff != "" {
		t.Errorf("the parts aren't the whole:\n%s", diff)
	}

	// Without int, nothing keeps the second rule from being unused.
	got, err = Merge([]Report{parts[0], parts[2]})
	if err != nil || got.Ignore[0].Matched != 2 || got.Ignore[1].State != RuleUnused {
		t.Errorf("got %+v, %v", got.Ignore, err)
	}
	if parts[0].Ignore[0].Matched != 1 {
		t.Error("merging has changed a part")
	}

	later := parts[1]
	later.Time = later.Time.Add(time.Minute)
	if got, err := Merge([]Report{parts[0], later, parts[2]}); err != nil || !got.Time.Equal(later.Time) {
		t.Errorf("%v, %v", got.Time, err)
	}
	if got, err := Merge(parts[:1]); err != nil || len(got.Clusters) != 1 {
		t.Errorf("one part: %v, %v", got, err)
	}
}

func TestMergeRefuses(t *testing.T) {
	dev := *Make(about(1), []Look{{Cluster: "dev"}}, nil, nil)
	with := func(edit func(*Report)) []Report {
		other := *Make(about(2), []Look{{Cluster: "int"}}, nil, nil)
		edit(&other)
		return []Report{dev, other}
	}
	for _, test := range []struct {
		parts []Report
		want  []string
	}{
		{nil, []string{"there are none"}},
		{with(func(r *Report) { r.Commit = "def" }), []string{"two commits, abc (2026-11-01 02:00:00Z) and def (2026-11-02 02:00:00Z)"}},
		{with(func(r *Report) { r.Repository = "other" }), []string{"two repositories, example-platform and other"}},
		{with(func(r *Report) { r.SchemaVersion = 2; r.Tool = "v9" }), []string{"schema version 2, this tool reads 1", "v9"}},
		{with(func(r *Report) { r.Clusters[0].Name = "dev" }), []string{"cluster dev is in two of them, of 2026-11-01 02:00:00Z and of 2026-11-02 02:00:00Z"}},
		{with(func(r *Report) { r.Ignore = []IgnoreRule{{Resource: "x"}} }), []string{"other rules on what to ignore"}},
	} {
		_, err := Merge(test.parts)
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
	}
}
