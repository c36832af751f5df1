package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"platform/internal/config"
	"platform/internal/sandbox"
	"platform/internal/ui"
)

// factory gives commands what they share, made when it is first asked for.
type factory struct {
	Streams ui.Streams

	dir     string
	sandbox bool
	verbose bool
	flags   *pflag.FlagSet

	// subject is what the command works on, for errors to name it.
	subject string

	config *config.Config
}

func newFactory(streams ui.Streams) *factory {
	f := &factory{Streams: streams}
	f.sandbox, _ = strconv.ParseBool(os.Getenv("PLATFORM_SANDBOX"))
	return f
}

// Config reads the configuration.
func (f *factory) Config() (*config.Config, error) {
	if f.config != nil {
		return f.config, nil
	}
	c, err := config.Load(f.dir, f.changedFlags())
	if err != nil {
		return nil, err
	}
	f.config = c
	return c, nil
}

// changedFlags are the flags that were given; one that wasn't must not hide
// the environment or the file behind its default.
func (f *factory) changedFlags() *pflag.FlagSet {
	given := pflag.NewFlagSet("given", pflag.ContinueOnError)
	// Not Visit: a flag that was given behind a subcommand is set in the
	// subcommand's own set.
	f.flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Changed {
			given.AddFlag(flag)
		}
	})
	return given
}

// Environment prepares the process for talking to AWS and Kubernetes. With
// --sandbox it starts what isn't running of the sandbox and points the process
// at it, by the environment alone; nothing else knows the difference.
func (f *factory) Environment(ctx context.Context) error {
	if !f.sandbox {
		return nil
	}
	root, err := config.FindRoot(f.dir)
	if err != nil {
		return err
	}
	progress := ui.NewProgress(f.Streams, f.verbose)
	defer progress.Close()
	s, err := sandbox.Up(ctx, sandbox.Options{Root: root, Progress: sandboxProgress(progress)})
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	for key, value := range s.Env() {
		// Some libraries take an empty variable for one that is set.
		if value == "" {
			err = os.Unsetenv(key)
		} else {
			err = os.Setenv(key, value)
		}
		if err != nil {
			return err
		}
	}
	f.config = nil // the environment has changed
	return nil
}

// clusterArg is the check of a command line that names one cluster. Its error
// lists the clusters there are.
func (f *factory) clusterArg(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	c, err := f.Config()
	if err != nil {
		return err
	}
	return fmt.Errorf("want the name of one cluster: %s", joinOr(c.ClusterNames()))
}

// completeClusters completes the names of clusters.
func (f *factory) completeClusters(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := f.Config()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.ClusterNames(), cobra.ShellCompDirectiveNoFileComp
}

func joinOr(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	out := names[0]
	for _, name := range names[1 : len(names)-1] {
		out += ", " + name
	}
	return out + " or " + names[len(names)-1]
}

// outputFlag is the --output of every command that prints a result.
type outputFlag string

const (
	outputText outputFlag = "text"
	outputJSON outputFlag = "json"
)

func (o *outputFlag) String() string { return string(*o) }
func (o *outputFlag) Type() string   { return "format" }
func (o *outputFlag) Set(text string) error {
	switch outputFlag(text) {
	case outputText, outputJSON:
		*o = outputFlag(text)
		return nil
	}
	return errors.New("want text or json")
}

func addOutputFlag(cmd *cobra.Command, o *outputFlag) {
	*o = outputText
	cmd.Flags().VarP(o, "output", "o", "how to print the result: text or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
}
