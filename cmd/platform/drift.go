package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"platform/internal/config"
	"platform/internal/declaration"
	"platform/internal/drift"
	"platform/internal/drift/store"
	"platform/internal/drift/views"
	"platform/internal/render"
	"platform/internal/ui"
)

type driftOptions struct {
	clusters  []string
	format    driftFormat
	summary   bool
	link      string
	shard     string
	merge     []string
	last      bool
	reportDir string
	keep      bool
	parallel  int
}

// driftFormat is how drift prints its report.
type driftFormat string

var driftFormats = []string{"text", "json", "html", "prometheus", "chat"}

func (d *driftFormat) String() string { return string(*d) }
func (d *driftFormat) Type() string   { return "format" }
func (d *driftFormat) Set(text string) error {
	if !slices.Contains(driftFormats, text) {
		return errors.New("want " + joinOr(driftFormats))
	}
	*d = driftFormat(text)
	return nil
}

// lookParallel is how many clusters are looked at side by side. Each of them is a
// few processes in turn and some dozen requests; more would only wait for the
// processor.
const lookParallel = 8

func newDriftCommand(f *factory) *cobra.Command {
	o := driftOptions{format: "text"}
	cmd := &cobra.Command{
		Use:   "drift [CLUSTER...]",
		Short: "Report where clusters have left git",
		Long: `Report where clusters have left git, all of them side by side: what "platform up"
would change, and besides that the versions that run, certificates that expire
soon, and what somebody made by hand. A cluster that can't be read is reported as
such. Nothing is changed.

Reports are kept in the state bucket, so that each says what is new since the last
one, what is still open, for how long, and what is resolved. docs/drift.md explains
the report and how to keep known findings out of it.

Exit codes: 0 no drift, 1 it couldn't be told, 2 drift.`,
		Example: `  platform drift
  platform drift dev int
  platform drift --format html > drift.html
  platform drift --format json > drift.json
  platform drift --last --format prometheus
  platform drift --shard 1/2 --format json > 1.json
  platform drift --shard 2/2 --format json > 2.json
  platform drift --merge 1.json,2.json`,
		ValidArgsFunction: func(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			c, err := f.Config()
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return c.ClusterNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.clusters = args
			return driftRun(cmd.Context(), f, o)
		},
	}
	flags := cmd.Flags()
	flags.Var(&o.format, "format", "how to print the report: "+joinOr(driftFormats))
	flags.VarP(&o.format, "output", "o", "the same as --format")
	flags.BoolVar(&o.summary, "summary", false, "leave out the findings")
	flags.StringVar(&o.link, "link", "", "where the whole report will be, for a chat message to say")
	flags.StringVar(&o.shard, "shard", "", "look at the `I/N`-th share of the clusters, for N processes to share the work")
	flags.StringSliceVar(&o.merge, "merge", nil, "instead of looking, take the report in this `FILE`, or join those of several shards")
	flags.BoolVar(&o.last, "last", false, "instead of looking, take the last report that was kept of each cluster")
	flags.StringVar(&o.reportDir, "report-dir", "", "keep reports in this folder instead of the state bucket")
	flags.BoolVar(&o.keep, "keep", true, "keep the report for the next one to be compared with")
	flags.IntVar(&o.parallel, "parallel", lookParallel, "how many clusters to look at side by side")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(driftFormats, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(driftFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func driftRun(ctx context.Context, f *factory, o driftOptions) error {
	if o.parallel < 1 {
		return fmt.Errorf("--parallel: want a number from 1, got %d", o.parallel)
	}
	// Reports at hand can be printed anywhere; only the page shows others too.
	remote := len(o.merge) == 0 || o.format == "html"
	if remote {
		if err := f.Environment(ctx); err != nil {
			return err
		}
	}
	c, err := f.Config()
	if err != nil {
		return err
	}
	names, err := driftClusters(c, o)
	if err != nil {
		return err
	}
	var reports *store.Store
	if remote {
		if reports, err = openReports(ctx, c, o.reportDir); err != nil {
			return err
		}
	}
	var report *drift.Report
	switch {
	case o.last:
		if report, err = reports.Latest(ctx, names); err == nil && report == nil {
			err = errors.New("there is none yet")
		}
		if err != nil {
			return fmt.Errorf("reading the last report in %s: %w", reports, err)
		}
	case len(o.merge) > 0:
		if report, err = mergeReports(c, o.merge); err != nil {
			return err
		}
	default:
		if report, err = f.report(ctx, c, names, reports, o.parallel); err != nil {
			return err
		}
		if !o.keep {
			break
		}
		if err := reports.Put(ctx, report); err != nil {
			return fmt.Errorf("keeping the report in %s: %w", reports, err)
		}
		// Not worth a report: the next one tries again.
		if err := reports.Prune(ctx, store.DefaultKeep); err != nil {
			fmt.Fprintf(f.Streams.Err, "drift: removing old reports from %s: %v\n", reports, err)
		}
	}
	if err := printDrift(ctx, f, o, report, reports); err != nil {
		return err
	}
	switch report.ExitCode() {
	case 0:
		return nil
	case 2:
		return errFound
	}
	return errReported // the report says which cluster couldn't be read
}

// driftClusters are the clusters to look at.
func driftClusters(c *config.Config, o driftOptions) ([]string, error) {
	if o.last && len(o.merge) > 0 {
		return nil, errors.New("--last and --merge: want one of them")
	}
	if len(o.merge) > 0 && (o.shard != "" || len(o.clusters) > 0) {
		return nil, errors.New("--merge takes reports that are there: name no clusters and no shard")
	}
	names := c.ClusterNames()
	if len(o.clusters) > 0 {
		names = o.clusters
	}
	for _, name := range names {
		if _, err := c.Cluster(name); err != nil {
			return nil, err
		}
	}
	if o.shard == "" {
		return names, nil
	}
	first, second, found := strings.Cut(o.shard, "/")
	i, errI := strconv.Atoi(first)
	n, errN := strconv.Atoi(second)
	if !found || errI != nil || errN != nil {
		return nil, fmt.Errorf("--shard: want I/N, such as 1/4, got %q", o.shard)
	}
	names, err := drift.Shard(names, i, n)
	if err != nil {
		return nil, fmt.Errorf("--shard %s: %w", o.shard, err)
	}
	return names, nil
}

// nights is how many of them the page shows.
const nights = 30

// openReports finds where reports are kept: in a folder, or else in the clusters'
// state store.
func openReports(ctx context.Context, c *config.Config, dir string) (*store.Store, error) {
	if dir != "" {
		return store.Dir(dir), nil
	}
	rendered, err := render.Declaration(ctx, newRenderOptions(c), c.Clusters[0].Name)
	if err != nil {
		return nil, err
	}
	d, err := declaration.Parse(rendered)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rendered.Source(), err)
	}
	awsCfg, _, err := logIn(ctx, d)
	if err != nil {
		return nil, err
	}
	return store.S3(awsCfg, d.Kops.StateStore, c.Repository)
}

// report looks at clusters and compares what there is with the last report.
func (f *factory) report(ctx context.Context, c *config.Config, names []string, reports *store.Store, parallel int) (*drift.Report, error) {
	source, err := f.Source(ctx, "")
	if err != nil {
		return nil, err
	}
	previous, err := reports.Latest(ctx, names)
	if err != nil {
		return nil, fmt.Errorf("reading the last report in %s: %w", reports, err)
	}
	matrix, err := readMatrix(c.Root)
	if err != nil {
		return nil, err
	}
	progress := ui.NewProgress(f.Streams, f.verbose)
	defer progress.Close()
	about := drift.About{Time: time.Now(), Tool: version, Repository: c.Repository, Commit: source.commit.Hash}
	looks := drift.LookAll(names, parallel, func(name string) drift.Look {
		l := drift.Look{Cluster: name}
		if rendered, err := render.Render(ctx, newRenderOptions(c), name); err != nil {
			l.Err = err
		} else {
			l = look(ctx, f, c, rendered, matrix)
		}
		progress.Step("%s: looked at in %.1f s", name, l.Took.Seconds())
		return l
	})
	if err := ctx.Err(); err != nil {
		return nil, err // half a look is none
	}
	return drift.Make(about, looks, previous, c.Drift.Ignore), nil
}

// mergeReports reads reports and joins them.
func mergeReports(c *config.Config, files []string) (*drift.Report, error) {
	parts := make([]drift.Report, len(files))
	for i, file := range files {
		report, err := readReport(file)
		if err != nil {
			return nil, err
		}
		parts[i] = *report
	}
	if len(parts) == 1 {
		return &parts[0], nil
	}
	report, err := drift.Merge(parts)
	if err != nil {
		return nil, fmt.Errorf("--merge: %w", err)
	}
	report.Order(c.ClusterNames())
	return &report, nil
}

func readReport(file string) (*drift.Report, error) {
	from, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("--merge: %w", err)
	}
	defer from.Close()
	report, err := drift.Read(from)
	if err != nil {
		return nil, fmt.Errorf("--merge: %s: %w", file, err)
	}
	return report, nil
}

func printDrift(ctx context.Context, f *factory, o driftOptions, report *drift.Report, reports *store.Store) error {
	var w io.Writer = f.Streams.Out
	switch o.format {
	case "json":
		return drift.Write(w, report)
	case "html":
		entries, err := reports.List(ctx, nights)
		if err != nil {
			return fmt.Errorf("reading earlier reports in %s: %w", reports, err)
		}
		return views.HTML(w, report, entries)
	case "prometheus":
		return views.Prometheus(w, report)
	case "chat":
		return views.Chat(w, report, o.link)
	}
	return views.Text(w, f.Streams.OutPaint(), report, views.TextOptions{Summary: o.summary, Verbose: f.verbose})
}
