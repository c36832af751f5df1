package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"platform/internal/kops"
	"platform/internal/ui"
)

// Exit codes, which scripts rely on.
const (
	exitOK = 0
	// exitError: something went wrong.
	exitError = 1
	// exitFound: plan, drift or check found changes, drift or findings.
	exitFound = 2
)

// errFound ends a command with exitFound and says nothing more.
var errFound = errors.New("found differences")

// errReported ends a command with exitError after it has said why itself.
var errReported = errors.New("reported")

// run executes the command line and gives the exit code.
func run(ctx context.Context, args []string) int {
	f := newFactory(ui.System())
	root := newRootCommand(f)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFound):
		return exitFound
	case errors.Is(err, errReported):
		return exitError
	}
	paint := f.Streams.ErrPaint()
	name := strings.TrimPrefix(cmd.CommandPath(), root.Name()+" ")
	if subject := f.subject; subject != "" {
		name += " " + subject
	}
	if ctx.Err() != nil {
		fmt.Fprintf(f.Streams.Err, "%s %s: interrupted; run it again to finish\n", paint.Yellow("stopped:"), name)
		return exitError
	}
	fmt.Fprintf(f.Streams.Err, "%s %s: %v\n", paint.Red("error:"), name, err)
	if hint := remedy(err); hint != "" {
		fmt.Fprintf(f.Streams.Err, "       %s\n", hint)
	}
	return exitError
}

// remedy is what to do about an error. Libraries say what is wrong; what to do
// next is for the command to know.
func remedy(err error) string {
	var advised *advisedError
	if errors.As(err, &advised) {
		return advised.advice
	}
	var kopsErr *kops.Error
	if errors.As(err, &kopsErr) {
		switch kopsErr.Kind {
		case kops.KindCredentials:
			return "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and try `aws sts get-caller-identity`; --sandbox needs none"
		case kops.KindStateStore:
			return "the state store is named in clusters/org.libsonnet; docs/aws.md says how to make one"
		case kops.KindNotValidated:
			return "look at the nodes and pods with kubectl; running the command again goes on waiting"
		}
	}
	return ""
}

func newRootCommand(f *factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "platform",
		Short: "Kubernetes clusters on AWS that look like what git says",
		Long: `platform makes each of an organisation's Kubernetes clusters look like what git
says: the kops cluster itself, the load balancer and DNS name of its ingress on
AWS, and the addon stacks on top.

Everything is declared in jsonnet under clusters/, addons/ and lib/. Changes go
from git to render to plan to apply to verify.`,
		Example: `  # what differs between git and the dev cluster
  platform plan dev

  # make it so
  platform up dev

  # the same on this machine alone: no AWS account, no containers
  platform up dev --sandbox`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.SetOut(f.Streams.Out)
	cmd.SetErr(f.Streams.Err)
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.dir, "dir", ".", "folder of the platform's repository, or one below it")
	flags.BoolVar(&f.sandbox, "sandbox", f.sandbox, "work on this machine's sandbox instead of AWS (also PLATFORM_SANDBOX=1)")
	flags.BoolVar(&f.Streams.NoColor, "no-color", f.Streams.NoColor, "no colour (also NO_COLOR)")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show every resource that is touched and every field that is set")
	flags.String("api-proxy", "", "URL of a proxy to reach the clusters' APIs through (also PLATFORM_API_PROXY)")
	flags.String("kubeconfig", "", "kubeconfig file to write contexts to (default: the first of KUBECONFIG, else ~/.kube/config)")
	flags.Duration("timeout", 0, "how long objects may take to become ready (default 5m)")
	f.flags = flags
	cmd.AddCommand(
		newUpCommand(f),
		newPlanCommand(f),
		newStatusCommand(f),
		newPauseCommand(f),
		newResumeCommand(f),
		newHistoryCommand(f),
		newApplyCommand(f),
		newCheckCommand(f),
		newDriftCommand(f),
		newDownCommand(f),
		newRenderCommand(f),
		newInitCommand(f),
		newSandboxCommand(f),
		newVersionCommand(f),
		newKopsWorkerCommand(f),
	)
	return cmd
}
