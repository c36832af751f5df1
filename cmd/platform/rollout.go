package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"platform/internal/addons"
	"platform/internal/check"
	"platform/internal/git"
	"platform/internal/plan"
	"platform/internal/reconcile"
	"platform/internal/record"
	"platform/internal/render"
	"platform/internal/ui"
)

// stuck is an object because of which a rollout stopped.
type stuck struct {
	resource, source string
	undoable         bool
}

// findStuck finds the objects that an error is about.
func findStuck(err error) []stuck {
	var out []stuck
	var visit func(error)
	visit = func(err error) {
		switch e := err.(type) {
		case *addons.NotReadyError:
			out = append(out, stuck{e.Resource, e.Source, e.Undoable})
			return
		case *addons.ObjectError:
			out = append(out, stuck{e.Resource, e.Source, false})
			return
		case *reconcile.NotReadyError:
			for _, h := range e.Health {
				if h.Layer == plan.Addons {
					out = append(out, stuck{h.Resource, h.Source, h.Undoable})
				}
			}
			return
		}
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			if inner := e.Unwrap(); inner != nil {
				visit(inner)
			}
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				visit(inner)
			}
		}
	}
	visit(err)
	// An object without a file, such as one that is being pruned, came with no
	// commit.
	return slices.DeleteFunc(out, func(s stuck) bool { return s.source == "" })
}

// advise adds to an error that stopped a rollout which commit brought the
// objects that it is about, and the ways back.
func (d *deployment) advise(ctx context.Context, err error) error {
	objects := findStuck(err)
	if len(objects) == 0 || ctx.Err() != nil {
		return err
	}
	const shown = 3
	var lines []string
	for i, o := range objects {
		if i == shown {
			lines = append(lines, fmt.Sprintf("and %d more", len(objects)-shown))
			break
		}
		if text := d.provenance(ctx, o); text != "" {
			lines = append(lines, text)
		}
	}
	lines = append(lines, d.waysBack(objects)...)
	// One of the ways goes through the kubeconfig.
	if writeErr := d.writeKubeconfig(ctx, d.config); writeErr != nil {
		lines = append(lines, writeErr.Error())
	}
	return &advisedError{err, strings.Join(lines, "\n       ")}
}

// waysBack are the commands that undo a rollout.
func (d *deployment) waysBack(objects []stuck) []string {
	var undo []string
	for _, o := range objects {
		kind, at, _ := strings.Cut(o.resource, " ")
		namespace, object, _ := strings.Cut(at, "/")
		if o.undoable {
			undo = append(undo, fmt.Sprintf("kubectl rollout undo %s/%s -n %s --context %s --kubeconfig %s   # then put git right",
				strings.ToLower(kind), object, namespace, d.declaration.Kops.Name(), relative(d.source.home, d.config.KubeconfigPath())))
		}
	}
	var from string
	switch good := d.lastGood(); {
	case good != nil:
		from = fmt.Sprintf("platform up %s --from %s   # as deployed %s by %s", d.Name, git.Short(good.Commit), record.Time(good.Started), good.By.Name)
	case d.source.commit.Hash != "":
		from = fmt.Sprintf("platform up %s --from COMMIT   # no deployment that was well is on record", d.Name)
	default:
		from = fmt.Sprintf("platform up %s   # once the file is right again", d.Name)
	}
	lines := []string{"the way back:"}
	if len(undo) > 0 {
		lines = []string{"two ways back:"}
	}
	for _, command := range append(undo, from) {
		lines = append(lines, "  "+command)
	}
	return lines
}

// provenance tells which commit brought an object as it is.
func (d *deployment) provenance(ctx context.Context, o stuck) string {
	home, head := d.source.home, d.source.commit.Hash
	if head == "" {
		return ""
	}
	var base string
	if good := d.lastGood(); good != nil {
		base = good.Commit
	}
	inputs, err := render.Dependencies(newRenderOptions(d.config), o.source)
	if err != nil {
		inputs = []string{o.source}
	}
	inputs = slices.DeleteFunc(inputs, filepath.IsAbs)
	files := inputs
	// The generated file changes with the object and with nothing else, if it
	// was committed along.
	if generated, content := d.generated(o.resource); generated != "" {
		if committed, err := git.Read(ctx, home, head, generated); err == nil && bytes.Equal(committed, content) {
			files = []string{generated}
		} else if dirty := common(d.source.changed, inputs); len(dirty) > 0 {
			return fmt.Sprintf("%s comes from changes that aren't committed, in %s", o.resource, strings.Join(dirty, ", "))
		}
	}
	commit, err := git.LastChange(ctx, home, base, head, files...)
	if err == nil && commit != nil {
		return fmt.Sprintf("%s came with commit %s", o.resource, describeCommit(*commit))
	}
	if commit, err = git.LastChange(ctx, home, "", head, files...); err != nil || commit == nil {
		return ""
	}
	return fmt.Sprintf("%s hasn't changed since the deployment of %s; it came with commit %s", o.resource, git.Short(base), describeCommit(*commit))
}

func describeCommit(c git.Commit) string {
	return fmt.Sprintf("%s, %q (%s, %s)", git.Short(c.Hash), c.Subject, c.Author, record.Time(c.Time))
}

// generated is the path and the content of an object's generated file.
func (t *target) generated(resource string) (string, []byte) {
	for _, file := range t.rendered.Files {
		for _, o := range file.Objects {
			if check.Describe(o) != resource {
				continue
			}
			data, err := render.Marshal(o.Object)
			if err != nil {
				return "", nil
			}
			return render.Path(t.rendered.Name, file.Name, o.Key), data
		}
	}
	return "", nil
}

func common(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
}

// printUntouched says what of a plan wasn't begun when a layer failed.
func printUntouched(w io.Writer, p plan.Plan, steps []reconcile.Step, err error) {
	var failed *reconcile.LayerError
	if !errors.As(err, &failed) {
		return
	}
	type place struct {
		layer    plan.Layer
		resource string
	}
	done := map[place]bool{}
	for _, step := range steps {
		for _, c := range step.Changes {
			done[place{c.Layer, c.Resource}] = true
		}
	}
	layers := []plan.Layer{plan.Kops, plan.AWS, plan.Addons}
	at := slices.Index(layers, failed.Layer)
	left := map[plan.Layer][]plan.Change{}
	for _, c := range p.Changes {
		i := slices.Index(layers, c.Layer)
		// What of its own layer kops has done is for kops to say.
		if i > at || c.Layer == plan.Addons && i == at && !done[place{c.Layer, c.Resource}] {
			left[c.Layer] = append(left[c.Layer], c)
		}
	}
	for _, layer := range layers {
		if changes := left[layer]; len(changes) > 0 {
			fmt.Fprintf(w, "not touched, in %s: %s\n", layer, ui.SummaryLine(plan.Plan{Changes: changes}))
		}
	}
}
