package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"platform/internal/git"
	"platform/internal/plan"
	"platform/internal/record"
	"platform/internal/ui"
)

type historyOptions struct {
	cluster string
	limit   int
	output  outputFlag
}

func newHistoryCommand(f *factory) *cobra.Command {
	o := historyOptions{}
	cmd := &cobra.Command{
		Use:   "history CLUSTER",
		Short: "List who deployed which commit to a cluster when",
		Long: `List the deployments to a cluster, the newest first: who deployed which commit
when, how that ended, and how much it changed. The cluster keeps the last hundred
itself.

A commit with a star was deployed with changes that weren't committed.`,
		Example: `  platform history dev
  platform history dev --limit 5
  platform history dev --output json | jq '.deployments[] | select(.result == "failed")'`,
		Args:              f.clusterArg,
		ValidArgsFunction: f.completeClusters,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.cluster = args[0]
			return historyRun(cmd.Context(), f, o)
		},
	}
	cmd.Flags().IntVar(&o.limit, "limit", 20, "how many to list, at most")
	addOutputFlag(cmd, &o.output)
	return cmd
}

func historyRun(ctx context.Context, f *factory, o historyOptions) error {
	if o.limit < 1 {
		return fmt.Errorf("--limit: want a number from 1 on, got %d", o.limit)
	}
	store, c, err := f.openRecord(ctx, o.cluster)
	if err != nil {
		return err
	}
	state, err := store.Read(ctx)
	if err != nil {
		return err
	}
	list := state.Deployments[:min(o.limit, len(state.Deployments))]
	if o.output == outputJSON {
		return writeJSON(f.Streams.Out, struct {
			Cluster     string              `json:"cluster"`
			Paused      *record.Pause       `json:"paused"`
			Deployments []record.Deployment `json:"deployments"`
		}{o.cluster, state.Pause, append([]record.Deployment{}, list...)})
	}
	if len(list) == 0 {
		fmt.Fprintf(f.Streams.Out, "%s: no deployment is on record.\n", o.cluster)
	}
	printHistory(f.Streams.Out, f.Streams.OutPaint(), list, c.Repository)
	if state.Pause != nil {
		fmt.Fprintf(f.Streams.Out, "%s  %s\n", f.Streams.OutPaint().Yellow("paused"), state.Pause)
	}
	return nil
}

// printHistory prints a line per deployment, and one with the reason for those
// that failed.
func printHistory(w io.Writer, paint ui.Paint, list []record.Deployment, repository string) {
	cells := make([][5]string, len(list))
	var widths [5]int
	for i, d := range list {
		cells[i] = [5]string{record.Time(d.Started), string(d.Result), commitText(d), changesText(d), tookText(d)}
		if d.Started.IsZero() {
			cells[i][0] = d.ID
		}
		for column, text := range cells[i] {
			widths[column] = max(widths[column], len([]rune(text)))
		}
	}
	for i, d := range list {
		var line strings.Builder
		for column, text := range cells[i] {
			padding := strings.Repeat(" ", widths[column]-len([]rune(text))+2)
			if column == 1 {
				text = resultText(paint, d.Result)
			}
			line.WriteString(text + padding)
		}
		by := d.By.Name
		if d.By.Job != "" {
			by += " " + paint.Grey(d.By.Job)
		}
		if d.Repository != repository && d.Repository != "" {
			by += " from " + d.Repository
		}
		if d.WhilePaused {
			by += ", while paused"
		}
		fmt.Fprintln(w, strings.TrimRight(line.String()+by, " "))
		if d.Reason != "" {
			fmt.Fprintf(w, "%s%s\n", strings.Repeat(" ", widths[0]+2), d.Reason)
		}
	}
}

// commitText is a commit as the history writes it.
func commitText(d record.Deployment) string {
	if d.Commit == "" {
		return "no commit"
	}
	text := git.Short(d.Commit)
	if d.Dirty {
		text += "*"
	}
	switch {
	case d.From != "" && !strings.HasPrefix(d.Commit, d.From):
		text += " (" + d.From + ")"
	case d.Branch != "":
		text += " (" + d.Branch + ")"
	}
	return text
}

func changesText(d record.Deployment) string {
	var parts []string
	for _, op := range plan.Ops {
		if n := d.Changes[op]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, pastTense[op]))
		}
	}
	if len(parts) == 0 && !d.Ended.IsZero() {
		return "no changes"
	}
	return strings.Join(parts, ", ")
}

func tookText(d record.Deployment) string {
	if d.Seconds == 0 {
		return ""
	}
	return time.Duration(d.Seconds * float64(time.Second)).Round(time.Second).String()
}

func resultText(paint ui.Paint, result record.Result) string {
	switch result {
	case record.Succeeded:
		return paint.Green(string(result))
	case record.InProgress:
		return paint.Yellow(string(result))
	}
	return paint.Red(string(result))
}
