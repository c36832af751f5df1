package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"

	"platform/internal/addons"
	"platform/internal/config"
	"platform/internal/declaration"
	"platform/internal/kops"
	"platform/internal/plan"
	"platform/internal/reconcile"
	"platform/internal/record"
	"platform/internal/render"
	"platform/internal/ui"
)

type applyOptions struct {
	path      string
	cluster   string
	yes       bool
	watch     bool
	dryRun    bool
	output    outputFlag
	pruneData bool
	force     bool
	jsonnet   jsonnetFlags
}

func newApplyCommand(f *factory) *cobra.Command {
	o := applyOptions{}
	cmd := &cobra.Command{
		Use:   "apply FILE --cluster CLUSTER",
		Short: "Try out one file in a cluster, again at every save",
		Long: `Expand one jsonnet file, show what differs from the cluster, ask, apply it, wait,
and show the events and the failing containers meanwhile. With --watch again
whenever the file, or one that it imports, is saved; then it asks only the first
time and for what is destructive.

A file clusters/CLUSTER/NAME.jsonnet is applied as "platform up" does, but alone.
Any other one is a scratch file: its objects are nobody's but its own, and the
next "platform up" takes them away again, since git doesn't declare them.

Only clusters that platform.yaml marks "interactive: true" take it.

Exit codes: 0 applied, 1 error, 2 --dry-run found changes.`,
		Example: `  platform apply clusters/dev/web-proxy.jsonnet --cluster dev --dry-run
  platform apply clusters/dev/web-proxy.jsonnet --cluster dev --yes
  platform apply clusters/dev/web-proxy.jsonnet --cluster dev --watch`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("want one jsonnet file, such as clusters/dev/web-proxy.jsonnet")
			}
			return nil
		},
		ValidArgsFunction: cobra.FixedCompletions([]string{"jsonnet", "json"}, cobra.ShellCompDirectiveFilterFileExt),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.path = args[0]
			return applyRun(cmd.Context(), f, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.cluster, "cluster", "", "the `CLUSTER` to apply it to; it must be marked interactive")
	_ = cmd.RegisterFlagCompletionFunc("cluster", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		c, err := f.Config()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return interactiveClusters(c), cobra.ShellCompDirectiveNoFileComp
	})
	flags.BoolVarP(&o.watch, "watch", "w", false, "go on, and apply it again at every save, until Ctrl-C")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what differs and change nothing; exit code 2 if anything does")
	flags.BoolVarP(&o.yes, "yes", "y", false, "don't ask")
	addOutputFlag(cmd, &o.output)
	addChoiceFlags(cmd, &o.pruneData, &o.force)
	o.jsonnet.add(cmd)
	return cmd
}

// interactiveClusters are those that a file may be applied to.
func interactiveClusters(c *config.Config) []string {
	var out []string
	for _, cluster := range c.Clusters {
		if cluster.Interactive {
			out = append(out, cluster.Name)
		}
	}
	return out
}

// checkInteractive refuses clusters that change by git alone.
func checkInteractive(c *config.Config, name string) error {
	interactive := interactiveClusters(c)
	if name == "" {
		if len(interactive) == 0 {
			return fmt.Errorf("no cluster takes single files: mark one `interactive: true` in %s", config.FileName)
		}
		return fmt.Errorf("to which cluster? Give --cluster %s", joinOr(interactive))
	}
	cluster, err := c.Cluster(name)
	if err != nil {
		return err
	}
	if !cluster.Interactive {
		return fmt.Errorf("cluster %s changes by git alone, since %s doesn't mark it `interactive: true`: commit the file to %s/%s and run `platform up %s`", name, config.FileName, clustersDir, name, name)
	}
	return nil
}

func applyRun(ctx context.Context, f *factory, o applyOptions) error {
	f.subject = o.cluster
	c, err := f.Config()
	if err != nil {
		return err
	}
	if err := checkInteractive(c, o.cluster); err != nil {
		return err
	}
	file, err := chooseFile(c.Root, o.cluster, o.path)
	switch {
	case err != nil:
		return err
	case o.watch && o.output == outputJSON:
		return errors.New("--output json prints one result, and --watch has no end: leave one of them out")
	case !o.yes && !o.dryRun && !f.Streams.InTerminal:
		return errors.New("there is no terminal to ask on; give --yes to go ahead without asking, or see what it would do with --dry-run")
	}
	err = applyFile(ctx, f, o, file)
	if o.watch && ctx.Err() != nil {
		return nil // that is how it ends
	}
	return err
}

func applyFile(ctx context.Context, f *factory, o applyOptions, file chosenFile) error {
	if err := f.Environment(ctx); err != nil {
		return err
	}
	c, err := f.Config()
	if err != nil {
		return err
	}
	progress := ui.NewProgress(f.Streams, f.verbose)
	defer progress.Close()
	a := &applying{
		f: f, o: o, file: file, options: chosenOptions(c, &o.jsonnet, file),
		progress: progress, paint: f.Streams.ErrPaint(),
	}
	way, err := newWay(ctx, c, o.cluster)
	if err != nil {
		return err
	}
	a.way = way
	a.name = way.declaration.Kops.Name()
	a.session = addons.NewSession(addons.Options{
		Repository: c.Repository, Cluster: way.declaration.Name, Connect: way.connect,
		PruneData: o.pruneData, Force: o.force, Timeout: c.Timeout, Report: a.report,
	})
	progress.Step("%s: cluster %s, account %s, file %s", o.cluster, a.name, way.account, file.source)
	if o.watch {
		return a.watch(ctx)
	}
	return a.once(ctx)
}

