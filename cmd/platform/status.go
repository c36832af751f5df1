package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"platform/internal/addons"
	"platform/internal/plan"
	"platform/internal/reconcile"
	"platform/internal/record"
	"platform/internal/ui"
)

type statusOptions struct {
	cluster string
	output  outputFlag
}

func newStatusCommand(f *factory) *cobra.Command {
	o := statusOptions{}
	cmd := &cobra.Command{
		Use:   "status CLUSTER",
		Short: "Show how a cluster is doing",
		Long: `Show how a cluster is doing: its machines as kops validates them, its load
balancer and DNS name, and each addon stack, with the reason for whatever isn't
ready; what was deployed last, and whether deployments are paused. Nothing is
compared with git but the names of what there should be.

Exit codes: 0 everything is ready, 1 something isn't.`,
		Example: `  platform status dev
  platform status dev --output json | jq '.health[] | select(.state != "ready")'`,
		Args:              f.clusterArg,
		ValidArgsFunction: f.completeClusters,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.cluster = args[0]
			return statusRun(cmd.Context(), f, o)
		},
	}
	addOutputFlag(cmd, &o.output)
	return cmd
}

func statusRun(ctx context.Context, f *factory, o statusOptions) error {
	if err := f.Environment(ctx); err != nil {
		return err
	}
	progress := ui.NewProgress(f.Streams, f.verbose)
	defer progress.Close()
	t, err := f.Target(ctx, o.cluster, targetOptions{report: progress.Report})
	if err != nil {
		return err
	}
	health, err := t.Verify(ctx)
	if len(health) == 0 && err != nil {
		return err
	}
	state, recordErr := t.record(ctx)
	if err == nil {
		err = recordErr
	}
	progress.Close()
	if o.output == outputJSON {
		if jsonErr := writeJSON(f.Streams.Out, struct {
			Cluster string        `json:"cluster"`
			Ready   bool          `json:"ready"`
			Paused  *record.Pause `json:"paused"`
			// Deployed is the newest deployment, however it went.
			Deployed *record.Deployment `json:"deployed"`
			Stacks   []ui.Stack         `json:"stacks"`
			Health   []plan.Health      `json:"health"`
		}{o.cluster, err == nil && len(reconcile.NotReady(health)) == 0, state.Pause, newest(state), ui.Stacks(health), health}); jsonErr != nil {
			return jsonErr
		}
	} else {
		ui.Health(f.Streams.Out, f.Streams.OutPaint(), health)
		printRecord(f.Streams.Out, f.Streams.OutPaint(), state)
	}
	if err != nil {
		return err
	}
	if waiting := reconcile.NotReady(health); len(waiting) > 0 {
		fmt.Fprintf(f.Streams.Err, "%s: %d of %d resources aren't ready\n", o.cluster, len(waiting), len(health))
		return errReported
	}
	return nil
}

// record reads what the cluster has on record; nothing while there is none.
func (t *target) record(ctx context.Context) (record.State, error) {
	config, err := t.connect(ctx, false)
	if errors.Is(err, addons.ErrNoCluster) {
		return record.State{}, nil
	}
	if err != nil {
		return record.State{}, err
	}
	store, err := record.Open(config)
	if err != nil {
		return record.State{}, err
	}
	return store.Read(ctx)
}

func newest(state record.State) *record.Deployment {
	if len(state.Deployments) == 0 {
		return nil
	}
	return &state.Deployments[0]
}

// printRecord prints a line for the newest deployment, and one for a pause.
func printRecord(w io.Writer, paint ui.Paint, state record.State) {
	if d := newest(state); d != nil {
		fmt.Fprintf(w, "\ndeployed  %s %s by %s, %s\n", commitText(*d), record.Time(d.Started), d.By.Name, resultText(paint, d.Result))
	}
	if state.Pause != nil {
		fmt.Fprintf(w, "%s  %s\n", paint.Yellow("paused"), state.Pause)
	}
}
