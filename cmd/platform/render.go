package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"platform/internal/config"
	"platform/internal/render"
)

type renderOptions struct {
	clusters []string
	output   renderOutput
	stdout   string
	noCache  bool
	jsonnet  jsonnetFlags
}

func newRenderCommand(f *factory) *cobra.Command {
	o := renderOptions{output: renderText}
	cmd := &cobra.Command{
		Use:   "render [CLUSTER…]",
		Short: "Expand jsonnet to the JSON that is reviewed",
		Long: `Expand clusters/<cluster>/*.jsonnet to generated/<cluster>/<file>/<key>.json, one
file per object, and remove what is no longer rendered. Without clusters, all of
them. With --stdout, print one file's objects instead and write nothing.

Results are kept in a cache (PLATFORM_CACHE_DIR, by default the user's cache
folder) by the content of every file that they depend on.`,
		Example: `  platform render
  platform render dev
  platform render --stdout clusters/dev/cert-manager.jsonnet --output yaml`,
		ValidArgsFunction: f.completeClusters,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.clusters = args
			return renderRun(cmd.Context(), f, o)
		},
	}
	flags := cmd.Flags()
	flags.VarP(&o.output, "output", "o", "how to print the result: text or json; with --stdout, json (a List, the default) or yaml (a stream)")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	flags.StringVar(&o.stdout, "stdout", "", "print the objects of this `FILE`")
	flags.BoolVar(&o.noCache, "no-cache", false, "evaluate everything, and keep no results")
	o.jsonnet.add(cmd)
	return cmd
}

// jsonnetFlags are the flags of whatever renders a file of one's choice.
type jsonnetFlags struct {
	jpath []string
	// variables has only the variables.
	variables render.Options
}

func (j *jsonnetFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVarP(&j.jpath, "jpath", "J", nil, "a further folder to import from")
	flags.Var(newVariables(&j.variables.ExtVars), "ext-str", "an external variable, as a string: `NAME=VALUE`, or NAME to take it from the environment")
	flags.Var(newVariables(&j.variables.ExtCode), "ext-code", "an external variable, as jsonnet: `NAME=CODE`")
	flags.Var(newVariables(&j.variables.TLAVars), "tla-str", "a top-level argument, as a string: `NAME=VALUE`")
	flags.Var(newVariables(&j.variables.TLACode), "tla-code", "a top-level argument, as jsonnet: `NAME=CODE`")
}

// options are those of the repository and the flags.
func (j *jsonnetFlags) options(c *config.Config) render.Options {
	out := newRenderOptions(c)
	out.JPath = slices.Concat(c.JPath, j.jpath)
	out.ExtVars, out.ExtCode = j.variables.ExtVars, j.variables.ExtCode
	out.TLAVars, out.TLACode = j.variables.TLAVars, j.variables.TLACode
	return out
}

// renderOutput is render's --output: what is printed is a result or objects.
type renderOutput string

const (
	renderText renderOutput = "text"
	renderJSON renderOutput = "json"
	renderYAML renderOutput = "yaml"
)

func (o *renderOutput) String() string { return string(*o) }
func (o *renderOutput) Type() string   { return "format" }
func (o *renderOutput) Set(text string) error {
	switch renderOutput(text) {
	case renderText, renderJSON, renderYAML:
		*o = renderOutput(text)
		return nil
	}
	return errors.New("want text, json or yaml")
}

// variables are a flag that is given once for each variable. Everything behind
// the first = is the value: code is full of commas, at which pflag's own maps
// would split it.
type variables struct{ values *map[string]string }

func newVariables(values *map[string]string) variables { return variables{values} }

func (v variables) String() string { return "" }
func (v variables) Type() string   { return "NAME=VALUE" }
func (v variables) Set(text string) error {
	name, value, given := strings.Cut(text, "=")
	if !given {
		if value, given = os.LookupEnv(name); !given {
			return fmt.Errorf("want NAME=VALUE; the environment has no %s to take it from", name)
		}
	}
	if *v.values == nil {
		*v.values = map[string]string{}
	}
	(*v.values)[name] = value
	return nil
}

// newRenderOptions are the options of everything that renders this repository.
func newRenderOptions(c *config.Config) render.Options {
	return render.Options{Root: c.Root, JPath: c.JPath, CacheDir: renderCacheDir(), Version: version}
}

// renderCacheDir is empty, for no cache, where the user has no folder for any.
func renderCacheDir() string {
	dir := os.Getenv("PLATFORM_CACHE_DIR")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(user, "platform")
	}
	return filepath.Join(dir, "render")
}

func renderRun(ctx context.Context, f *factory, o renderOptions) error {
	c, err := f.Config()
	if err != nil {
		return err
	}
	options := o.jsonnet.options(c)
	if o.noCache {
		options.CacheDir = ""
	}
	if o.stdout != "" {
		return renderStdout(f, options, o)
	}
	if o.output == renderYAML {
		return errors.New("--output yaml: only objects are printed as YAML; name a file with --stdout")
	}
	names := o.clusters
	if len(names) == 0 {
		names = c.ClusterNames()
	}
	for _, name := range names {
		if _, err := c.Cluster(name); err != nil {
			return err
		}
	}
	written, err := render.Update(ctx, options, names)
	if err != nil {
		return err
	}
	if o.output == renderJSON {
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
	if o.output != renderYAML {
		items := make([]any, len(objects))
		for i, object := range objects {
			items[i] = object.Object
		}
		return writeJSON(f.Streams.Out, map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
	}
	for _, object := range objects {
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			return err
		}
		fmt.Fprintf(f.Streams.Out, "---\n%s", text)
	}
	return nil
}
