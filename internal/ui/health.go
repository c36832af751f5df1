package ui

import (
	"fmt"
	"io"
	"text/tabwriter"

	"platform/internal/plan"
)

// Stack sums up the health of what people think of as one thing.
type Stack struct {
	Layer plan.Layer `json:"layer"`
	Name  string     `json:"stack"`
	Ready int        `json:"ready"`
	Total int        `json:"total"`
	// State is the worst of the resources' states.
	State plan.State `json:"state"`
}

var severity = map[plan.State]int{plan.Ready: 0, plan.Progressing: 1, plan.Missing: 2, plan.Failed: 3}

// Stacks sums up health by layer and stack, in the order of appearance.
func Stacks(health []plan.Health) []Stack {
	var out []Stack
	index := map[string]int{}
	for _, h := range health {
		key := string(h.Layer) + "/" + h.Stack
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, Stack{Layer: h.Layer, Name: h.Stack, State: plan.Ready})
		}
		s := &out[i]
		s.Total++
		if h.State == plan.Ready {
			s.Ready++
		}
		if severity[h.State] > severity[s.State] {
			s.State = h.State
		}
	}
	return out
}

// Health prints a line per stack and one for each resource that isn't ready, or
// is but has something to say, such as a paused rollout.
func Health(w io.Writer, paint Paint, health []plan.Health) {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, s := range Stacks(health) {
		fmt.Fprintf(table, "  %s\t%s\t%d/%d ready\t%s\n", s.Layer, s.Name, s.Ready, s.Total, stateText(paint, s.State))
	}
	table.Flush()
	for _, h := range health {
		if h.State != plan.Ready || h.Reason != "" {
			fmt.Fprintf(w, "  %s %s: %s: %s\n", stateText(paint, h.State), h.Layer, h.Resource, h.Reason)
		}
	}
}

func stateText(paint Paint, s plan.State) string {
	switch s {
	case plan.Ready:
		return paint.Green(string(s))
	case plan.Progressing:
		return paint.Yellow(string(s))
	}
	return paint.Red(string(s))
}
