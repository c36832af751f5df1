package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"platform/internal/plan"
	"platform/internal/reconcile"
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
ready. Nothing is compared with git but the names of what there should be.

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
	progress.Close()
	if len(health) == 0 && err != nil {
		return err
	}
	if o.output == outputJSON {
		if jsonErr := writeJSON(f.Streams.Out, struct {
			Cluster string        `json:"cluster"`
			Ready   bool          `json:"ready"`
			Stacks  []ui.Stack    `json:"stacks"`
			Health  []plan.Health `json:"health"`
		}{o.cluster, err == nil && len(reconcile.NotReady(health)) == 0, ui.Stacks(health), health}); jsonErr != nil {
			return jsonErr
		}
	} else {
		ui.Health(f.Streams.Out, f.Streams.OutPaint(), health)
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
