package views

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"platform/internal/drift"
	"platform/internal/plan"
	"platform/internal/ui"
)

// TextOptions choose how much of a report is shown.
type TextOptions struct {
	// Summary leaves out the findings.
	Summary bool
	// Verbose shows every field and line of a difference, and what is ignored.
	Verbose bool
}

const (
	// textFields and textLines are how much of a finding's difference is shown
	// to those who don't ask for all.
	textFields, textLines = 8, 12
	// textCreates is how many missing resources of a cluster are named.
	textCreates = 30
	// textValue is the longest value in a line.
	textValue = 120
)

// Text writes a report for a terminal: the headline, a line for each cluster,
// then the findings, those first that are new.
func Text(w io.Writer, paint ui.Paint, r *drift.Report, o TextOptions) error {
	t := &text{paint: paint, options: o}
	t.headline(r)
	t.clusters(r)
	if !o.Summary {
		for _, c := range r.Clusters {
			t.cluster(c)
		}
	}
	t.rules(r)
	_, err := io.WriteString(w, t.String())
	return err
}

type text struct {
	strings.Builder
	paint   ui.Paint
	options TextOptions
}

func (t *text) printf(format string, args ...any) { fmt.Fprintf(t, format, args...) }

func (t *text) headline(r *drift.Report) {
	colour := t.paint.Green
	switch totals := r.Totals(); {
	case totals.Current > 0:
		colour = t.paint.Red
	case totals.Unreachable > 0:
		colour = t.paint.Yellow
	}
	t.printf("%s\n", t.paint.Bold(colour(printable(Headline(r)))))
	about := fmt.Sprintf("%s at %s, seen %s", r.Repository, commit(r.Commit), when(r.Time))
	if r.Previous != nil {
		about += ", compared with " + when(*r.Previous)
	} else {
		about += ", the first report"
	}
	t.printf("%s\n", t.paint.Grey(printable(about)))
}

// clusters writes the table. Colours come last: a tabwriter would count them.
func (t *text) clusters(r *drift.Report) {
	var plain strings.Builder
	table := tabwriter.NewWriter(&plain, 0, 0, 2, ' ', 0)
	for _, c := range r.Clusters {
		fmt.Fprintf(table, "  %s\t%s\t%s\t\n", printable(c.Name), c.State, printable(strings.Join(remarks(c), "; ")))
	}
	_ = table.Flush() // into memory
	t.printf("\n")
	for i, line := range strings.Split(strings.TrimSuffix(plain.String(), "\n"), "\n") {
		if i >= len(r.Clusters) {
			break
		}
		c := r.Clusters[i]
		name := "  " + printable(c.Name)
		rest := strings.TrimRight(strings.TrimPrefix(line, name), " ")
		colour := t.paint.Green
		switch c.State {
		case drift.Unreachable, drift.Drifted:
			colour = t.paint.Red
		case drift.Paused:
			colour = t.paint.Yellow
		}
		rest = strings.Replace(rest, string(c.State), colour(string(c.State)), 1)
		t.printf("%s%s\n", name, rest)
	}
}

// remarks are what is to be said of a cluster, the worst first.
func remarks(c drift.Cluster) []string {
	var out []string
	if c.Error != "" {
		out = append(out, unread(c))
		if c.Seen != nil {
			out = append(out, "last seen "+when(*c.Seen))
		}
	}
	tally := c.Tally()
	if tally.Current > 0 {
		var layers []string
		for _, layer := range c.LayersOf() {
			layers = append(layers, fmt.Sprintf("%s %s", layer, counts(c.Counts[layer])))
		}
		text := strings.Join(layers, ", ")
		if tally.New > 0 {
			text += fmt.Sprintf("; %d new", tally.New)
		}
		if oldest := c.Oldest(); oldest > 0 {
			text += "; oldest " + span(oldest)
		}
		out = append(out, text)
	}
	if tally.Resolved > 0 {
		out = append(out, fmt.Sprintf("%d resolved", tally.Resolved))
	}
	if tally.Ignored > 0 {
		out = append(out, fmt.Sprintf("%d ignored", tally.Ignored))
	}
	if c.Paused != nil {
		out = append(out, pause(*c.Paused))
	}
	if c.Error != "" {
		out = append(out, shorten(c.Error, 200))
	}
	return out
}

func (t *text) cluster(c drift.Cluster) {
	findings := attention(by(c, current))
	done := by(c, resolved)
	var quiet []drift.Finding
	if t.options.Verbose {
		quiet = by(c, ignored)
	}
	if len(findings)+len(done)+len(quiet) == 0 {
		return
	}
	t.printf("\n%s\n", t.paint.Bold(printable(c.Name)))
	if missing := creates(findings); len(missing) > textCreates && !t.options.Verbose {
		// Most of a cluster is missing: each object by its name says no more.
		t.printf("  %s %s\n", t.op(plan.Create), printable(ui.Kinds(missing)))
		findings = slices.DeleteFunc(findings, func(f drift.Finding) bool { return f.Op == plan.Create })
	}
	for _, f := range findings {
		t.finding(f)
	}
	for _, f := range quiet {
		t.printf("  %s %s %s\n", t.paint.Grey(symbol(f.Op)), printable(f.Resource),
			t.paint.Grey(printable(fmt.Sprintf("ignored until %s: %s", f.Ignored.Expires, f.Ignored.Reason))))
	}
	for _, f := range done {
		t.printf("  %s %s  %s\n", t.paint.Green("✓"), printable(f.Resource), t.paint.Grey(status(f)))
	}
}

