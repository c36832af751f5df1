package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"platform/internal/config"
	"platform/internal/git"
	"platform/internal/record"
)

type pauseOptions struct {
	cluster string
	reason  string
}

func newPauseCommand(f *factory) *cobra.Command {
	o := pauseOptions{}
	cmd := &cobra.Command{
		Use:   "pause CLUSTER",
		Short: "Freeze deployments to a cluster",
		Long: `Freeze deployments to a cluster: until "platform resume", "platform up" and
"platform apply" refuse to change it and say who paused it and why. What runs
goes on running, and so does a deployment that is under way.

The pause is kept in the cluster. Pausing again changes nothing.`,
		Example: `  platform pause dev
  platform pause dev --reason INC-42`,
		Args:              f.clusterArg,
		ValidArgsFunction: f.completeClusters,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.cluster = args[0]
			return pauseRun(cmd.Context(), f, o)
		},
	}
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for those who would like to deploy")
	return cmd
}

func newResumeCommand(f *factory) *cobra.Command {
	var cluster string
	return &cobra.Command{
		Use:   "resume CLUSTER",
		Short: "Release deployments to a paused cluster",
		Long: `Release deployments to a cluster that "platform pause" has frozen. Nothing is
deployed by that.`,
		Example:           `  platform resume dev`,
		Args:              f.clusterArg,
		ValidArgsFunction: f.completeClusters,
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster = args[0]
			return resumeRun(cmd.Context(), f, cluster)
		},
	}
}

// openRecord gives the way to a cluster's records, and to nothing else of it.
func (f *factory) openRecord(ctx context.Context, cluster string) (*record.Store, *config.Config, error) {
	f.subject = cluster
	if err := f.Environment(ctx); err != nil {
		return nil, nil, err
	}
	c, err := f.Config()
	if err != nil {
		return nil, nil, err
	}
	if _, err := c.Cluster(cluster); err != nil {
		return nil, nil, err
	}
	way, err := newWay(ctx, c, cluster)
	if err != nil {
		return nil, nil, err
	}
	if _, err := way.connect(ctx); err != nil {
		return nil, nil, err
	}
	return way.records, c, nil
}

func pauseRun(ctx context.Context, f *factory, o pauseOptions) error {
	store, c, err := f.openRecord(ctx, o.cluster)
	if err != nil {
		return err
	}
	by := record.Whoami(os.Getenv, git.User(ctx, c.Root))
	already, err := store.Pause(ctx, record.Pause{By: by.String(), Since: time.Now(), Reason: o.reason})
	if err != nil {
		return err
	}
	if already != nil {
		fmt.Fprintf(f.Streams.Out, "%s: deployments are paused already, %s\n", o.cluster, already)
		return nil
	}
	fmt.Fprintf(f.Streams.Out, "%s: deployments are paused; `platform resume %s` releases them\n", o.cluster, o.cluster)
	state, err := store.Read(ctx)
	if err != nil {
		return err
	}
	if d := newest(state); d != nil && d.Result == record.InProgress {
		fmt.Fprintf(f.Streams.Err, "%s: the deployment by %s since %s goes on\n", o.cluster, d.By, record.Time(d.Started))
	}
	return nil
}

func resumeRun(ctx context.Context, f *factory, cluster string) error {
	store, _, err := f.openRecord(ctx, cluster)
	if err != nil {
		return err
	}
	was, err := store.Resume(ctx)
	if err != nil {
		return err
	}
	if was == nil {
		fmt.Fprintf(f.Streams.Out, "%s: deployments aren't paused\n", cluster)
		return nil
	}
	fmt.Fprintf(f.Streams.Out, "%s: deployments are released; they were paused %s\n", cluster, was)
	return nil
}
