package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"platform/internal/config"
	"platform/internal/plan"
	"platform/internal/sandbox"
	"platform/internal/ui"
)

func newSandboxCommand(f *factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Start, show and stop the sandbox on this machine",
		Long: `The sandbox is AWS and Kubernetes on this machine: an emulated AWS, real
Kubernetes control planes and simulated nodes, all on 127.0.0.1. Any command
works on it when given --sandbox, and starts what of it isn't running.`,
		Example: `  platform sandbox up
  platform sandbox status
  eval "$(platform sandbox env)"
  platform sandbox down --purge`,
	}
	cmd.AddCommand(newSandboxUpCommand(f), newSandboxStatusCommand(f), newSandboxEnvCommand(f), newSandboxDownCommand(f))
	return cmd
}

func sandboxOptions(f *factory, progress *ui.Progress) (sandbox.Options, error) {
	root, err := config.FindRoot(f.dir)
	return sandbox.Options{Root: root, Progress: func(text string) {
		progress.Report(plan.Event{Layer: "sandbox", Action: text, Transient: true})
	}}, err
}

func newSandboxUpCommand(f *factory) *cobra.Command {
	return &cobra.Command{
		Use:     "up",
		Short:   "Start what of the sandbox isn't running",
		Example: "  platform sandbox up",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			progress := ui.NewProgress(f.Streams, f.verbose)
			defer progress.Close()
			o, err := sandboxOptions(f, progress)
			if err != nil {
				return err
			}
			if _, err := sandbox.Up(cmd.Context(), o); err != nil {
				return err
			}
			progress.Close()
			return printSandboxStatus(cmd.Context(), f, o, outputText)
		},
	}
}

func newSandboxStatusCommand(f *factory) *cobra.Command {
	var output outputFlag
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Show the sandbox's processes and clusters",
		Example: "  platform sandbox status --output json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			progress := ui.NewProgress(f.Streams, f.verbose)
			defer progress.Close()
			o, err := sandboxOptions(f, progress)
			if err != nil {
				return err
			}
			return printSandboxStatus(cmd.Context(), f, o, output)
		},
	}
	addOutputFlag(cmd, &output)
	return cmd
}

func newSandboxEnvCommand(f *factory) *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print the environment that points other tools at the sandbox",
		Long: `Print the environment that points the AWS CLI and SDKs, kops and kubectl at the
sandbox, as shell commands. The credentials in it open nothing.`,
		Example: `  eval "$(platform sandbox env)"`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			progress := ui.NewProgress(f.Streams, f.verbose)
			defer progress.Close()
			o, err := sandboxOptions(f, progress)
			if err != nil {
				return err
			}
			s, err := sandbox.Up(cmd.Context(), o)
			if err != nil {
				return err
			}
			progress.Close()
			env := s.Env()
			for _, key := range slices.Sorted(maps.Keys(env)) {
				if env[key] == "" {
					fmt.Fprintf(f.Streams.Out, "unset %s\n", key)
					continue
				}
				fmt.Fprintf(f.Streams.Out, "export %s=%q\n", key, env[key])
			}
			return nil
		},
	}
}

func newSandboxDownCommand(f *factory) *cobra.Command {
	var purge bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop the sandbox; its state stays unless purged",
		Example: `  platform sandbox down
  platform sandbox down --purge`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			root, err := config.FindRoot(f.dir)
			if err != nil {
				return err
			}
			return sandbox.Down(cmd.Context(), sandbox.Options{Root: root}, purge)
		},
	}
	cmd.Flags().BoolVar(&purge, "purge", false, "also delete the sandbox's state: its AWS, its clusters, its kubeconfig")
	return cmd
}

func printSandboxStatus(ctx context.Context, f *factory, o sandbox.Options, output outputFlag) error {
	status, err := sandbox.GetStatus(ctx, o)
	if err != nil {
		return err
	}
	if output == outputJSON {
		return writeJSON(f.Streams.Out, status)
	}
	table := tabwriter.NewWriter(f.Streams.Out, 0, 4, 2, ' ', 0)
	defer table.Flush()
	fmt.Fprintf(table, "%v\n", status)
	return nil
}
