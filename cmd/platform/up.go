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
	"platform/internal/ui"
)

type upOptions struct {
	cluster   string
	yes       bool
	output    outputFlag
	pruneData bool
	force     bool
}

func newUpCommand(f *factory) *cobra.Command {
	o := upOptions{}
	cmd := &cobra.Command{
		Use:   "up CLUSTER",
		Short: "Make a cluster look like what git says",
		Long: `Make a cluster look like what git says, from whatever it is now, nothing
included: the kops cluster, the ingress load balancer and DNS name, the addon
stacks. Shows the plan first and asks, unless --yes answers. Interrupted
anywhere, running it again finishes the job.`,
		Example: `  platform up dev
  platform up dev --yes
  platform up dev --sandbox --yes`,
		Args:              f.clusterArg,
		ValidArgsFunction: f.completeClusters,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.cluster = args[0]
			return upRun(cmd.Context(), f, o)
		},
	}
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "don't ask")
	addOutputFlag(cmd, &o.output)
	addChoiceFlags(cmd, &o.pruneData, &o.force)
	return cmd
}

// outcome is what up did and where it has led.
type outcome struct {
	Cluster      string                 `json:"cluster"`
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
	if !o.yes && !f.Streams.InTerminal {
		return errors.New("there is no terminal to ask on; give --yes to go ahead without asking, or see what it would do with `platform plan`")
	}
	if err := f.Environment(ctx); err != nil {
		return err
	}
	progress := ui.NewProgress(f.Streams, f.verbose)
	defer progress.Close()
	t, err := f.Target(ctx, o.cluster, targetOptions{
		pruneData: o.pruneData, forceConflicts: o.force, assumeNew: true, report: progress.Report,
	})
	if err != nil {
		return err
	}
	c, err := f.Config()
	if err != nil {
		return err
	}
	progress.Step("%s: cluster %s, account %s, region %s", o.cluster, t.declaration.Kops.Name(), t.account.Account, t.declaration.AWS.Region)
	p, err := t.Plan(ctx)
	if err != nil {
		return err
	}
	unseen, err := t.unseen(ctx, &p)
	if err != nil {
		return err
	}
	var steps []reconcile.Step
	if !p.Empty() {
		progress.Clear()
		ui.Plan(f.Streams.Err, f.Streams.ErrPaint(), p, ui.PlanOptions{Compact: !f.verbose, Verbose: f.verbose})
		if err := confirm(ctx, f, o.yes, fmt.Sprintf("Apply these changes to %s?", t.declaration.Kops.Name())); err != nil {
			return err
		}
		if steps, err = t.applyAll(ctx, f, o, p, unseen, progress); err != nil {
			progress.Close()
			printSteps(f.Streams.Err, steps)
			return err
		}
	}
	health, err := t.WaitReady(ctx, c.Timeout, time.Second, progress.Report)
	if err != nil {
		return err
	}
	if err := t.writeKubeconfig(ctx, c); err != nil {
		return err
	}
	result, err := t.outcome(ctx, c, steps, health)
	if err != nil {
		return err
	}
	progress.Close()
	if o.output == outputJSON {
		return writeJSON(f.Streams.Out, result)
	}
	if p.Empty() {
		fmt.Fprintf(f.Streams.Out, "%s: nothing to do. Reality is what git says.\n\n", o.cluster)
	}
	printOutcome(f.Streams.Out, f.Streams.OutPaint(), c.Root, result)
	return nil
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

// applyAll applies a plan. Where the addons were planned unseen it stops
// before them, looks again, and names what it would take away.
func (t *target) applyAll(ctx context.Context, f *factory, o upOptions, p plan.Plan, unseen bool, progress *ui.Progress) ([]reconcile.Step, error) {
	if !unseen {
		return t.Apply(ctx, p)
	}
	below := t.Cluster
	below.Layers = t.Layers[:len(t.Layers)-1]
	steps, err := below.Apply(ctx, p)
	if err != nil {
		return steps, err
	}
	top := t.Cluster
	top.Layers = t.Layers[len(t.Layers)-1:]
	again, err := top.Plan(ctx)
	if err != nil {
		return steps, err
	}
	if destructive := destructiveChanges(again); len(destructive) > 0 {
		progress.Step("Now that the API serves, the addons' plan also has this:")
		ui.Plan(f.Streams.Err, f.Streams.ErrPaint(), plan.Plan{Cluster: t.Name, Changes: destructive}, ui.PlanOptions{})
		if err := confirm(ctx, f, o.yes, "Go on with the addons?"); err != nil {
			return steps, err
		}
	}
	more, err := top.Apply(ctx, again)
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

// relative shortens a path inside the repository.
func relative(root, path string) string {
	if rel, err := filepath.Rel(root, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}
