package actions

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Event starts a run. Values has what expressions find by their names, the
// event's own name under github.event_name.
type Event struct {
	Values map[string]string
	// Fails says which commands fail.
	Fails func(Command) bool
}

// Command is a script that a job runs.
type Command struct {
	Job    string
	Script string
	Env    map[string]string
}

// Run gives the commands that the workflow would run, each job's together, those
// of jobs that are needed first, and each job's result: success, failure or
// skipped.
func (w *Workflow) Run(e Event) ([]Command, map[string]string, error) {
	r := &runner{workflow: w, event: e, results: map[string]string{}}
	for _, name := range w.order {
		if err := r.job(name); err != nil {
			return nil, nil, fmt.Errorf("job %s: %w", name, err)
		}
	}
	return r.commands, r.results, nil
}

// Group is the concurrency group of a run, and whether a newer one cancels it.
func (w *Workflow) Group(e Event) (group string, cancels bool, err error) {
	r := &runner{event: e}
	group, err = r.fill(w.Concurrency.Group, nil)
	if err != nil {
		return "", false, err
	}
	cancel, err := r.fill(w.Concurrency.Cancel, nil)
	return group, cancel == "true", err
}

type runner struct {
	workflow *Workflow
	event    Event
	commands []Command
	results  map[string]string
}

func (r *runner) context(more map[string]string) *context {
	values := maps.Clone(r.event.Values)
	maps.Copy(values, more)
	for job, result := range r.results {
		values["needs."+job+".result"] = result
	}
	return &context{values: values}
}

// holds tells whether an `if` lets something run: one that doesn't ask about
// success wants it beside what it says.
func (r *runner) holds(text string, c *context) (bool, error) {
	if text == "" {
		return !c.failed, nil
	}
	found := expression.FindStringSubmatch(condition(text))
	value, err := evaluate(found[1], c)
	return truthy(value) && (c.asked || !c.failed), err
}

func (r *runner) fill(text string, more map[string]string) (string, error) {
	var failed error
	filled := expression.ReplaceAllStringFunc(text, func(found string) string {
		value, err := evaluate(expression.FindStringSubmatch(found)[1], r.context(more))
		if err != nil {
			failed = err
		}
		return fmt.Sprint(value)
	})
	return filled, failed
}

func (r *runner) job(name string) error {
	job := r.workflow.Jobs[name]
	c := r.context(nil)
	c.failed = slices.ContainsFunc(job.Needs, func(other string) bool { return r.results[other] != "success" })
	ok, err := r.holds(job.If, c)
	if err != nil || !ok {
		r.results[name] = "skipped"
		return err
	}
	r.results[name] = "success"
	for _, matrix := range combinations(job.Strategy.Matrix) {
		good, err := r.steps(name, job, matrix)
		if err != nil {
			return err
		}
		if !good {
			r.results[name] = "failure"
			if job.Strategy.FailFast == nil || *job.Strategy.FailFast {
				break
			}
		}
	}
	return nil
}

// combinations are the values that a matrix gives to each of its jobs.
func combinations(matrix map[string][]string) []map[string]string {
	out := []map[string]string{{}}
	for _, name := range slices.Sorted(maps.Keys(matrix)) {
		var more []map[string]string
		for _, so := range out {
			for _, value := range matrix[name] {
				one := maps.Clone(so)
				one["matrix."+name] = value
				more = append(more, one)
			}
		}
		out = more
	}
	return out
}

func (r *runner) steps(name string, job *Job, matrix map[string]string) (good bool, err error) {
	env := map[string]string{}
	for _, from := range []map[string]string{r.workflow.Env, job.Env} {
		for key, value := range from {
			if env[key], err = r.fill(value, matrix); err != nil {
				return false, err
			}
		}
	}
	good = true
	for _, step := range job.Steps {
		c := r.context(matrix)
		c.failed = !good
		ok, err := r.holds(step.If, c)
		if err != nil {
			return false, err
		}
		if !ok || step.Run == "" {
			continue
		}
		command := Command{name, strings.TrimSpace(step.Run), env}
		r.commands = append(r.commands, command)
		if r.event.Fails != nil && r.event.Fails(command) {
			good = false
		}
	}
	return good, nil
}
