package views

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"platform/internal/config"
	"platform/internal/drift"
	"platform/internal/plan"
)

func pageOf(t *testing.T, r *drift.Report, entries []drift.Entry) string {
	t.Helper()
	return string(render(t, func(w *bytes.Buffer) error { return HTML(w, r, entries) }))
}

// elements calls visit for every element of a page.
func elements(t *testing.T, page string, visit func(n *html.Node, attributes map[string]string)) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attributes := map[string]string{}
		for _, a := range n.Attr {
			attributes[a.Key] = a.Val
		}
		visit(n, attributes)
	}
}

// allowed are the elements that pages are made of: none that loads, runs or
// submits anything.
var allowed = map[string]bool{}

func init() {
	for _, name := range strings.Fields(`html head meta title style body a header nav main section article footer figure figcaption
		h1 h2 h3 p b i code pre del ins small span div ul li dl dt dd table caption thead tbody tr th td
		details summary fieldset legend label input svg path`) {
		allowed[name] = true
	}
}

// checkPage is what holds for every page: nothing comes from elsewhere, names
// are unique and lead somewhere, headings don't skip a level.
func checkPage(t *testing.T, page string) {
	t.Helper()
	ids, references := map[string]bool{}, map[string]bool{}
	level := 0
	elements(t, page, func(n *html.Node, attributes map[string]string) {
		if !allowed[n.Data] {
			t.Errorf("<%s> on the page", n.Data)
		}
		for key, value := range attributes {
			switch {
			case strings.HasPrefix(key, "on") || key == "src" || key == "srcset" || key == "style":
				t.Errorf("<%s %s=%q>", n.Data, key, value)
			case key == "href":
				if !strings.HasPrefix(value, "#") {
					t.Errorf("<%s href=%q> leads elsewhere", n.Data, value)
				}
				references[strings.TrimPrefix(value, "#")] = true
			case key == "aria-labelledby":
				references[value] = true
			case key == "id":
				if ids[value] {
					t.Errorf("two elements have the id %q", value)
				}
				ids[value] = true
			}
		}
		if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
			if now := int(n.Data[1] - '0'); now > level+1 {
				t.Errorf("<%s> follows <h%d>", n.Data, level)
			} else {
				level = now
			}
		}
	})
	for id := range references {
		if !ids[id] {
			t.Errorf("#%s leads nowhere", id)
		}
	}
	for _, match := range regexp.MustCompile(`(?i)url\(|@import|@font-face|image-set`).FindAllString(pageStyle, -1) {
		t.Errorf("the style has %s", match)
	}
}

func TestPages(t *testing.T) {
	r, entries := sample()
	checkPage(t, pageOf(t, r, entries))
	checkPage(t, pageOf(t, &drift.Report{Time: r.Time}, nil))
	for _, alike := range []bool{true, false} {
		r, entries := bigFleet(100, 50, alike)
		page := pageOf(t, r, entries)
		checkPage(t, page)
		if most := 1_800_000; len(page) > most {
			t.Errorf("100 clusters with 50 findings each (alike: %v) are a page of %d bytes", alike, len(page))
		}
		t.Logf("alike: %v: %d bytes", alike, len(page))
		// Every finding has its line.
		lines := strings.Count(page, `<details class="f `) + strings.Count(page, `<div class="f short `)
		if lines != 5000 {
			t.Errorf("%d of 5000 findings are on the page", lines)
		}
		if got := strings.Contains(page, ">as in store-0"); got != alike {
			t.Errorf("alike: %v, but the page says %v", alike, got)
		}
	}
}

