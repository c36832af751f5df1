package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"platform/internal/config"
	"platform/internal/plan"
	"platform/internal/reconcile"
	"platform/internal/savedplan"
	"platform/internal/ui"
)

type upOptions struct {
	cluster      string
	from         string
	plan         string
	yes          bool
	evenIfPaused bool
	output       outputFlag
	pruneData    bool
	force        bool
}

func newUpCommand(f *factory) *cobra.Command {
	o := upOptions{}
	cmd := &cobra.Command{
		Use:   "up CLUSTER",
		Short: "Make a cluster look like what git says",
		Long: `Make a cluster look like what git says, from whatever it is now, nothing
included: the kops cluster, the ingress load balancer and DNS name, the addon
stacks. Shows the plan first and asks, unless --yes answers. Interrupted
anywhere, running it again finishes the job.

When an object fails to progress, what comes after it isn't touched; the error
says why, which commit brought it, and the ways back. With --from the cluster is
made to look like an earlier commit says, beside whatever is checked out.

One deployment to a cluster goes on at a time, and none while it is paused
("platform pause"). The cluster keeps a record: "platform history".`,
		Example: `  platform up dev
  platform up dev --yes
  platform up dev --from HEAD~1
  platform up --plan dev.plan
  platform up dev --sandbox --yes`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.plan != "" && len(args) == 0 {
				return nil // the plan says which
			}
			return f.clusterArg(cmd, args)
		},
		ValidArgsFunction: f.completeClusters,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.cluster = args[0]
			}
			return upRun(cmd.Context(), f, o)
		},
	}
	cmd.Flags().StringVar(&o.plan, "plan", "", "apply exactly the plan in this `FILE`, of `platform plan --out`, without asking; refuse if anything has changed since")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "don't ask")
	cmd.Flags().BoolVar(&o.evenIfPaused, "even-if-paused", false, "go ahead although deployments are paused, as those do who mend what they were paused for")
	addFromFlag(cmd, &o.from)
	addOutputFlag(cmd, &o.output)
	addChoiceFlags(cmd, &o.pruneData, &o.force)
	return cmd
}

// outcome is what up did and where it has led.
type outcome struct {
	Cluster      string                 `json:"cluster"`
	Commit       string                 `json:"commit,omitempty"`
	API          string                 `json:"api"`
	Context      string                 `json:"context"`
	Kubeconfig   string                 `json:"kubeconfig"`
	LoadBalancer string                 `json:"loadBalancer"`
	Wildcard     string                 `json:"wildcard"`
	Steps        []reconcile.Step       `json:"steps"`
	Stacks       []ui.Stack             `json:"stacks"`
	Health       []plan.Health          `json:"health"`
	Seconds      map[plan.Layer]float64 `json:"seconds"`
}

func upRun(ctx context.Context, f *factory, o upOptions) error {
	var saved *savedplan.Saved
	if o.plan != "" {
		var err error
		if saved, err = o.usePlan(); err != nil {
			return err
		}
	}
	if !o.yes && !f.Streams.InTerminal {
		return errors.New("there is no terminal to ask on; give --yes to go ahead without asking, or see what it would do with `platform plan`")
	}
	if err := f.Environment(ctx); err != nil {
		return err
	}
	f.subject = o.cluster
	source, err := f.Source(ctx, o.from)
	if err != nil {
		return err
	}
	defer source.Close()
	progress := ui.NewProgress(f.Streams, f.verbose)
	defer progress.Close()
	t, err := f.Target(ctx, o.cluster, targetOptions{
		pruneData: o.pruneData, forceConflicts: o.force, assumeNew: saved == nil, report: progress.Report,
	})
	if err != nil {
		return err
	}
	c, err := f.Config()
	if err != nil {
		return err
	}
	progress.Step("%s: cluster %s, account %s, region %s%s", o.cluster, t.declaration.Kops.Name(), t.account.Account, t.declaration.AWS.Region, prefixed(", ", source.String()))
	if source.problem != nil {
		progress.Step("%s: git doesn't say which commit this is: %v", o.cluster, source.problem)
	}
	d := &deployment{target: t, f: f, o: o, config: c, source: source, progress: progress}
	d.introduce(ctx)
	defer d.close()
	if err := d.open(ctx); err != nil {
		return err
	}
	p, err := t.Plan(d.hold(ctx))
	if err != nil {
		return d.stopped(err)
	}
	if saved != nil {
		if err := t.checkPlan(*saved, o.plan, p); err != nil {
			return err
		}
	}
	unseen, err := t.unseen(ctx, &p)
	if err != nil {
		return err
	}
	if !p.Empty() {
		progress.Clear()
		ui.Plan(f.Streams.Err, f.Streams.ErrPaint(), p, ui.PlanOptions{Compact: !f.verbose, Verbose: f.verbose})
		if err := confirm(d.hold(ctx), f, o.yes, fmt.Sprintf("Apply these changes to %s?", t.declaration.Kops.Name())); err != nil {
			return d.stopped(err)
		}
	}
	result, err := d.deploy(ctx, p, unseen)
	err = d.stopped(err)
	d.end(ctx, result.Steps, err)
	d.close()
	progress.Close()
	if err != nil {
		printSteps(f.Streams.Err, result.Steps)
		printUntouched(f.Streams.Err, p, result.Steps, err)
		return d.advise(ctx, err)
	}
	if o.output == outputJSON {
		return writeJSON(f.Streams.Out, result)
	}
	if p.Empty() {
		fmt.Fprintf(f.Streams.Out, "%s: nothing to do. Reality is what git says.\n\n", o.cluster)
	}
	printOutcome(f.Streams.Out, f.Streams.OutPaint(), source.home, result)
	return nil
}

