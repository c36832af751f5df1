package scale

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"platform/internal/addons"
	"platform/internal/config"
	"platform/internal/drift"
	"platform/test/apiserver"
)

func TestMain(m *testing.M) { apiserver.Main(m) }

var soak = os.Getenv("SOAK") != ""

var about = drift.About{Time: time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC), Tool: "tests", Repository: "scale", Commit: "0123456789abcdef"}

// rules ignore what one cluster's people have made by hand.
var rules = []config.Ignore{{Cluster: "cluster-009", Layer: string(drift.Undeclared), Resource: "Secret *", Reason: "an experiment", Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)}}

func TestFleet(t *testing.T) {
	n, m, parallel := 10, 100, 2
	few := 3
	if soak {
		n, m, parallel, few = 100, 300, 8, 10
	}
	start := time.Now()
	f := newFleet(t, n, m)
	t.Logf("%d clusters made in %.1f s", n, time.Since(start).Seconds())
	for _, c := range f.clusters {
		c.window.read()
	}

	table := newTable("clusters", "objects", "at once", "seconds", "requests", "a clean one", "peak heap KiB")
	run := func(names []string) ([]drift.Look, int) {
		var looks []drift.Look
		start := time.Now()
		heap := peak(func() {
			looks = drift.LookAll(names, parallel, func(name string) drift.Look { return f.look(t.Context(), name) })
		})
		objects, requests, clean := 0, 0, 0
		for _, l := range looks {
			c := f.clusters[l.Cluster]
			objects += c.objects
			requests += l.Requests
			if len(c.seeds) == 0 {
				clean = l.Requests
			}
		}
		table.row(len(names), objects, parallel, fmt.Sprintf("%.1f", time.Since(start).Seconds()), requests, clean, kib(heap))
		return looks, heap
	}
	run(f.names[:1]) // connections and caches are nobody's
	// As many looks as later, to come upon as unlucky a moment.
	fewHeap := 0
	for range n / few {
		_, heap := run(f.names[1 : few+1])
		fewHeap = max(fewHeap, heap)
	}
	f.looking.read()
	for _, c := range f.clusters {
		c.window.read()
	}
	looks, heap := run(f.names)
	t.Log(table)

	first := drift.Make(about, looks, nil, rules)
	for _, c := range first.Clusters {
		if c.Error != "" {
			t.Errorf("%s: %s", c.Name, c.Error)
		}
		if diff := cmp.Diff(f.clusters[c.Name].want(), findings(c), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.Name, diff)
		}
	}

	// What a look costs doesn't depend on how many objects there are.
	clean := 0
	for _, l := range looks {
		c := f.clusters[l.Cluster]
		requests, most := c.window.read()
		if requests != l.Requests {
			t.Errorf("%s says that it took %d requests, and it took %d", l.Cluster, l.Requests, requests)
		}
		if most > perLook {
			t.Errorf("%s: %d requests at once, want %d at most", l.Cluster, most, perLook)
		}
		if len(c.seeds) > 0 {
			continue
		}
		if clean == 0 {
			clean = requests
		}
		if requests != clean {
			t.Errorf("%s with %d objects took %d requests, %s with %d took %d", l.Cluster, c.objects, requests, f.names[0], f.clusters[f.names[0]].objects, clean)
		}
	}
	if counts, most := f.looking.read(); counts != n || most > parallel {
		t.Errorf("%d clusters were looked at, %d at once; want %d, %d at once", counts, most, n, parallel)
	}
	if limit := fewHeap + fewHeap/2 + 512<<10; heap > limit {
		t.Errorf("looking at %d clusters took %d KiB, at %d of them %d KiB: want about as much, %d KiB at the most", n, kib(heap), few, kib(fewHeap), kib(limit))
	}

	// The next night, in one process and in several.
	next := about
	next.Time = about.Time.Add(24 * time.Hour)
	whole := drift.Make(next, looks, first, rules)
	const shards = 3
	var parts []drift.Report
	for i := range shards {
		mine, err := drift.Shard(f.names, i+1, shards)
		if err != nil {
			t.Fatal(err)
		}
		share := drift.LookAll(mine, parallel, func(name string) drift.Look { return f.look(t.Context(), name) })
		parts = append(parts, kept(t, drift.Make(next, share, first, rules)))
	}
	merged, err := drift.Merge(parts)
	if err != nil {
		t.Fatal(err)
	}
	merged.Order(f.names)
	if diff := cmp.Diff(kept(t, whole), merged, cmpopts.IgnoreFields(drift.Cluster{}, "Requests", "Seconds")); diff != "" {
		t.Errorf("the report of %d shards isn't that of one process (-one +shards):\n%s", shards, diff)
	}
	if totals := merged.Totals(); totals.Unreachable > 0 || totals.New > 0 || totals.Resolved > 0 || totals.Ignored == 0 {
		t.Errorf("nothing has changed overnight, but the report says %+v", totals)
	}
}

