package views

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"platform/internal/drift"
)

//go:embed report.html.tmpl
var pageText string

//go:embed report.css
var pageStyle string

var pageTemplate = template.Must(template.New("").Parse(pageText))

const (
	// nights are those of the sparklines.
	nights = 30
	// denseCards is from how many clusters on each gets less room.
	denseCards = 12
	// pageDiffs is how many differences a page shows, shared out among its
	// clusters, and leastDiffs how many of each at least. The other findings
	// have their line, too: a page that loads is worth more than one that has all.
	pageDiffs, leastDiffs = 600, 5
	// pageShared is from how many findings on equal ones are shown once.
	pageShared = 100
	// pageFields, pageLines and pageValue bound a single difference.
	pageFields, pageLines, pageValue = 12, 40, 240
	// pageRows bounds tables that a fleet makes long.
	pageRows = 200
	// openAtOnce is up to how many findings the new ones needn't be opened.
	openAtOnce = 12
)

// HTML writes a report as one page that needs nothing else: no script, no
// image, no font. Entries are earlier reports' counts, in any order; the
// report's own needn't be among them.
func HTML(w io.Writer, r *drift.Report, entries []drift.Entry) error {
	var out bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&out, "page", newPage(r, entries)); err != nil {
		return fmt.Errorf("writing the report as a page: %w", err)
	}
	_, err := w.Write(out.Bytes())
	return err
}

type page struct {
	Style      template.CSS
	Headline   string
	Verdict    string
	Besides    string
	Mood       string
	Repository string
	Facts      []fact
	Tiles      []tile

	Total           spark
	From, Scale, To string
	Nights          int

	Dense bool
	Cards []card

	Versions *versionSection

	Sections []section
	Filters  []filter

	Resolved        []resolvedRow
	ResolvedCaption string

	Rules          []ruleRow
	RulesCaption   string
	Ignored        []ignoredRow
	IgnoredCaption string

	Tool   string
	Schema int
	Legend string
}

type fact struct {
	Label, Text string
	Code        bool
}

type tile struct {
	Label string
	Count int
	Class string
}

type filter struct{ ID, Label string }

type card struct {
	ID, Name   string
	Linked     bool
	State      drift.State
	Count      int
	Unit, Also string
	Layers     []fact
	Notes      []string
	Spark      spark
}

type section struct {
	ID, Name      string
	State         drift.State
	Summary       string
	Error, Paused string
	Findings      []finding
	// Listed is the label of the list, where it isn't open at once.
	Listed string
	// Left says what has no difference on the page.
	Left string
}

type resolvedRow struct{ Cluster, Resource, Op, Lasted string }

type ruleRow struct {
	Scope, Reason, Expires string
	State                  drift.RuleState
	Matched                int
}

type ignoredRow struct{ Cluster, Resource, Says string }

func newPage(r *drift.Report, entries []drift.Entry) *page {
	p := &page{
		Style: template.CSS(pageStyle), Headline: Headline(r), Verdict: verdict(r), Besides: strings.Join(besides(r), "; "), Mood: mood(r), Repository: r.Repository,
		Nights: nights, Dense: len(r.Clusters) > denseCards,
		Tool: r.Tool, Schema: r.SchemaVersion, Legend: legend(),
	}
	p.facts(r)
	p.tiles(r)
	history := drift.Nights(append(slices.Clone(entries), r.Entry()), r.Time, nights)
	ids := anchors(r.Clusters)
	p.total(history)
	p.sections(r, ids)
	linked := map[string]bool{}
	for _, s := range p.Sections {
		linked[s.ID] = true
	}
	for i, c := range r.Clusters {
		p.Cards = append(p.Cards, newCard(c, ids[i], linked[ids[i]], p.Dense, history))
	}
	p.Versions = newVersionSection(r.Clusters)
	p.resolved(r)
	p.rules(r)
	return p
}

// mood is the page's colour.
func mood(r *drift.Report) string {
	switch t := r.Totals(); {
	case t.Current > 0:
		return string(drift.Drifted)
	case t.Unreachable > 0 || t.Clusters == 0:
		return string(drift.Unreachable)
	}
	return string(drift.Clean)
}

