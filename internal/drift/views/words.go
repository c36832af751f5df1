package views

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"platform/internal/drift"
	"platform/internal/plan"
)

// Headline is what somebody needs to know who reads one line.
func Headline(r *drift.Report) string {
	return strings.Join(append([]string{verdict(r)}, besides(r)...), "; ")
}

// verdict says whether there is drift.
func verdict(r *drift.Report) string {
	switch t := r.Totals(); {
	case t.Current > 0:
		return fmt.Sprintf("%d of %s from git in %s", t.Differing, differ(t.Clusters, t.Differing), count(t.Current, "finding"))
	case t.Clusters == 0:
		return "No cluster was looked at"
	case t.Unreachable == t.Clusters:
		return "Nobody can tell whether there is drift"
	case t.Unreachable > 0:
		return "No drift in " + count(t.Clean, "cluster")
	default:
		return fmt.Sprintf("No drift: %s as git says", verb(t.Clusters, "cluster"))
	}
}

// besides is what else there is to know, the worst first.
func besides(r *drift.Report) []string {
	t := r.Totals()
	var parts []string
	if t.New > 0 {
		parts = append(parts, fmt.Sprintf("%d new", t.New))
	}
	if t.Unreachable > 0 {
		text := some(r, t.Unreachable, func(c drift.Cluster) bool { return c.State == drift.Unreachable }) + " couldn't be read"
		if t.Unknown > 0 {
			text += fmt.Sprintf(" (%d as last seen)", t.Unknown)
		}
		parts = append(parts, text)
	}
	if t.Resolved > 0 {
		parts = append(parts, fmt.Sprintf("%d resolved", t.Resolved))
	}
	if t.Paused > 0 {
		parts = append(parts, some(r, t.Paused, func(c drift.Cluster) bool { return c.Paused != nil })+" paused")
	}
	if n := rules(r, drift.RuleExpired); n > 0 {
		parts = append(parts, count(n, "ignore rule")+" expired")
	}
	return parts
}

func differ(clusters, differing int) string {
	if differing == 1 {
		return count(clusters, "cluster") + " differs"
	}
	return count(clusters, "cluster") + " differ"
}

// some names clusters as long as they are few.
func some(r *drift.Report, n int, which func(drift.Cluster) bool) string {
	const few = 3
	if n > few {
		return count(n, "cluster")
	}
	var names []string
	for _, c := range r.Clusters {
		if which(c) {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ", ")
}

func rules(r *drift.Report, state drift.RuleState) int {
	n := 0
	for _, rule := range r.Ignore {
		if rule.State == state {
			n++
		}
	}
	return n
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// when writes a time for people: to the minute, in UTC.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// span writes how long something has lasted: in the unit that people would use.
func span(d time.Duration) string {
	switch hours := int(d.Hours()); {
	case d < time.Hour:
		return count(int(d.Minutes()), "minute")
	case hours < 48:
		return count(hours, "hour")
	default:
		return count(hours/24, "day")
	}
}

// status says in a few words how a finding stands, and since when.
func status(f drift.Finding) string {
	switch f.Status {
	case drift.New:
		return "new"
	case drift.Open:
		return "open for " + span(f.Age())
	case drift.Unknown:
		text := "unknown, last seen " + when(f.LastSeen)
		if f.UnknownSince != nil {
			text = "unknown since " + when(*f.UnknownSince)
		}
		return text
	case drift.Resolved:
		return "resolved, lasted " + span(f.Age())
	}
	return string(f.Status)
}

// owner says who holds a field and since when at the latest: a manager's time is
// that of its last write of any field, so that this one is no newer. What isn't
// there has no owner.
func owner(op plan.Op, f drift.Field) string {
	switch {
	case op == plan.Create:
		return ""
	case f.Manager == "":
		return "owner unknown"
	case f.Written == nil:
		return "by " + f.Manager
	}
	return fmt.Sprintf("by %s, %s at the latest", f.Manager, when(*f.Written))
}

// unread says which layers of a cluster couldn't be read.
func unread(c drift.Cluster) string {
	if len(c.Unread) == 0 {
		return "nothing could be read"
	}
	names := make([]string, len(c.Unread))
	for i, layer := range c.Unread {
		names[i] = string(layer)
	}
	return strings.Join(names, ", ") + " couldn't be read"
}

// pause says who paused a cluster.
func pause(p drift.Pause) string {
	text := "paused by " + p.By
	if p.Since != nil {
		text += " since " + when(*p.Since)
	}
	if p.Reason != "" {
		text += ": " + p.Reason
	}
	return text
}

// commit is as much of a commit's hash as people read.
func commit(hash string) string {
	if len(hash) == 40 && strings.Trim(hash, "0123456789abcdef") == "" {
		return hash[:9]
	}
	return hash
}

var symbols = map[plan.Op]string{plan.Create: "+", plan.Update: "~", plan.Delete: "-", plan.Replace: "±", plan.Roll: "↻", drift.None: "!"}

// symbol is an operation's sign, as plans have it.
func symbol(op plan.Op) string {
	if s := symbols[op]; s != "" {
		return s
	}
	return "?"
}

// meaning says what an operation tells of a resource.
func meaning(op plan.Op) string {
	switch op {
	case plan.Create:
		return "missing"
	case plan.Update:
		return "differs"
	case plan.Delete:
		return "no longer in git"
	case plan.Replace:
		return "differs in what can't be changed"
	case plan.Roll:
		return "runs an older configuration"
	case drift.None:
		return "needs a look"
	}
	return string(op)
}

// counts writes a layer's counts: +1 ~2.
func counts(ops map[plan.Op]int) string {
	var parts []string
	for _, op := range drift.Ops {
		if n := ops[op]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s%d", symbol(op), n))
		}
	}
	return strings.Join(parts, " ")
}

// printable keeps what clusters say from steering a terminal or breaking a line.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' {
			return ' '
		}
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// shorten cuts a text that nobody would read to its end.
func shorten(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}

// by picks a cluster's findings.
func by(c drift.Cluster, keep func(drift.Finding) bool) []drift.Finding {
	var out []drift.Finding
	for _, f := range c.Findings {
		if keep(f) {
			out = append(out, f)
		}
	}
	return out
}

// attention orders findings as somebody would look at them: what is new first,
// then what has been there longest.
func attention(findings []drift.Finding) []drift.Finding {
	out := slices.Clone(findings)
	rank := map[drift.Status]int{drift.New: 0, drift.Open: 1, drift.Unknown: 2, drift.Resolved: 3}
	slices.SortStableFunc(out, func(a, b drift.Finding) int {
		if d := rank[a.Status] - rank[b.Status]; d != 0 {
			return d
		}
		return a.FirstSeen.Compare(b.FirstSeen)
	})
	return out
}

func current(f drift.Finding) bool  { return f.Current() }
func resolved(f drift.Finding) bool { return f.Status == drift.Resolved }
func ignored(f drift.Finding) bool  { return f.Ignored != nil && f.Status != drift.Resolved }

// excerpts cuts two long texts down to where they begin to differ.
func excerpts(a, b string, most int) (string, string) {
	x, y := []rune(a), []rune(b)
	if len(x) <= most && len(y) <= most {
		return a, b
	}
	same := 0
	for same < len(x) && same < len(y) && x[same] == y[same] {
		same++
	}
	start := max(0, same-most/3)
	cut := func(text []rune) string {
		begin := min(start, len(text))
		out := shorten(string(text[begin:]), most)
		if begin > 0 {
			out = "…" + out
		}
		return out
	}
	return cut(x), cut(y)
}
