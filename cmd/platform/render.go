package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/yaml"

	"platform/internal/render"
)

type renderOptions struct {
	clusters                         []string
	output                           outputFlag
	stdout                           string
	format                           string
	jpath                            []string
	extStr, extCode, tlaStr, tlaCode map[string]string
}

func newRenderCommand(f *factory) *cobra.Command {
	o := renderOptions{}
	cmd := &cobra.Command{
		Use:   "render [CLUSTER…]",
		Short: "Expand jsonnet to the JSON that is reviewed",
		Long: `Expand clusters/<cluster>/*.jsonnet to generated/<cluster>/<file>/<key>.json, one
file per object, and remove what is no longer rendered. Without clusters, all of
them. With --stdout, print one file's objects instead and write nothing.`,
		Example: `  platform render
  platform render dev
  platform render --stdout clusters/dev/cert-manager.jsonnet --format yaml`,
		ValidArgsFunction: f.completeClusters,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.clusters = args
			return renderRun(cmd.Context(), f, o)
		},
	}
	addOutputFlag(cmd, &o.output)
	flags := cmd.Flags()
	flags.StringVar(&o.stdout, "stdout", "", "print the objects of this `FILE`")
	flags.StringVar(&o.format, "format", "json", "with --stdout: json (a List) or yaml (a stream)")
	flags.StringSliceVarP(&o.jpath, "jpath", "J", nil, "a further folder to import from")
	flags.StringToStringVar(&o.extStr, "ext-str", nil, "an external variable, as a string: `NAME=VALUE`")
	flags.StringToStringVar(&o.extCode, "ext-code", nil, "an external variable, as jsonnet: `NAME=CODE`")
	flags.StringToStringVar(&o.tlaStr, "tla-str", nil, "a top-level argument, as a string: `NAME=VALUE`")
	flags.StringToStringVar(&o.tlaCode, "tla-code", nil, "a top-level argument, as jsonnet: `NAME=CODE`")
	return cmd
}

func renderRun(ctx context.Context, f *factory, o renderOptions) error {
	c, err := f.Config()
	if err != nil {
		return err
	}
	options := render.Options{
		Root: c.Root, JPath: append(c.JPath, o.jpath...),
		ExtVars: o.extStr, ExtCode: o.extCode, TLAVars: o.tlaStr, TLACode: o.tlaCode,
	}
	if o.stdout != "" {
		return renderStdout(f, options, o)
	}
	names := o.clusters
	if len(names) == 0 {
		names = c.ClusterNames()
	}
	written := make([]render.Written, len(names))
	rendered := make([]*render.Cluster, len(names))
	group, ctx := errgroup.WithContext(ctx)
	for i, name := range names {
		group.Go(func() error {
			if _, err := c.Cluster(name); err != nil {
				return err
			}
			rendered[i], err = render.Render(ctx, options, name)
			return err
		})
	}
	// Nothing is written unless everything renders.
	if err := group.Wait(); err != nil {
		return err
	}
	for i := range names {
		if written[i], err = render.Write(c.Root, rendered[i]); err != nil {
			return err
		}
	}
	if o.output == outputJSON {
		return writeJSON(f.Streams.Out, written)
	}
	for _, w := range written {
		fmt.Fprintf(f.Streams.Out, "%s: %d objects: %d added, %d changed, %d removed\n", w.Cluster, w.Objects, w.Added, w.Changed, w.Removed)
	}
	return nil
}

func renderStdout(f *factory, options render.Options, o renderOptions) error {
	path := o.stdout
	if abs, err := filepath.Abs(path); err == nil {
		path = relative(options.Root, abs)
	}
	objects, err := render.Objects(options, path)
	if err != nil {
		return err
	}
	switch o.format {
	case "json":
		items := make([]any, len(objects))
		for i, object := range objects {
			items[i] = object.Object
		}
		return writeJSON(f.Streams.Out, map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
	case "yaml":
		for _, object := range objects {
			data, err := json.Marshal(object.Object)
			if err != nil {
				return err
			}
			text, err := yaml.JSONToYAML(data)
			if err != nil {
				return err
			}
			fmt.Fprintf(f.Streams.Out, "---\n%s", text)
		}
		return nil
	}
	return errors.New("--format: want json or yaml")
}