func (p *page) facts(r *drift.Report) {
	p.Facts = []fact{{Label: "Seen", Text: when(r.Time)}, {Label: "Commit", Text: commit(r.Commit), Code: true}}
	if r.Previous != nil {
		p.Facts = append(p.Facts, fact{Label: "Compared with", Text: when(*r.Previous)})
	} else {
		p.Facts = append(p.Facts, fact{Label: "Compared with", Text: "nothing: the first report"})
	}
	requests, slowest := 0, 0.0
	for _, c := range r.Clusters {
		requests += c.Requests
		slowest = max(slowest, c.Seconds)
	}
	p.Facts = append(p.Facts, fact{Label: "Took", Text: fmt.Sprintf("%s; %.1f s for the slowest cluster", count(requests, "request"), slowest)})
}

func (p *page) tiles(r *drift.Report) {
	t := r.Totals()
	p.Tiles = []tile{
		{"Findings", t.Current, "current"}, {"New", t.New, "new"}, {"Resolved", t.Resolved, "resolved"},
		{"Ignored", t.Ignored, "ignored"}, {"Clean", t.Clean, "clean"}, {"Unreachable", t.Unreachable, "unreachable"},
	}
}

func (p *page) total(history []drift.Night) {
	s := newSparks("total", "All clusters", history, 10, 72)
	for i, night := range history {
		s.add(i, night.Total(), len(night.Clusters) > 0)
	}
	p.Total = s.done()
	p.From, p.To = history[0].Date.Format("2 Jan"), history[len(history)-1].Date.Format("2 Jan")
	p.Scale = fmt.Sprintf("findings, at most %d", s.most)
}

func newCard(c drift.Cluster, id string, linked, dense bool, history []drift.Night) card {
	t := c.Tally()
	k := card{ID: id, Name: c.Name, Linked: linked, State: c.State, Count: t.Current, Unit: "findings"}
	if t.Current == 1 {
		k.Unit = "finding"
	}
	var also []string
	if t.New > 0 {
		also = append(also, fmt.Sprintf("%d new", t.New))
	}
	if t.Unknown > 0 {
		also = append(also, fmt.Sprintf("%d as last seen", t.Unknown))
	}
	if t.Resolved > 0 {
		also = append(also, fmt.Sprintf("%d resolved", t.Resolved))
	}
	if t.Ignored > 0 {
		also = append(also, fmt.Sprintf("%d ignored", t.Ignored))
	}
	k.Also = strings.Join(also, ", ")
	for _, layer := range c.LayersOf() {
		k.Layers = append(k.Layers, fact{Label: string(layer), Text: counts(c.Counts[layer])})
	}
	if c.Error != "" {
		text := unread(c)
		if c.Seen != nil {
			text += "; last seen " + when(*c.Seen)
		}
		k.Notes = append(k.Notes, text)
	}
	if c.Paused != nil {
		k.Notes = append(k.Notes, pause(*c.Paused))
	}
	if about := join(" · ", strings.TrimPrefix(c.Server, "https://"), c.Account, c.Region); about != "" && !dense {
		k.Notes = append(k.Notes, about)
	}
	if c.Requests > 0 && !dense {
		k.Notes = append(k.Notes, fmt.Sprintf("%s in %.1f s", count(c.Requests, "request"), c.Seconds))
	}
	s := newSparks(id+"-spark", c.Name, history, 8, 30)
	for i, night := range history {
		tally, seen := night.Clusters[c.Name]
		s.add(i, tally, seen)
	}
	k.Spark = s.done()
	return k
}

// join leaves out what is empty.
func join(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), separator)
}

// anchors are names for clusters that URLs take as they are.
func anchors(clusters []drift.Cluster) []string {
	taken := map[string]bool{}
	ids := make([]string, len(clusters))
	for i, c := range clusters {
		plain := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
				return r
			}
			return '-'
		}, strings.ToLower(c.Name))
		ids[i] = "in-" + plain
		if taken[ids[i]] {
			ids[i] = fmt.Sprintf("in-%s-%d", plain, i)
		}
		taken[ids[i]] = true
	}
	return ids
}

