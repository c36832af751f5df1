package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set when a release is built.
var version = "development"

// shownModules are the libraries whose versions say what the tool can do.
var shownModules = map[string]string{"k8s.io/kops": "kops", "k8s.io/client-go": "client-go", "github.com/google/go-jsonnet": "go-jsonnet"}

func newVersionCommand(f *factory) *cobra.Command {
	var output outputFlag
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Show the tool's version and those of the libraries that matter",
		Example: "  platform version --output json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			versions := map[string]string{"platform": version, "go": runtime.Version()}
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, module := range info.Deps {
					if name, shown := shownModules[module.Path]; shown {
						versions[name] = module.Version
					}
				}
			}
			if output == outputJSON {
				return writeJSON(f.Streams.Out, versions)
			}
			for _, name := range []string{"platform", "kops", "client-go", "go-jsonnet", "go"} {
				fmt.Fprintf(f.Streams.Out, "%-11s %s\n", name, versions[name])
			}
			return nil
		},
	}
	addOutputFlag(cmd, &output)
	return cmd
}
