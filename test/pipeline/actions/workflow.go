package actions

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Workflow is a workflow's file.
type Workflow struct {
	Name string `json:"name"`
	// On is under true: to YAML 1.1, which the decoder reads, that is what `on`
	// means.
	On          map[string]any    `json:"true"`
	Permissions map[string]string `json:"permissions"`
	Concurrency struct {
		Group  string `json:"group"`
		Cancel string `json:"cancel-in-progress"`
	} `json:"concurrency"`
	Defaults map[string]any    `json:"defaults"`
	Env      map[string]string `json:"env"`
	Jobs     map[string]*Job   `json:"jobs"`

	// order has the jobs so that each comes after those that it needs.
	order []string
	root  string
}

// Job is one of its jobs.
type Job struct {
	Needs       list              `json:"needs"`
	If          string            `json:"if"`
	RunsOn      string            `json:"runs-on"`
	Timeout     int               `json:"timeout-minutes"`
	Environment string            `json:"environment"`
	Permissions map[string]string `json:"permissions"`
	Strategy    struct {
		FailFast *bool               `json:"fail-fast"`
		Matrix   map[string][]string `json:"matrix"`
	} `json:"strategy"`
	Env   map[string]string `json:"env"`
	Steps []Step            `json:"steps"`
}

// Step runs a script or uses an action.
type Step struct {
	Name  string         `json:"name"`
	If    string         `json:"if"`
	Run   string         `json:"run"`
	Shell string         `json:"shell"`
	Uses  string         `json:"uses"`
	With  map[string]any `json:"with"`
}

// list is a list of names; one alone may stand without brackets.
type list []string

func (l *list) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = list{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// action is the file of an action of our own.
type action struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Inputs      map[string]struct {
		Description string `json:"description"`
		Required    bool   `json:"required"`
		Default     string `json:"default"`
	} `json:"inputs"`
	Runs struct {
		Using string `json:"using"`
		Steps []Step `json:"steps"`
	} `json:"runs"`
}

// Parse reads a workflow and checks it. root is the repository, for the actions
// in it. The error has everything that is wrong.
func Parse(source []byte, root string) (*Workflow, error) {
	w := &Workflow{root: root}
	if err := yaml.UnmarshalStrict(source, w); err != nil {
		return nil, err
	}
	c := &checker{}
	c.workflow(w)
	return w, errors.Join(c.errors...)
}

type checker struct{ errors []error }

func (c *checker) fail(format string, args ...any) {
	c.errors = append(c.errors, fmt.Errorf(format, args...))
}

var events = []string{"pull_request", "push", "schedule", "workflow_dispatch"}

func (c *checker) workflow(w *Workflow) {
	if len(w.On) == 0 || len(w.Jobs) == 0 {
		c.fail("a workflow wants `on` and `jobs`")
	}
	for event := range w.On {
		if !slices.Contains(events, event) {
			c.fail("on: %s isn't an event that is known here", event)
		}
	}
	c.permissions("the workflow", w.Permissions)
	if w.Permissions == nil {
		c.fail("the workflow has no permissions: without, jobs get whatever the organisation's default is")
	}
	c.expressions("concurrency", w.Concurrency.Group, w.Concurrency.Cancel)
	for name, job := range w.Jobs {
		c.job(w, name, job)
	}
	w.order = c.sort(w)
}

func (c *checker) job(w *Workflow, name string, job *Job) {
	if job.RunsOn == "" || len(job.Steps) == 0 {
		c.fail("job %s wants runs-on and steps", name)
	}
	if job.Timeout == 0 {
		c.fail("job %s has no timeout-minutes: it would hold a runner for six hours", name)
	}
	for _, other := range job.Needs {
		if w.Jobs[other] == nil {
			c.fail("job %s needs %s, which isn't there", name, other)
		}
	}
	c.permissions("job "+name, job.Permissions)
	c.expressions("job "+name, job.RunsOn, condition(job.If))
	for _, found := range regexp.MustCompile(`needs\.(\w+)`).FindAllStringSubmatch(job.If, -1) {
		if !slices.Contains(job.Needs, found[1]) {
			c.fail("job %s asks for the result of %s, which it doesn't need", name, found[1])
		}
	}
	for _, env := range []map[string]string{w.Env, job.Env} {
		for _, value := range env {
			c.expressions("job "+name, value)
		}
	}
	for i, step := range job.Steps {
		c.step(fmt.Sprintf("job %s, step %d", name, i+1), step, w.root)
	}
}

