package reconcile

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"platform/internal/plan"
)

// scripted is a layer that does what a test says and keeps a log.
type scripted struct {
	name    plan.Layer
	log     *[]string
	changes []plan.Change
	health  [][]plan.Health // one per Verify, the last for ever
	planErr error
	doErr   error
}

func (s *scripted) Name() plan.Layer { return s.name }
func (s *scripted) Plan(context.Context) ([]plan.Change, error) {
	*s.log = append(*s.log, "plan "+string(s.name))
	return s.changes, s.planErr
}
func (s *scripted) Apply(context.Context) ([]plan.Change, error) {
	*s.log = append(*s.log, "apply "+string(s.name))
	return s.changes, s.doErr
}
func (s *scripted) Verify(context.Context) ([]plan.Health, error) {
	if len(s.health) == 0 {
		return nil, nil
	}
	h := s.health[0]
	if len(s.health) > 1 {
		s.health = s.health[1:]
	}
	return h, nil
}

type deleting struct{ *scripted }

func (d deleting) PlanDelete(context.Context) ([]plan.Change, error) { return d.changes, d.planErr }
func (d deleting) Delete(context.Context) ([]plan.Change, error) {
	*d.log = append(*d.log, "delete "+string(d.name))
	return d.changes, d.doErr
}

func change(layer plan.Layer, name string) []plan.Change {
	return []plan.Change{{Layer: layer, Op: plan.Create, Resource: name}}
}

func TestOrder(t *testing.T) {
	var log []string
	c := Cluster{Name: "dev", Layers: []Layer{
		deleting{&scripted{name: plan.Kops, log: &log, changes: change(plan.Kops, "a")}},
		deleting{&scripted{name: plan.AWS, log: &log}},
		&scripted{name: plan.Addons, log: &log, changes: change(plan.Addons, "b")},
	}}
	p, err := c.Plan(context.Background())
	if err != nil || len(p.Changes) != 2 {
		t.Fatalf("plan: %+v, %v", p, err)
	}
	steps, err := c.Apply(context.Background(), p)
	if err != nil || len(steps) != 2 {
		t.Fatalf("apply: %+v, %v", steps, err)
	}
	if _, err := c.Delete(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := "plan kops, plan aws, plan addons, apply kops, apply addons, delete aws, delete kops"
	if got := strings.Join(log, ", "); got != want {
		t.Errorf("order:\n got %s\nwant %s", got, want)
	}
}

func TestFailures(t *testing.T) {
	broken := errors.New("no such bucket")
	var log []string
	c := Cluster{Name: "dev", Layers: []Layer{
		&scripted{name: plan.Kops, log: &log, changes: change(plan.Kops, "a")},
		&scripted{name: plan.AWS, log: &log, changes: change(plan.AWS, "b"), planErr: broken, doErr: broken},
		&scripted{name: plan.Addons, log: &log, changes: change(plan.Addons, "c")},
	}}
	p, err := c.Plan(context.Background())
	if !errors.Is(err, broken) || err.Error() != "aws: no such bucket" || !p.Empty() {
		t.Errorf("a layer that can't be planned: %v with %d changes", err, len(p.Changes))
	}
	steps, err := c.Apply(context.Background(), plan.Plan{Changes: slices.Concat(change(plan.Kops, "a"), change(plan.AWS, "b"), change(plan.Addons, "c"))})
	if !errors.Is(err, broken) || len(steps) != 2 || steps[1].Layer != plan.AWS {
		t.Errorf("a layer that fails: %v after %+v", err, steps)
	}
	if slices.Contains(log, "apply addons") {
		t.Error("a layer was applied on top of one that failed")
	}
}

func TestWaitReady(t *testing.T) {
	var log []string
	waiting := plan.Health{Layer: plan.Addons, Resource: "Deployment a/b", State: plan.Progressing, Reason: "0/1 replicas"}
	ready := plan.Health{Layer: plan.Addons, Resource: "Deployment a/b", State: plan.Ready}
	c := Cluster{Layers: []Layer{&scripted{name: plan.Addons, log: &log, health: [][]plan.Health{{waiting}, {waiting}, {ready}}}}}
	var seen []plan.Event
	health, err := c.WaitReady(context.Background(), time.Minute, time.Millisecond, func(e plan.Event) { seen = append(seen, e) })
	if err != nil || len(health) != 1 || len(seen) != 2 {
		t.Errorf("%v, %v after %d events", health, err, len(seen))
	}
	c = Cluster{Layers: []Layer{&scripted{name: plan.Addons, log: &log, health: [][]plan.Health{{waiting}}}}}
	_, err = c.WaitReady(context.Background(), time.Millisecond, time.Millisecond, func(plan.Event) {})
	if want := "addons: Deployment a/b: not ready after 1ms: 0/1 replicas"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	// What has failed for good isn't waited for, and is all that is named.
	failed := plan.Health{Layer: plan.Addons, Resource: "Job a/c", State: plan.Failed, Reason: "it was tried six times", Final: true}
	c = Cluster{Layers: []Layer{&scripted{name: plan.Addons, log: &log, health: [][]plan.Health{{waiting}, {waiting, failed}}}}}
	seen = nil
	_, err = c.WaitReady(context.Background(), time.Minute, time.Millisecond, func(e plan.Event) { seen = append(seen, e) })
	if want := "addons: Job a/c: failed: it was tried six times"; err == nil || err.Error() != want || len(seen) != 1 || seen[0].Resource != waiting.Resource {
		t.Errorf("got %v after %+v, want %s", err, seen, want)
	}
	c = Cluster{Layers: []Layer{&scripted{name: plan.Addons, log: &log, health: [][]plan.Health{{waiting}}}}}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.WaitReady(ctx, time.Minute, time.Minute, func(plan.Event) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