// kept is a report that was written and read again, as shards' are.
func kept(t *testing.T, r *drift.Report) drift.Report {
	t.Helper()
	var file bytes.Buffer
	if err := drift.Write(&file, r); err != nil {
		t.Fatal(err)
	}
	out, err := drift.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	return *out
}

// TestCluster looks at clusters of large objects, of which a page and several
// pages.
func TestCluster(t *testing.T) {
	const page = 500
	many := 3 * page
	if soak {
		many = 6 * page
	}
	server := apiserver.Shared(t)
	paths := everywhere(t, server)
	table := newTable("objects", "of them", "seconds", "requests", "peak heap KiB")
	type cost struct{ requests, heap int }
	measure := func(c *cluster, what string, files []addons.File, want int) cost {
		t.Helper()
		c.window.read()
		var l drift.Look
		start := time.Now()
		heap := peak(func() { l = look(t.Context(), c, files) })
		if l.Err != nil || len(l.Changes) != want {
			t.Errorf("%s, %d objects, %s: %d changes, want %d; error: %v", c.name, c.objects, what, len(l.Changes), want, l.Err)
		}
		if _, most := c.window.read(); most > perLook {
			t.Errorf("%s, %s: %d requests at once, want %d at most", c.name, what, most, perLook)
		}
		table.row(c.objects, what, fmt.Sprintf("%.1f", time.Since(start).Seconds()), l.Requests, kib(heap))
		return cost{l.Requests, heap}
	}

	costs := map[string][]cost{}
	kinds := []string{"settled", "one of 100 differs", "all differ"}
	for _, objects := range []int{page, many} {
		c := &cluster{name: fmt.Sprintf("large-%d", objects), objects: objects}
		c.window = &window{namespace: c.name, everywhere: paths}
		c.config = c.window.config(server)
		files := large(c, nil)
		if _, err := c.layer(files).Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, what := range kinds {
			every := map[string]int{"settled": 0, "one of 100 differs": 100, "all differ": 1}[what]
			differs := func(i int) bool { return every > 0 && i%every == 0 }
			want := 0
			if every > 0 {
				want = objects / every
			}
			costs[what] = append(costs[what], measure(c, what, large(c, differs), want))
		}
	}
	t.Log(table)

	// One LIST of the plan and one of the metadata more for each further page.
	if less, more := costs["settled"][0].requests, costs["settled"][1].requests; more-less != 2*(many/page-1) {
		t.Errorf("%d objects took %d requests, %d took %d: want just the further pages", page, less, many, more)
	}
	for _, what := range kinds {
		// A page more or less, and what git's side takes: declared objects are
		// made ready to be applied.
		less, more := costs[what][0].heap, costs[what][1].heap
		if limit := less + less/5 + (many-page)*6<<10; more > limit {
			t.Errorf("%s: %d objects took %d KiB, %d took %d KiB: want about a page, %d KiB at the most", what, page, kib(less), many, kib(more), kib(limit))
		}
	}
}

// large are ConfigMaps of 20 KiB, some of which differ from what was applied.
func large(c *cluster, differs func(int) bool) []addons.File {
	files := []addons.File{{Name: "large", Source: "large.jsonnet"}}
	files[0].Objects = append(files[0].Objects, object("v1", "Namespace", "", c.name, nil))
	for i := range c.objects {
		value := "a"
		if differs != nil && differs(i) {
			value = "b"
		}
		files[0].Objects = append(files[0].Objects, object("v1", "ConfigMap", c.name, fmt.Sprintf("large-%04d", i),
			map[string]any{"data": map[string]any{"a": value, "text": largeText}}))
	}
	return files
}

var largeText = strings.Repeat("0123456789abcdef", 20<<10/16)

// table is what a test has measured.
type table struct {
	text  bytes.Buffer
	write *tabwriter.Writer
}

func newTable(columns ...any) *table {
	out := &table{}
	out.write = tabwriter.NewWriter(&out.text, 0, 4, 2, ' ', tabwriter.AlignRight)
	out.row(columns...)
	return out
}

func (t *table) row(cells ...any) {
	line := slices.Repeat([]string{"%v"}, len(cells))
	fmt.Fprintf(t.write, strings.Join(line, "\t")+"\t\n", cells...)
}

func (t *table) String() string {
	t.write.Flush()
	return "\n" + t.text.String()
}
