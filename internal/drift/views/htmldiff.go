package views

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"platform/internal/drift"
	"platform/internal/plan"
	"platform/internal/ui"
)

// finding is one as the page has it.
type finding struct {
	ID, Symbol, Op, Resource, Layer string
	Status                          drift.Status
	Says                            string
	// Short ones have a line alone, and are either like one further up, in the
	// cluster SameIn, or left out.
	Short          bool
	SameIn, SameID string
	Open           bool
	About          []fact
	Fields         []field
	More           string
}

type field struct {
	Path, Owner string
	New         bool
	Lines       []line
}

type line struct{ Kind, Text string }

// diffs shares out the room that differences have. What drifts in one cluster
// of a fleet often drifts in all of them, as after a change that wasn't rolled
// out: where there are many, such a difference is shown once.
type diffs struct {
	perCluster int
	openNew    bool
	once       bool

	cluster string
	left    int
	shown   map[string]shown
}

type shown struct{ cluster, id string }

func newDiffs(findings, clusters int) *diffs {
	return &diffs{
		perCluster: max(leastDiffs, pageDiffs/max(1, clusters)),
		openNew:    findings <= openAtOnce, once: findings > pageShared,
		shown: map[string]shown{},
	}
}

func (d *diffs) begin(cluster string) { d.cluster, d.left = cluster, d.perCluster }

func (d *diffs) finding(f drift.Finding) finding {
	v := finding{
		ID: f.ID, Symbol: symbol(f.Op), Op: string(f.Op), Resource: f.Resource, Layer: string(f.Layer),
		Status: f.Status, Says: status(f),
	}
	fresh := f.NewFields()
	if fresh > 0 {
		v.Says += ", " + count(fresh, "field") + " new"
	}
	if first, same := d.shown[key(f)]; same && d.once {
		v.Short, v.SameIn, v.SameID = true, first.cluster, first.id
		return v
	}
	if d.left == 0 {
		v.Short = true
		return v
	}
	if f.Reason != "" || len(f.Diff) == 0 || f.Op != plan.Update {
		v.About = append(v.About, fact{Label: "State", Text: cmp.Or(f.Reason, meaning(f.Op))})
	}
	if f.Source != "" {
		v.About = append(v.About, fact{Label: "Declared in", Text: f.Source, Code: true})
	}
	if f.Status != drift.New {
		v.About = append(v.About, fact{Label: "First seen", Text: when(f.FirstSeen)})
	}
	if f.Status == drift.Unknown {
		v.About = append(v.About, fact{Label: "Last seen", Text: when(f.LastSeen)})
	}
	d.left--
	if len(f.Diff) > 0 {
		d.shown[key(f)] = shown{d.cluster, f.ID}
	}
	v.Open = d.openNew && f.Status == drift.New
	for i, one := range f.Diff {
		if i == pageFields {
			v.More = count(len(f.Diff)-i, "more field")
			break
		}
		v.Fields = append(v.Fields, field{
			Path: cmp.Or(one.Path, "(all)"), Owner: owner(f.Op, one), Lines: lines(one),
			New: fresh > 0 && one.Since.Equal(f.LastSeen),
		})
	}
	return v
}

// key is what two findings have in common whose difference is the same.
func key(f drift.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s\n%s\n", f.Layer, f.Op, f.Resource, f.Reason)
	for _, one := range f.Diff {
		text, _ := json.Marshal([]any{one.Path, one.From, one.To}) // from JSON, or as good as
		b.Write(text)
	}
	return b.String()
}

// lines writes a field's difference: what the cluster has, then what git has.
func lines(f drift.Field) []line {
	from, to := ui.Value(f.From), ui.Value(f.To)
	var out []line
	if strings.Contains(from, "\n") || strings.Contains(to, "\n") {
		diff := ui.LineDiff(f.From, f.To)
		for i, one := range diff {
			if i == pageLines {
				return append(out, line{" ", "… " + count(len(diff)-i, "more line")})
			}
			out = append(out, line{string(one.Kind), shorten(one.Text, pageValue)})
		}
		return out
	}
	from, to = excerpts(from, to, pageValue)
	if f.From != nil || f.To == nil {
		out = append(out, line{"-", from})
	}
	if f.To != nil || f.From == nil {
		out = append(out, line{"+", to})
	}
	return out
}
