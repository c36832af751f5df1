package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"platform/internal/plan"
	"platform/internal/savedplan"
	"platform/internal/ui"
)

type planOptions struct {
	cluster   string
	from      string
	output    outputFlag
	summary   bool
	unchanged bool
	out       string
	pruneData bool
	force     bool
}

func newPlanCommand(f *factory) *cobra.Command {
	o := planOptions{}
	cmd := &cobra.Command{
		Use:   "plan CLUSTER",
		Short: "Show what differs between git and a cluster",
		Long: `Show what differs between git and a cluster, in all three layers: what
"platform up" would create, change, roll and delete. Nothing is written.

Exit codes: 0 no changes, 1 error, 2 changes.`,
		Example: `  platform plan dev
  platform plan dev --summary
  platform plan dev --from HEAD
  platform plan dev --out dev.plan
  platform plan dev --output json | jq .summary`,
		Args:              f.clusterArg,
		ValidArgsFunction: f.completeClusters,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.cluster = args[0]
			return planRun(cmd.Context(), f, o)
		},
	}
	addOutputFlag(cmd, &o.output)
	addFromFlag(cmd, &o.from)
	cmd.Flags().BoolVar(&o.summary, "summary", false, "one line per layer and operation; what is destructive is still named")
	cmd.Flags().BoolVar(&o.unchanged, "show-unchanged", false, "also list what is as git says")
	cmd.Flags().StringVar(&o.out, "out", "", "save the plan to this `FILE`, for `platform up --plan`")
	addChoiceFlags(cmd, &o.pruneData, &o.force)
	return cmd
}

// addChoiceFlags adds the flags that change what a plan contains, which are
// the same for planning and applying.
func addChoiceFlags(cmd *cobra.Command, pruneData, force *bool) {
	cmd.Flags().BoolVar(pruneData, "prune-data", false, "also prune what holds data: PersistentVolumeClaims, Namespaces and CustomResourceDefinitions")
	cmd.Flags().BoolVar(force, "force-conflicts", false, "take over declared fields that another field manager owns")
}

func planRun(ctx context.Context, f *factory, o planOptions) error {
	if err := f.Environment(ctx); err != nil {
		return err
	}
	f.subject = o.cluster
	source, err := f.Source(ctx, o.from)
	if err != nil {
		return err
	}
	defer source.Close()
	progress := ui.NewProgress(f.Streams, f.verbose)
	defer progress.Close()
	t, err := f.Target(ctx, o.cluster, targetOptions{pruneData: o.pruneData, forceConflicts: o.force, report: progress.Report})
	if err != nil {
		return err
	}
	p, err := t.Plan(ctx)
	if err != nil {
		return err
	}
	progress.Close()
	if !o.unchanged {
		p.Unchanged = nil
	}
	if o.out != "" {
		if err := savePlan(t, source, o, p); err != nil {
			return err
		}
	}
	if o.output == outputJSON {
		if err := writeJSON(f.Streams.Out, p); err != nil {
			return err
		}
	} else {
		ui.Plan(f.Streams.Out, f.Streams.OutPaint(), p, ui.PlanOptions{Summary: o.summary, Verbose: f.verbose})
		if o.out != "" {
			fmt.Fprintf(f.Streams.Err, "\nTo apply exactly this: platform up --plan %s\n", o.out)
		}
	}
	if p.Empty() {
		return nil
	}
	return errFound
}

// savePlan keeps a plan for later.
func savePlan(t *target, source *source, o planOptions, p plan.Plan) error {
	rendered, err := savedplan.Digest(t.rendered)
	if err != nil {
		return err
	}
	p.Unchanged = nil
	return savedplan.Write(o.out, savedplan.Saved{
		Cluster: t.Name, Made: time.Now().UTC(), Tool: version, Commit: source.commit.Hash, From: source.from, Rendered: rendered,
		PruneData: o.pruneData, ForceConflicts: o.force, Plan: p,
	})
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