// usePlan reads a saved plan, which says what to apply and with which choices.
func (o *upOptions) usePlan() (*savedplan.Saved, error) {
	saved, err := savedplan.Read(o.plan)
	if err != nil {
		return nil, err
	}
	switch {
	case o.cluster != "" && o.cluster != saved.Cluster:
		return nil, fmt.Errorf("%s is a plan for %s, not for %s", o.plan, saved.Cluster, o.cluster)
	case o.from != "" || o.pruneData || o.force:
		return nil, fmt.Errorf("--plan: %s says itself what to take and how; leave out --from, --prune-data and --force-conflicts", o.plan)
	}
	o.cluster, o.pruneData, o.force = saved.Cluster, saved.PruneData, saved.ForceConflicts
	if saved.From != "" {
		o.from = saved.Commit // a branch may have moved on
	}
	o.yes = true // whoever saved it has seen it
	return &saved, nil
}

// checkPlan refuses a saved plan that isn't what would be done now.
func (t *target) checkPlan(saved savedplan.Saved, file string, now plan.Plan) error {
	rendered, err := savedplan.Digest(t.rendered)
	if err != nil {
		return err
	}
	if err := saved.Check(now, rendered); err != nil {
		return &advisedError{fmt.Errorf("%s: %w", file, err), fmt.Sprintf("make a new one and look at it: `platform plan %s --out %s`", saved.Cluster, file)}
	}
	return nil
}

// deploy applies a plan that was agreed to, waits until everything is ready, and
// says where that has led. With an error the result says what was done.
func (d *deployment) deploy(ctx context.Context, p plan.Plan, unseen bool) (outcome, error) {
	var done outcome
	var err error
	if !p.Empty() {
		if done.Steps, err = d.applyAll(ctx, p, unseen); err != nil {
			return done, err
		}
	}
	health, err := d.WaitReady(d.hold(ctx), d.config.Timeout, time.Second, d.progress.Report)
	if err != nil {
		return done, err
	}
	if err := d.writeKubeconfig(ctx, d.config); err != nil {
		return done, err
	}
	result, err := d.outcome(ctx, d.config, done.Steps, health)
	if err != nil {
		return done, err
	}
	result.Commit = d.source.commit.Hash
	return result, nil
}

// unseen tells whether the addons were planned without looking, because a
// cluster that exists doesn't serve its API yet, as after an interrupted up.
// If so, the kops layer has something to do even if it differs in nothing:
// wait until it does.
func (t *target) unseen(ctx context.Context, p *plan.Plan) (bool, error) {
	connection, err := t.kops.Connect(ctx)
	if err != nil || connection == nil {
		return false, err
	}
	config, err := connection.RESTConfig()
	if err != nil || serves(ctx, config) {
		return false, err
	}
	if len(p.ByLayer(plan.Kops)) == 0 {
		wait := plan.Change{Layer: plan.Kops, Op: plan.Update, Resource: "API " + connection.Server, Reason: "isn't serving: wait for the control plane"}
		p.Changes = append([]plan.Change{wait}, p.Changes...)
	}
	return true, nil
}

// applyAll applies a plan. Where no API served when it was made, it stops before
// the addons, to put the deployment on record; where they were planned unseen, it
// looks again as well, and names what it would take away.
func (d *deployment) applyAll(ctx context.Context, p plan.Plan, unseen bool) ([]reconcile.Step, error) {
	if err := d.begin(ctx); err != nil {
		return nil, err
	}
	if d.begun && !unseen {
		return d.Apply(d.hold(ctx), p)
	}
	below, top := d.Cluster, d.Cluster
	below.Layers, top.Layers = d.Layers[:len(d.Layers)-1], d.Layers[len(d.Layers)-1:]
	steps, err := below.Apply(d.hold(ctx), p)
	if err != nil {
		return steps, err
	}
	if err := d.open(ctx); err != nil {
		return steps, err
	}
	if err := d.begin(ctx); err != nil {
		return steps, err
	}
	ctx = d.hold(ctx)
	rest := p
	if unseen {
		if rest, err = top.Plan(ctx); err != nil {
			return steps, err
		}
		if destructive := destructiveChanges(rest); len(destructive) > 0 {
			d.progress.Step("Now that the API serves, the addons' plan also has this:")
			ui.Plan(d.f.Streams.Err, d.f.Streams.ErrPaint(), plan.Plan{Cluster: d.Name, Changes: destructive}, ui.PlanOptions{})
			if err := confirm(ctx, d.f, d.o.yes, "Go on with the addons?"); err != nil {
				return steps, err
			}
		}
	}
	more, err := top.Apply(ctx, rest)
	return append(steps, more...), err
}

