package main

import (
	"os"

	"github.com/spf13/cobra"

	"platform/internal/kops/worker"
)

// kopsWorkerCommand is the hidden command by which the tool starts itself to
// work with kops in a process of its own.
const kopsWorkerCommand = "kops-worker"

func newKopsWorkerCommand(f *factory) *cobra.Command {
	return &cobra.Command{
		Use:    kopsWorkerCommand,
		Short:  "Do one piece of work with kops; started by the tool itself",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return worker.Serve(cmd.Context(), f.Streams.In, os.Stdout)
		},
	}
}