// way is the way to a cluster's API and to nothing else of it: what git says of
// the cluster itself is taken to be so.
type way struct {
	declaration declaration.Declaration
	account     string
	options     kops.Options

	mu      sync.Mutex
	config  *rest.Config
	records *record.Store
	expires time.Time
}

func newWay(ctx context.Context, c *config.Config, cluster string) (*way, error) {
	rendered, err := render.Declaration(ctx, newRenderOptions(c), cluster)
	if err != nil {
		return nil, err
	}
	w := &way{}
	if w.declaration, err = declaration.Parse(rendered); err != nil {
		return nil, fmt.Errorf("%s: %w", rendered.Source(), err)
	}
	_, identity, err := logIn(ctx, w.declaration)
	if err != nil {
		return nil, err
	}
	w.account = identity.Account
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the tool's own program: %w", err)
	}
	w.options = kops.Options{
		Spec: w.declaration.Kops, Worker: []string{self, kopsWorkerCommand}, Proxy: c.APIProxy, Settings: kops.DefaultSettings(),
	}
	return w, nil
}

// renewBefore is how long before their end credentials are taken anew.
const renewBefore = 5 * time.Minute

// connect gives the same configuration as long as its credentials are good.
func (w *way) connect(ctx context.Context) (*rest.Config, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.config != nil && time.Until(w.expires) > renewBefore {
		return w.config, nil
	}
	connection, err := kops.New(w.options).Connect(ctx)
	if err != nil {
		return nil, err
	}
	if connection == nil {
		return nil, fmt.Errorf("there is no cluster %s yet: make it with `platform up %s`", w.declaration.Kops.Name(), w.declaration.Name)
	}
	config, err := connection.RESTConfig()
	if err != nil {
		return nil, err
	}
	if w.records, err = record.Open(config); err != nil {
		return nil, err
	}
	w.config, w.expires = config, connection.Expires
	return config, nil
}

// free fails if deployments to the cluster are paused, or if one is under way:
// that may be about to prune what would be applied now. It takes no lock, since
// a pipeline must not wait for somebody who tries something out.
func (w *way) free(ctx context.Context) error {
	if _, err := w.connect(ctx); err != nil {
		return err
	}
	state, err := w.records.Read(ctx)
	if err != nil {
		return err
	}
	if state.Pause != nil {
		return fmt.Errorf("%w; `platform resume %s` releases them", &record.PausedError{Pause: *state.Pause}, w.declaration.Name)
	}
	for _, d := range state.Deployments {
		if d.Result == record.InProgress {
			return fmt.Errorf("a deployment to the cluster is under way, by %s since %s: try again when it is done", d.By, record.Time(d.Started))
		}
	}
	return nil
}

// applying is one run of the command.
type applying struct {
	f        *factory
	o        applyOptions
	file     chosenFile
	options  render.Options
	way      *way
	session  *addons.Session
	progress *ui.Progress
	paint    ui.Paint
	// name is the cluster's full name.
	name string
	// keys are the places of the file's objects in its value, by their names.
	keys map[string]string
	// agreed says that somebody has said yes, or --yes has.
	agreed bool

	mu sync.Mutex
	// wrote is when the last change was made.
	wrote time.Time
}

// report is the session's: what is done is also timed.
func (a *applying) report(e plan.Event) {
	switch e.Action {
	case "created", "updated", "replaced", "deleted":
		a.mu.Lock()
		a.wrote = time.Now()
		a.mu.Unlock()
	}
	a.progress.Report(e)
}

// compare renders the file and compares it with the cluster, if that may be
// changed now.
func (a *applying) compare(ctx context.Context) (*addons.Trial, plan.Plan, error) {
	p := plan.Plan{Cluster: a.o.cluster}
	if !a.o.dryRun {
		if err := a.way.free(ctx); err != nil {
			return nil, p, err
		}
	}
	objects, keys, err := renderChosen(a.options, a.file)
	if err != nil {
		return nil, p, err
	}
	a.keys = keys
	trial, err := a.session.Compare(ctx, objects)
	if err != nil {
		return nil, p, a.withLines(err)
	}
	p.Changes = trial.Changes()
	return trial, p, nil
}

// show prints what differs.
func (a *applying) show(w io.Writer, paint ui.Paint, trial *addons.Trial, p plan.Plan) {
	a.progress.Clear()
	switch {
	case !p.Empty():
		ui.Plan(w, paint, p, ui.PlanOptions{Verbose: a.f.verbose})
	case a.o.dryRun:
		fmt.Fprintf(w, "%s: no changes. The cluster has what %s says.\n", a.o.cluster, a.file.source)
	}
	for _, kept := range trial.Kept() {
		fmt.Fprintf(w, "  %s\n", paint.Grey("kept: "+kept))
	}
}