func (c *checker) permissions(of string, permissions map[string]string) {
	for scope, level := range permissions {
		if !slices.Contains([]string{"contents", "id-token", "pull-requests", "security-events"}, scope) || level != "read" && level != "write" {
			c.fail("%s: there is no permission %s: %s", of, scope, level)
		}
	}
}

// pinned is an action of one release: of one commit, or of a full version.
var pinned = regexp.MustCompile(`^[\w.-]+(/[\w.-]+)+@(v[0-9]+\.[0-9]+\.[0-9]+|[0-9a-f]{40})$`)

func (c *checker) step(of string, step Step, root string) {
	if (step.Run == "") == (step.Uses == "") {
		c.fail("%s: want one of run and uses", of)
	}
	// What an expression gives would be shell code.
	if strings.Contains(step.Run, "${{") {
		c.fail("%s: an expression in a script; hand it over as an environment variable", of)
	}
	c.expressions(of, condition(step.If))
	for _, value := range step.With {
		c.expressions(of, fmt.Sprint(value))
	}
	dir, local := strings.CutPrefix(step.Uses, "./")
	switch {
	case local:
		c.action(of, step, filepath.Join(root, dir), root)
	case step.Uses != "" && !pinned.MatchString(step.Uses):
		c.fail("%s: %s isn't pinned to a version", of, step.Uses)
	}
}

// action checks an action of our own against what it is given.
func (c *checker) action(of string, step Step, dir, root string) {
	source, err := os.ReadFile(filepath.Join(dir, "action.yml"))
	if err != nil {
		c.fail("%s: %w", of, err)
		return
	}
	var a action
	if err := yaml.UnmarshalStrict(source, &a); err != nil {
		c.fail("%s: %s: %w", of, dir, err)
		return
	}
	if a.Runs.Using != "composite" {
		c.fail("%s: %s isn't a composite action", of, dir)
	}
	for input := range step.With {
		if _, ok := a.Inputs[input]; !ok {
			c.fail("%s: %s has no input %s", of, step.Uses, input)
		}
	}
	for name, input := range a.Inputs {
		if _, given := step.With[name]; input.Required && !given {
			c.fail("%s: %s wants %s", of, step.Uses, name)
		}
	}
	for i, inner := range a.Runs.Steps {
		c.step(fmt.Sprintf("%s, step %d", step.Uses, i+1), inner, root)
		if inner.Run != "" && inner.Shell == "" {
			c.fail("%s, step %d: in an action, scripts want a shell", step.Uses, i+1)
		}
	}
}

var expression = regexp.MustCompile(`\$\{\{(.*?)\}\}`)

// condition is the expression of an `if`, whose marks may be left out.
func condition(text string) string {
	if text == "" || strings.Contains(text, "${{") {
		return text
	}
	return "${{ " + text + " }}"
}

// expressions checks the syntax of the expressions in texts.
func (c *checker) expressions(of string, texts ...string) {
	for _, text := range texts {
		if strings.Count(text, "${{") != len(expression.FindAllString(text, -1)) {
			c.fail("%s: an expression has no end: %s", of, text)
		}
		for _, found := range expression.FindAllStringSubmatch(text, -1) {
			if _, err := evaluate(found[1], &context{}); err != nil {
				c.fail("%s: %s: %w", of, strings.TrimSpace(found[1]), err)
			}
		}
	}
}

// sort orders jobs by what they need, and by name where nothing else says.
func (c *checker) sort(w *Workflow) []string {
	var order []string
	state := map[string]int{} // 1: being looked at, 2: done
	var visit func(name string)
	visit = func(name string) {
		switch {
		case w.Jobs[name] == nil || state[name] == 2:
			return
		case state[name] == 1:
			c.fail("job %s needs itself", name)
			return
		}
		state[name] = 1
		for _, other := range w.Jobs[name].Needs {
			visit(other)
		}
		state[name] = 2
		order = append(order, name)
	}
	var names []string
	for name := range w.Jobs {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		visit(name)
	}
	return order
}
