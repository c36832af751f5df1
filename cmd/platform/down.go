package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"platform/internal/kops"
	"platform/internal/ui"
)

type downOptions struct {
	cluster        string
	yes            bool
	forceProtected string
}

func newDownCommand(f *factory) *cobra.Command {
	o := downOptions{}
	cmd := &cobra.Command{
		Use:   "down CLUSTER",
		Short: "Delete a cluster and everything that belongs to it",
		Long: `Delete a cluster: its DNS record, its load balancer, its machines and network,
and its state, keys and etcd backups included. Lists what will go, then asks.

A cluster that is declared protected is refused unless --force-protected names
it. Git isn't touched: "platform up" makes a new cluster of the same shape.`,
		Example: `  platform down dev
  platform down dev --sandbox --yes
  platform down int --force-protected int`,
		Args:              f.clusterArg,
		ValidArgsFunction: f.completeClusters,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.cluster = args[0]
			return downRun(cmd.Context(), f, o)
		},
	}
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "don't ask")
	cmd.Flags().StringVar(&o.forceProtected, "force-protected", "", "delete the protected cluster of this name")
	return cmd
}

func downRun(ctx context.Context, f *factory, o downOptions) error {
	if !o.yes && !f.Streams.InTerminal {
		return errors.New("there is no terminal to ask on; give --yes to go ahead without asking")
	}
	if err := f.Environment(ctx); err != nil {
		return err
	}
	progress := ui.NewProgress(f.Streams, f.verbose)
	defer progress.Close()
	t, err := f.Target(ctx, o.cluster, targetOptions{report: progress.Report})
	if err != nil {
		return err
	}
	if t.declaration.Protected && o.forceProtected != o.cluster {
		return fmt.Errorf("the cluster is protected (clusters/%s/cluster.jsonnet); if you mean it, give --force-protected %s", o.cluster, o.cluster)
	}
	progress.Step("%s: cluster %s, account %s, region %s", o.cluster, t.declaration.Kops.Name(), t.account.Account, t.declaration.AWS.Region)
	p, err := t.PlanDelete(ctx)
	if err != nil {
		return err
	}
	progress.Clear()
	if p.Empty() {
		fmt.Fprintf(f.Streams.Out, "%s: nothing to delete.\n", o.cluster)
		return nil
	}
	ui.Plan(f.Streams.Err, f.Streams.ErrPaint(), p, ui.PlanOptions{})
	if err := confirm(ctx, f, o.yes, fmt.Sprintf("Delete all of this? There is no way back for what the cluster stored (%s).", t.declaration.Kops.Name())); err != nil {
		return err
	}
	steps, err := t.Delete(ctx)
	progress.Close()
	if err != nil {
		printSteps(f.Streams.Err, steps)
		return err
	}
	c, err := f.Config()
	if err != nil {
		return err
	}
	if err := kops.RemoveKubeconfig(c.KubeconfigPath(), t.declaration.Kops.Name()); err != nil {
		return err
	}
	deleted := 0
	for _, step := range steps {
		deleted += len(step.Changes)
	}
	fmt.Fprintf(f.Streams.Out, "%s: deleted, %d resources.\n", o.cluster, deleted)
	return nil
}