func destructiveChanges(p plan.Plan) []plan.Change {
	var out []plan.Change
	for _, c := range p.Changes {
		if c.Op.Destructive() {
			out = append(out, c)
		}
	}
	return out
}

// confirm asks unless yes answers. A no is an error of its own kind, that
// nothing was changed.
func confirm(ctx context.Context, f *factory, yes bool, question string) error {
	if yes {
		return nil
	}
	ok, err := f.Streams.Confirm(ctx, question)
	if err != nil {
		return err
	}
	if !ok {
		fmt.Fprintln(f.Streams.Err, "Nothing was changed.")
		return errReported
	}
	return nil
}

func (t *target) writeKubeconfig(ctx context.Context, c *config.Config) error {
	connection, err := t.kops.Connect(ctx)
	if err != nil || connection == nil {
		return err
	}
	return connection.WriteKubeconfig(c.KubeconfigPath())
}

func (t *target) outcome(ctx context.Context, c *config.Config, steps []reconcile.Step, health []plan.Health) (outcome, error) {
	address, err := t.aws.Address(ctx)
	if err != nil {
		return outcome{}, err
	}
	out := outcome{
		Cluster: t.Name, Kubeconfig: c.KubeconfigPath(), LoadBalancer: address, Wildcard: t.declaration.AWS.Wildcard,
		Steps: steps, Stacks: ui.Stacks(health), Health: health, Seconds: map[plan.Layer]float64{},
	}
	for _, step := range steps {
		out.Seconds[step.Layer] += step.Seconds
	}
	connection, err := t.kops.Connect(ctx)
	if err != nil {
		return outcome{}, err
	}
	if connection != nil {
		out.API, out.Context = connection.Server, connection.Name
	}
	return out, nil
}

// printSteps says what was done before something went wrong.
func printSteps(w io.Writer, steps []reconcile.Step) {
	for _, step := range steps {
		done := plan.Plan{Changes: step.Changes}
		if !done.Empty() {
			fmt.Fprintf(w, "done before that, in %s: %s\n", step.Layer, doneLine(done))
		}
	}
}

var pastTense = map[plan.Op]string{plan.Create: "created", plan.Update: "updated", plan.Replace: "replaced", plan.Roll: "rolled", plan.Delete: "deleted"}

func doneLine(p plan.Plan) string {
	counts := p.Summary()
	var parts []string
	for _, op := range plan.Ops {
		if n := counts[op]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, pastTense[op]))
		}
	}
	return strings.Join(parts, ", ")
}

func printOutcome(w io.Writer, paint ui.Paint, root string, o outcome) {
	fmt.Fprintf(w, "%s\n", paint.Bold(o.Cluster+" is healthy"))
	for _, line := range [][2]string{
		{"API", o.API}, {"context", o.Context + " in " + relative(root, o.Kubeconfig)},
		{"load balancer", o.LoadBalancer}, {"wildcard", o.Wildcard},
	} {
		fmt.Fprintf(w, "  %-14s %s\n", line[0], line[1])
	}
	fmt.Fprintf(w, "\n%s\n", paint.Bold("Stacks"))
	ui.Health(w, paint, o.Health)
	if len(o.Steps) > 0 {
		fmt.Fprintf(w, "\n%s\n", paint.Bold("Layers"))
		for _, step := range o.Steps {
			fmt.Fprintf(w, "  %-8s %6.1f s  %s\n", step.Layer, step.Seconds, doneLine(plan.Plan{Changes: step.Changes}))
		}
	}
	fmt.Fprintf(w, "\n%s\n", paint.Bold("Next"))
	fmt.Fprintf(w, "  kubectl --kubeconfig %s get nodes,ingresses -A\n", relative(root, o.Kubeconfig))
	fmt.Fprintf(w, "  platform plan %s\n", o.Cluster)
	fmt.Fprintf(w, "  platform status %s\n", o.Cluster)
}

// prefixed puts something in front of a text, if there is one.
func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// relative shortens a path inside the repository.
func relative(root, path string) string {
	if rel, err := filepath.Rel(root, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}
