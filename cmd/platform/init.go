package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"platform"
	"platform/internal/render"
	"platform/internal/scaffold"
)

type initOptions struct {
	dir          string
	clusters     []string
	organisation scaffold.Organisation
}

func newInitCommand(f *factory) *cobra.Command {
	o := initOptions{}
	cmd := &cobra.Command{
		Use:   "init DIR",
		Short: "Write the repository of a new organisation",
		Long: `Write a repository for another organisation: the library and the stacks as they
are in this tool's own repository, and clusters of its own. DIR must be empty or
not there yet.

A cluster is made like one of dev (small, for experiments), int (internal
production, with Jenkins) or web (public production): the first like dev, the last
like web, the others like int, unless NAME=LIKE says otherwise.`,
		Example: `  platform init acme --domain example.org --account 210987654321
  platform init acme-eu --domain example.org --account 210987654321 --region eu-west-1 --clusters lab,live`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = args[0]
			return initRun(cmd.Context(), f, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.organisation.Domain, "domain", "", "domain whose hosted zone holds the clusters' names")
	flags.StringVar(&o.organisation.Account, "account", "", "AWS account, 12 digits")
	flags.StringVar(&o.organisation.Region, "region", "eu-central-1", "AWS region")
	flags.StringSliceVar(&o.clusters, "clusters", scaffold.Templates, "clusters in the order in which changes reach them: `NAME[=LIKE],…`")
	for _, name := range []string{"domain", "account"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is defined above
		}
	}
	return cmd
}

func initRun(ctx context.Context, f *factory, o initOptions) error {
	var err error
	if o.organisation.Clusters, err = scaffold.ParseClusters(o.clusters); err != nil {
		return err
	}
	if err := scaffold.Write(platform.Content, o.dir, o.organisation); err != nil {
		return err
	}
	objects := 0
	for _, c := range o.organisation.Clusters {
		rendered, err := render.Render(ctx, render.Options{Root: o.dir}, c.Name)
		if err != nil {
			return err
		}
		written, err := render.Write(o.dir, rendered)
		if err != nil {
			return err
		}
		objects += written.Objects
	}
	fmt.Fprintf(f.Streams.Out, "%s: %d clusters, %d objects rendered.\n\nNext\n  look through clusters/org.libsonnet and clusters/*/this.libsonnet\n  git init %s\n  platform plan %s --dir %s\n",
		o.dir, len(o.organisation.Clusters), objects, o.dir, o.organisation.Clusters[0].Name, o.dir)
	return nil
}