// creates names the resources that are missing.
func creates(findings []drift.Finding) []string {
	var out []string
	for _, f := range findings {
		if f.Op == plan.Create {
			out = append(out, f.Resource)
		}
	}
	return out
}

func (t *text) finding(f drift.Finding) {
	mark := t.paint.Grey(status(f))
	if f.Status == drift.New {
		mark = t.paint.Red(status(f))
	}
	if n := f.NewFields(); n > 0 {
		mark += ", " + t.paint.Red(count(n, "field")+" new")
	}
	t.printf("  %s %s  %s", t.op(f.Op), printable(f.Resource), mark)
	if about := strings.Join(slices.DeleteFunc([]string{f.Reason, f.Source}, func(s string) bool { return s == "" }), "; "); about != "" {
		t.printf("  %s", t.paint.Grey("("+printable(about)+")"))
	}
	t.printf("\n")
	if f.Op == plan.Create && !t.options.Verbose {
		return // that it is missing says all
	}
	for i, field := range f.Diff {
		if i == textFields && !t.options.Verbose {
			t.printf("      %s\n", t.paint.Grey("… "+count(len(f.Diff)-i, "more field")))
			break
		}
		t.field(f.Op, field)
	}
}

func (t *text) op(op plan.Op) string {
	switch op {
	case plan.Create:
		return t.paint.Green(symbol(op))
	case plan.Delete, plan.Replace:
		return t.paint.Red(symbol(op))
	}
	return t.paint.Yellow(symbol(op))
}

func (t *text) field(op plan.Op, f drift.Field) {
	who := owner(op, f)
	if who != "" {
		who = "  " + t.paint.Grey(printable(who))
	}
	path := printable(cmp.Or(f.Path, "(all)"))
	from, to := ui.Value(f.From), ui.Value(f.To)
	if strings.Contains(from, "\n") || strings.Contains(to, "\n") {
		t.printf("      %s:%s\n", path, who)
		t.lines(ui.LineDiff(f.From, f.To))
		return
	}
	if !t.options.Verbose {
		from, to = excerpts(from, to, textValue)
	}
	from, to = printable(from), printable(to)
	switch {
	case f.From == nil:
		t.printf("      %s %s: %s%s\n", t.paint.Green("+"), path, to, who)
	case f.To == nil:
		t.printf("      %s %s: %s%s\n", t.paint.Red("-"), path, from, who)
	default:
		t.printf("      %s %s: %s %s %s%s\n", t.paint.Yellow("~"), path, from, t.paint.Grey("→"), to, who)
	}
}

func (t *text) lines(lines []ui.Line) {
	for i, line := range lines {
		if i == textLines && !t.options.Verbose {
			t.printf("        %s\n", t.paint.Grey("… "+count(len(lines)-i, "more line")))
			return
		}
		shown := line.Text
		if !t.options.Verbose {
			shown = shorten(shown, textValue)
		}
		shown = string(line.Kind) + " " + printable(shown)
		switch line.Kind {
		case '-':
			shown = t.paint.Red(shown)
		case '+':
			shown = t.paint.Green(shown)
		default:
			shown = t.paint.Grey(shown)
		}
		t.printf("        %s\n", shown)
	}
}

// rules writes the rules that somebody has to look after; all of them with
// Verbose.
func (t *text) rules(r *drift.Report) {
	first := true
	for _, rule := range r.Ignore {
		if rule.State == drift.RuleActive && !t.options.Verbose {
			continue
		}
		if first {
			t.printf("\n%s\n", t.paint.Bold("ignore rules"))
			first = false
		}
		text := fmt.Sprintf("%s: ignores %s until %s: %s", scope(rule), count(rule.Matched, "finding"), rule.Expires, rule.Reason)
		switch rule.State {
		case drift.RuleExpired:
			text = fmt.Sprintf("%s: expired %s, %s back: %s", scope(rule), rule.Expires, verb(rule.Matched, "finding"), rule.Reason)
		case drift.RuleUnused:
			text = fmt.Sprintf("%s: has nothing to ignore and can go: %s", scope(rule), rule.Reason)
		}
		t.printf("  %s\n", printable(text))
	}
}

func verb(n int, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return count(n, what) + " are"
}

// scope says what a rule is about.
func scope(rule drift.IgnoreRule) string {
	text := rule.Resource
	if rule.Path != "" {
		text += " " + rule.Path
	}
	var where []string
	if rule.Layer != "" {
		where = append(where, rule.Layer)
	}
	if rule.Cluster != "" {
		where = append(where, rule.Cluster)
	}
	if len(where) > 0 {
		text += " in " + strings.Join(where, ", ")
	}
	return text
}
