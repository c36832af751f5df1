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

// withSandbox runs something with the options of this repository's sandbox and
// shows what it waits for. The status line is gone by the time run prints.
func withSandbox(f *factory, run func(ctx context.Context, o sandbox.Options) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		root, err := config.FindRoot(f.dir)
		if err != nil {
			return err
		}
		progress := ui.NewProgress(f.Streams, f.verbose)
		defer progress.Close()
		return run(cmd.Context(), sandbox.Options{Root: root, Progress: sandboxProgress(progress)})
	}
}

// sandboxProgress shows what the sandbox says on the status line.
func sandboxProgress(progress *ui.Progress) func(string) {
	return func(text string) {
		progress.Report(plan.Event{Layer: "sandbox", Action: text, Transient: true})
	}
}

func newSandboxUpCommand(f *factory) *cobra.Command {
	return &cobra.Command{
		Use:     "up",
		Short:   "Start what of the sandbox isn't running",
		Example: "  platform sandbox up",
		Args:    cobra.NoArgs,
		RunE: withSandbox(f, func(ctx context.Context, o sandbox.Options) error {
			if _, err := sandbox.Up(ctx, o); err != nil {
				return err
			}
			return printSandboxStatus(ctx, f, o, outputText)
		}),
	}
}

func newSandboxStatusCommand(f *factory) *cobra.Command {
	var output outputFlag
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Show the sandbox's processes and clusters",
		Example: "  platform sandbox status --output json",
		Args:    cobra.NoArgs,
		RunE: withSandbox(f, func(ctx context.Context, o sandbox.Options) error {
			return printSandboxStatus(ctx, f, o, output)
		}),
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
		RunE: withSandbox(f, func(ctx context.Context, o sandbox.Options) error {
			s, err := sandbox.Up(ctx, o)
			if err != nil {
				return err
			}
			env := s.Env()
			for _, key := range slices.Sorted(maps.Keys(env)) {
				if env[key] == "" {
					fmt.Fprintf(f.Streams.Out, "unset %s\n", key)
					continue
				}
				fmt.Fprintf(f.Streams.Out, "export %s=%q\n", key, env[key])
			}
			return nil
		}),
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
		RunE: withSandbox(f, func(ctx context.Context, o sandbox.Options) error {
			return sandbox.Down(ctx, o, purge)
		}),
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
