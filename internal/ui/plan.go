package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"platform/internal/plan"
)

// PlanOptions choose how much of a plan is shown.
type PlanOptions struct {
	// Summary shows one line per layer and operation, but names what is
	// destructive.
	Summary bool
	// Compact shows what is created in one line per layer, all else in full.
	Compact bool
	// Verbose also shows the fields of what is created.
	Verbose bool
}

var symbols = map[plan.Op]string{plan.Create: "+", plan.Update: "~", plan.Delete: "-", plan.Replace: "±", plan.Roll: "↻"}

var participles = map[plan.Op]string{plan.Create: "to create", plan.Update: "to update", plan.Delete: "to delete", plan.Replace: "to replace", plan.Roll: "to roll"}

// Plan prints a plan for people.
func Plan(w io.Writer, paint Paint, p plan.Plan, o PlanOptions) {
	if len(p.Unchanged) > 0 {
		fmt.Fprintf(w, "%s\n", paint.Bold("as git says"))
		for _, resource := range p.Unchanged {
			fmt.Fprintf(w, "  %s\n", paint.Grey("= "+resource))
		}
		fmt.Fprintln(w)
	}
	if p.Empty() {
		fmt.Fprintf(w, "%s: no changes. Reality is what git says.\n", p.Cluster)
		return
	}
	for _, layer := range []plan.Layer{plan.Kops, plan.AWS, plan.Addons} {
		changes := p.ByLayer(layer)
		if len(changes) == 0 {
			continue
		}
		fmt.Fprintf(w, "%s\n", paint.Bold(string(layer)))
		if o.Summary {
			summarize(w, paint, changes)
			continue
		}
		if o.Compact {
			summarizeOp(w, paint, changes, plan.Create)
		}
		for _, c := range changes {
			if !o.Compact || c.Op != plan.Create {
				printChange(w, paint, c, o.Verbose)
			}
		}
	}
	fmt.Fprintf(w, "\n%s: %s\n", p.Cluster, SummaryLine(p))
}

// SummaryLine says how much of each there is: 3 to create, 1 to delete.
func SummaryLine(p plan.Plan) string {
	counts := p.Summary()
	var parts []string
	for _, op := range plan.Ops {
		if n := counts[op]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, participles[op]))
		}
	}
	if len(parts) == 0 {
		return "no changes"
	}
	return strings.Join(parts, ", ")
}

func summarize(w io.Writer, paint Paint, changes []plan.Change) {
	for _, op := range plan.Ops {
		if !op.Destructive() {
			summarizeOp(w, paint, changes, op)
			continue
		}
		for _, c := range changes {
			if c.Op == op {
				printChange(w, paint, c, false)
			}
		}
	}
}

// summarizeOp counts the changes of one operation by the kind of resource.
func summarizeOp(w io.Writer, paint Paint, changes []plan.Change, op plan.Op) {
	var resources []string
	for _, c := range changes {
		if c.Op == op {
			resources = append(resources, c.Resource)
		}
	}
	if len(resources) > 0 {
		fmt.Fprintf(w, "  %s %s\n", colour(paint, op, symbols[op]), Kinds(resources))
	}
}

// Kinds counts resources by their kind: Deployment ×3, Role.
func Kinds(resources []string) string {
	counted, order := map[string]int{}, []string{}
	for _, resource := range resources {
		kind := Kind(resource)
		if counted[kind] == 0 {
			order = append(order, kind)
		}
		counted[kind]++
	}
	for i, kind := range order {
		if n := counted[kind]; n > 1 {
			order[i] = fmt.Sprintf("%s ×%d", kind, n)
		}
	}
	return strings.Join(order, ", ")
}

// Kind is the first word of a resource's name.
func Kind(resource string) string {
	if i := strings.IndexAny(resource, " /:"); i > 0 {
		return resource[:i]
	}
	return resource
}

func printChange(w io.Writer, paint Paint, c plan.Change, verbose bool) {
	fmt.Fprintf(w, "  %s %s", colour(paint, c.Op, symbols[c.Op]), c.Resource)
	if c.Reason != "" {
		fmt.Fprintf(w, "  %s", paint.Grey("("+c.Reason+")"))
	}
	fmt.Fprintln(w)
	if c.Op == plan.Create && !verbose {
		return
	}
	for _, f := range c.Diff {
		printField(w, paint, f)
	}
}

func printField(w io.Writer, paint Paint, f plan.Field) {
	from, to := Value(f.From), Value(f.To)
	if strings.Contains(from, "\n") || strings.Contains(to, "\n") {
		fmt.Fprintf(w, "      %s:\n", f.Path)
		printLines(w, paint, f.From, f.To)
		return
	}
	switch {
	case f.From == nil:
		fmt.Fprintf(w, "      %s %s: %s\n", paint.Green("+"), f.Path, to)
	case f.To == nil:
		fmt.Fprintf(w, "      %s %s: %s\n", paint.Red("-"), f.Path, from)
	default:
		fmt.Fprintf(w, "      %s %s: %s %s %s\n", paint.Yellow("~"), f.Path, from, paint.Grey("→"), to)
	}
}

func printLines(w io.Writer, paint Paint, from, to any) {
	for _, line := range lineDiff(lines(from), lines(to)) {
		switch line.kind {
		case '-':
			fmt.Fprintf(w, "        %s\n", paint.Red("- "+line.text))
		case '+':
			fmt.Fprintf(w, "        %s\n", paint.Green("+ "+line.text))
		default:
			fmt.Fprintf(w, "        %s\n", paint.Grey("  "+line.text))
		}
	}
}

func lines(v any) []string {
	if v == nil {
		return nil
	}
	return strings.Split(strings.TrimSuffix(Value(v), "\n"), "\n")
}

// Value writes a field's value: text as it is, everything else as JSON.
func Value(v any) string {
	switch v := v.(type) {
	case nil:
		return "(none)"
	case string:
		return v
	case fmt.Stringer:
		return v.String()
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

func colour(paint Paint, op plan.Op, text string) string {
	switch op {
	case plan.Create:
		return paint.Green(text)
	case plan.Delete, plan.Replace:
		return paint.Red(text)
	}
	return paint.Yellow(text)
}