func (a *applying) question() string { return fmt.Sprintf("Apply these changes to %s?", a.name) }

// applied is what became of one trial.
type applied struct {
	Cluster string `json:"cluster"`
	// File is the file, Set the name of its apply set.
	File       string                    `json:"file"`
	Set        string                    `json:"set"`
	Plan       plan.Plan                 `json:"plan"`
	Steps      []reconcile.Step          `json:"steps"`
	Health     []plan.Health             `json:"health"`
	Events     []addons.ClusterEvent     `json:"events"`
	Containers []addons.FailingContainer `json:"containers"`
	// Seconds are from the start of applying until the last change was made
	// and until everything was ready.
	Seconds appliedSeconds `json:"seconds"`
}

type appliedSeconds struct {
	Applied float64 `json:"applied"`
	Ready   float64 `json:"ready"`
}

func (a *applying) newApplied(p plan.Plan) *applied {
	return &applied{
		Cluster: a.o.cluster, File: a.file.source, Set: a.file.set, Plan: p,
		Steps: []reconcile.Step{}, Health: []plan.Health{}, Events: []addons.ClusterEvent{}, Containers: []addons.FailingContainer{},
	}
}

// apply applies a trial, telling of what happens meanwhile. The observer goes on
// until it is stopped.
func (a *applying) apply(ctx context.Context, trial *addons.Trial, result *applied) (*addons.Observer, error) {
	observer := trial.Observe(ctx, a.tell)
	start := time.Now()
	a.mu.Lock()
	a.wrote = start
	a.mu.Unlock()
	done, err := trial.Apply(ctx)
	ready := time.Since(start).Seconds()
	a.mu.Lock()
	result.Seconds.Applied = a.wrote.Sub(start).Seconds()
	a.mu.Unlock()
	if err == nil {
		result.Seconds.Ready = ready
	}
	if len(done) > 0 {
		result.Steps = append(result.Steps, reconcile.Step{Layer: plan.Addons, Changes: done, Seconds: ready})
	}
	return observer, a.withLines(err)
}

// tell prints what an observer sees.
func (a *applying) tell(s addons.Sighting) {
	switch {
	case s.Container != nil:
		text := a.paint.Red("failing") + "  " + s.Container.String()
		for _, line := range s.Container.Log {
			text += "\n           " + a.paint.Grey("| "+line)
		}
		a.progress.Step("  %s", text)
	case s.Event.Warning():
		a.progress.Step("  %s  %s", a.paint.Yellow("warning"), s.Event)
	default:
		a.progress.Step("  %s", a.paint.Grey("event    "+s.Event.String()))
	}
}

// summary is the line that ends a round.
func (a *applying) summary(result *applied) string {
	var done plan.Plan
	for _, step := range result.Steps {
		done.Changes = append(done.Changes, step.Changes...)
	}
	if done.Empty() {
		return fmt.Sprintf("%s: nothing to do, ready in %.1f s", a.file.source, result.Seconds.Ready)
	}
	return fmt.Sprintf("%s: %s, applied in %.1f s, ready in %.1f s", a.file.source, doneLine(done), result.Seconds.Applied, result.Seconds.Ready)
}

// once is the command without --watch.
func (a *applying) once(ctx context.Context) error {
	trial, p, err := a.compare(ctx)
	if err != nil {
		return err
	}
	result := a.newApplied(p)
	json := a.o.output == outputJSON
	if a.o.dryRun {
		a.progress.Close()
		if json {
			if err := writeJSON(a.f.Streams.Out, result); err != nil {
				return err
			}
		} else {
			a.show(a.f.Streams.Out, a.f.Streams.OutPaint(), trial, p)
		}
		if p.Empty() {
			return nil
		}
		return errFound
	}
	a.show(a.f.Streams.Err, a.paint, trial, p)
	if !p.Empty() {
		if err := confirm(ctx, a.f, a.o.yes, a.question()); err != nil {
			return err
		}
	}
	observer, applyErr := a.apply(ctx, trial, result)
	result.add(observer.Stop(ctx))
	var healthErr error
	if ctx.Err() == nil {
		var health []plan.Health
		health, healthErr = trial.Health(ctx)
		result.Health = append(result.Health, health...)
	}
	a.progress.Close()
	if json {
		if err := writeJSON(a.f.Streams.Out, result); err != nil {
			return err
		}
	}
	switch {
	case applyErr != nil:
		printSteps(a.f.Streams.Err, result.Steps)
		return &reconcile.LayerError{Layer: plan.Addons, Err: applyErr}
	case healthErr != nil:
		return &reconcile.LayerError{Layer: plan.Addons, Err: healthErr}
	case !json:
		fmt.Fprintln(a.f.Streams.Out, a.summary(result))
	}
	return nil
}

func (r *applied) add(events []addons.ClusterEvent, containers []addons.FailingContainer) {
	r.Events = slices.Concat(r.Events, events)
	r.Containers = slices.Concat(r.Containers, containers)
}