// TestPageEscapes puts markup wherever clusters, people and AWS can put text.
func TestPageEscapes(t *testing.T) {
	n := 0
	evil := func() string {
		n++
		return fmt.Sprintf(`evil%d"'></title></style></pre><script>alert(1)</script><img src=x onerror=alert(1)><a href="javascript:alert(1)">`, n)
	}
	at := time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)
	rule := config.Ignore{Resource: "ignored*", Reason: evil(), Expires: at, Layer: ""}
	unused := config.Ignore{Cluster: evil(), Layer: evil(), Resource: evil(), Path: evil(), Reason: evil(), Expires: at}
	change := func(resource string) plan.Change {
		return plan.Change{Layer: plan.Layer(evil()), Op: plan.Update, Resource: resource, Source: evil(), Reason: evil(), Diff: []plan.Field{
			{Path: evil(), From: evil(), To: evil(), Manager: evil(), Written: &at},
			{Path: "lines", From: "a\n" + evil(), To: "a\n" + evil() + "\nb"},
			{Path: "object", From: map[string]any{evil(): evil()}, To: []any{evil()}},
		}}
	}
	looks := func() []drift.Look {
		return []drift.Look{
			{Cluster: "<script>", Server: evil(), Account: evil(), Region: evil(), Paused: &drift.Pause{By: evil(), Since: &at, Reason: evil()},
				Err: errors.New(evil()), Unread: []plan.Layer{plan.Layer(evil())}, Versions: map[string]drift.Version{evil(): {Wanted: evil(), Running: evil()}},
				Changes: []plan.Change{change(evil()), change("ignored" + evil())}},
			{Cluster: `x" onclick="y`, Versions: map[string]drift.Version{evil(): {Wanted: evil()}}},
		}
	}
	about := drift.About{Time: at, Tool: evil(), Repository: evil(), Commit: evil()}
	before := drift.Make(about, []drift.Look{{Cluster: "<script>", Changes: []plan.Change{change("gone" + evil())}}}, nil, nil)
	about.Time = at.Add(time.Hour)
	r := drift.Make(about, looks(), before, []config.Ignore{rule, unused})
	// What comes out of a bucket may hold anything.
	r.Clusters[0].Findings[0].ID = evil()
	page := pageOf(t, r, nil)
	checkPage(t, page)
	if strings.Contains(page, "<script") || strings.Contains(page, "<img") {
		t.Error("markup of a value is markup of the page")
	}
	if strings.Count(page, "</style>") != 1 {
		t.Error("the style ends where it shouldn't")
	}
	elements(t, page, func(n *html.Node, attributes map[string]string) {
		for key := range attributes {
			if strings.ContainsAny(key, `"'<`) || key == "onclick" || key == "onerror" {
				t.Errorf("<%s %s>", n.Data, key)
			}
		}
	})
	// And none of it was lost: it is text.
	for _, want := range []string{"gone", "lines", "object"} {
		if !strings.Contains(page, want) {
			t.Errorf("%s isn't on the page", want)
		}
	}
}

func TestSpark(t *testing.T) {
	at := time.Date(2026, 11, 25, 2, 0, 0, 0, time.UTC)
	var entries []drift.Entry
	for i, tally := range []drift.Tally{{Current: 4}, {}, {State: drift.Unreachable, Current: 1}, {Current: 2}} {
		entries = append(entries, drift.Entry{Time: at.AddDate(0, 0, i-4), Clusters: map[string]drift.Tally{"dev": tally}})
	}
	entries = append(entries, drift.Entry{Time: at, Clusters: map[string]drift.Tally{"dev": {Current: 1}}})
	history := drift.Nights(entries, at, 6)
	s := newSparks("x", "dev", history, 4, 10)
	for i, night := range history {
		tally, seen := night.Clusters["dev"]
		s.add(i, tally, seen)
	}
	got := s.done()
	want := spark{
		ID: "x", Width: 24, Height: 10, Base: "M0 9.5h24",
		Bars: "M6 9v-8M18 9v-5", Nil: "M10 9v-2", Dim: "M14 9v-5", Now: "M22 9v-5",
		Title: "dev, findings in the last 6 nights: 1 now, at most 4; 1 night without a report; 1 night on which it couldn't all be read",
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestVersionMatrix(t *testing.T) {
	cluster := func(name, kubernetes, running string) drift.Cluster {
		return drift.Cluster{Name: name, Versions: map[string]drift.Version{"kubernetes": {Wanted: kubernetes, Running: running}, "jenkins": {Wanted: "2.580.2-jdk21", Running: "2.580.2-jdk21"}}}
	}
	s := newVersionSection([]drift.Cluster{cluster("dev", "1.36.1", "1.36.1"), cluster("int", "1.35.4", "1.35.4"), cluster("far", "1.36.1", ""), cluster("web", "1.36.1", "1.35.4"), {Name: "new"}})
	if len(s.Matrix.Rows) != 1 || len(s.Alike.Rows) != 1 || !s.Matrix.Rows[0].Skew {
		t.Fatalf("got %+v", s)
	}
	want := []cell{{Text: "1.36.1"}, {"1.35.4", "older", "older"}, {Text: "1.36.1", Note: "not read"}, {"1.36.1", "runs 1.35.4", "off"}, {Text: "–"}}
	for i, got := range s.Matrix.Rows[0].Cells {
		if got != want[i] {
			t.Errorf("cell %d: %+v, want %+v", i, got, want[i])
		}
	}
	var many []drift.Cluster
	for i := range 20 {
		c := cluster(fmt.Sprint("c", i), "1.36.1", "1.36.1")
		if i < 2 {
			c = cluster(fmt.Sprint("c", i), "1.36.1", "1.35.4")
		}
		many = append(many, c)
	}
	s = newVersionSection(many)
	if row := s.Fleet.Rows[0]; s.Matrix != nil || row.Skew || row.Wanted[0] != (group{"1.36.1", "everywhere"}) || row.Running[0] != (group{"1.35.4", "in c0, c1"}) {
		t.Errorf("got %+v", row)
	}
}