func (p *page) sections(r *drift.Report, ids []string) {
	differing := 0
	for _, c := range r.Clusters {
		if c.Tally().Current > 0 {
			differing++
		}
	}
	diffs := newDiffs(r.Totals().Current, differing)
	statuses := map[drift.Status]int{}
	for i, c := range r.Clusters {
		findings := attention(by(c, current))
		if len(findings) == 0 && c.Error == "" && c.Paused == nil {
			continue
		}
		s := section{ID: ids[i], Name: c.Name, State: c.State, Summary: join(", ", sectionSummary(c)...)}
		if c.Error != "" {
			s.Error = unread(c) + ": " + c.Error
		}
		if c.Paused != nil {
			s.Paused = "Deployments are " + pause(*c.Paused)
		}
		s.Listed = "Findings in " + c.Name
		short := 0
		diffs.begin(c.Name)
		for _, f := range findings {
			statuses[f.Status]++
			v := diffs.finding(f)
			if v.Short && v.SameIn == "" {
				short++
			}
			s.Findings = append(s.Findings, v)
		}
		if short > 0 {
			s.Left = fmt.Sprintf("%s without a difference on this page: platform plan %s shows them all.", count(short, "finding"), c.Name)
		}
		p.Sections = append(p.Sections, s)
	}
	total := 0
	for _, n := range statuses {
		total += n
	}
	if len(statuses) > 1 {
		p.Filters = []filter{{"all", fmt.Sprintf("all (%d)", total)}}
		for _, status := range []drift.Status{drift.New, drift.Open, drift.Unknown} {
			if n := statuses[status]; n > 0 {
				p.Filters = append(p.Filters, filter{string(status), fmt.Sprintf("%s (%d)", status, n)})
			}
		}
	}
}

func sectionSummary(c drift.Cluster) []string {
	t := c.Tally()
	if t.Current == 0 {
		return []string{"no findings"}
	}
	out := []string{count(t.Current, "finding")}
	if oldest := c.Oldest(); oldest > 0 {
		out = append(out, "the oldest for "+span(oldest))
	}
	return out
}

func (p *page) resolved(r *drift.Report) {
	n := 0
	for _, c := range r.Clusters {
		for _, f := range by(c, resolved) {
			if n++; n <= pageRows {
				p.Resolved = append(p.Resolved, resolvedRow{c.Name, f.Resource, fmt.Sprintf("%s %s", symbol(f.Op), f.Op), span(f.Age())})
			}
		}
	}
	p.ResolvedCaption = verb(n, "finding") + " gone"
	if n > pageRows {
		p.ResolvedCaption += fmt.Sprintf(", the first %d below", pageRows)
	}
}

func (p *page) rules(r *drift.Report) {
	for _, rule := range r.Ignore {
		p.Rules = append(p.Rules, ruleRow{scope(rule), rule.Reason, rule.Expires, rule.State, rule.Matched})
	}
	p.RulesCaption = count(len(r.Ignore), "rule")
	for _, state := range []drift.RuleState{drift.RuleExpired, drift.RuleUnused} {
		if n := rules(r, state); n > 0 {
			p.RulesCaption += fmt.Sprintf(", %d %s", n, state)
		}
	}
	n := 0
	for _, c := range r.Clusters {
		for _, f := range by(c, ignored) {
			if n++; n <= pageRows {
				p.Ignored = append(p.Ignored, ignoredRow{c.Name, f.Resource,
					fmt.Sprintf("%s %s, %s; rule %d", symbol(f.Op), f.Op, status(f), f.Ignored.Rule+1)})
			}
		}
	}
	p.IgnoredCaption = verb(n, "finding") + " ignored"
	if n > pageRows {
		p.IgnoredCaption += fmt.Sprintf(", the first %d below", pageRows)
	}
}

func legend() string {
	var parts []string
	for _, op := range drift.Ops {
		parts = append(parts, fmt.Sprintf("%s %s (%s)", symbol(op), op, meaning(op)))
	}
	return strings.Join(parts, ", ")
}
