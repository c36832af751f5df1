package declarative

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"sync"
)

// Build is one build of a job: what triggered it, as Jenkins tells it, and who
// does the work.
type Build struct {
	// Branch is the branch of a branch's job and empty in others; that of a pull
	// request is PR-N.
	Branch string
	// Change is the number of the pull request, where it is one's build.
	Change string
	// Params are the parameters of the job.
	Params map[string]string
	Host   Host
}

// Host does what steps do. Its methods are called at once by parallel stages.
type Host interface {
	// Sh runs a script and gives its exit code.
	Sh(Command) int
	// JUnit takes test results.
	JUnit(pattern string) error
	// Archive keeps files.
	Archive(pattern string, allowEmpty bool) error
}

// Command is a script to run.
type Command struct {
	Stage  string
	Script string
	// Params are environment variables.
	Params map[string]string
	// Secrets are environment variables with parts of credentials:
	// forge/password.
	Secrets map[string]string
	// Locks are held meanwhile.
	Locks []string
}

// Status is how a build or a stage ends.
type Status int

// The states, from good to bad.
const (
	Success Status = iota
	Unstable
	Failure
)

func (s Status) String() string { return [...]string{"SUCCESS", "UNSTABLE", "FAILURE"}[s] }

// Result is what a build has come to.
type Result struct {
	Status Status
	// Ran has what was done, in order; what parallel stages did, in the order of
	// these.
	Ran []Event
}

// Event is something that was done in a stage.
type Event struct {
	Stage string
	// Step is the step's name, or "input".
	Step string
	// What is the script, the question or the files.
	What  string
	Code  int
	Locks []string
}

// Scripts lists what was run of the shell.
func (r Result) Scripts() []string {
	var out []string
	for _, e := range r.Ran {
		if e.Step == "sh" {
			out = append(out, e.What)
		}
	}
	return out
}

// Run runs a build. A question is answered with yes.
func (p *Pipeline) Run(b Build) Result {
	r := &runner{build: b}
	status := r.each(p.Stages)
	return Result{r.after(p.post, "post", status), r.ran}
}

type runner struct {
	build Build
	ran   []Event
}

// scope is what surrounds a step.
type scope struct {
	stage   string
	secrets map[string]string
	locks   []string
}

func (r *runner) each(stages []*Stage) Status {
	worst := Success
	for _, s := range stages {
		if worst = max(worst, r.stage(s)); worst == Failure {
			break
		}
	}
	return worst
}

func (r *runner) stage(s *Stage) Status {
	if s.when != nil && !r.holds(s.when) {
		return Success
	}
	if s.question != "" {
		r.record(Event{Stage: s.Name, Step: "input", What: r.fill(s.question)})
	}
	var status Status
	switch {
	case s.Stages != nil:
		status = r.each(s.Stages)
	case s.Parallel != nil:
		status = r.atOnce(s.Parallel)
	default:
		status = r.steps(s.steps, scope{stage: s.Name})
	}
	return r.after(s.post, s.Name, status)
}

// atOnce runs stages in parallel, all to their ends.
func (r *runner) atOnce(stages []*Stage) Status {
	branches := make([]*runner, len(stages))
	status := make([]Status, len(stages))
	var group sync.WaitGroup
	for i, s := range stages {
		branches[i] = &runner{build: r.build}
		group.Go(func() { status[i] = branches[i].stage(s) })
	}
	group.Wait()
	for _, branch := range branches {
		r.ran = append(r.ran, branch.ran...)
	}
	return slices.Max(status)
}

// after runs what follows on a status, and gives what that makes of it.
func (r *runner) after(post []condition, stage string, status Status) Status {
	for _, c := range post {
		var applies bool
		switch c.name {
		case "always", "cleanup":
			applies = true
		case "success":
			applies = status == Success
		case "unstable":
			applies = status == Unstable
		case "failure":
			applies = status == Failure
		case "unsuccessful":
			applies = status != Success
		}
		if applies {
			status = max(status, r.steps(c.steps, scope{stage: stage}))
		}
	}
	return status
}

func (r *runner) holds(c *condition) bool {
	switch c.name {
	case "allOf":
		return !slices.ContainsFunc(c.inner, func(c *condition) bool { return !r.holds(c) })
	case "anyOf":
		return slices.ContainsFunc(c.inner, r.holds)
	case "not":
		return !r.holds(c.inner[0])
	case "changeRequest":
		return r.build.Change != ""
	case "branch":
		matched, err := path.Match(r.value(c.args[0].value).(string), r.build.Branch)
		return err == nil && matched
	}
	// equals
	values := map[string]any{}
	for _, a := range c.args {
		values[a.key] = r.value(a.value)
	}
	return values["expected"] == values["actual"]
}

// value is what a literal or a parameter is in this build: one that the job
// doesn't have is null.
func (r *runner) value(v any) any {
	switch v := v.(type) {
	case text:
		if v.template {
			return r.fill(v.value)
		}
		return v.value
	case parameter:
		if value, ok := r.build.Params[string(v)]; ok {
			return value
		}
		return nil
	}
	return v
}

func (r *runner) fill(template string) string {
	return filling.ReplaceAllStringFunc(template, func(found string) string {
		return r.build.Params[filling.FindStringSubmatch(found)[1]]
	})
}

func (r *runner) record(e Event) { r.ran = append(r.ran, e) }

func (r *runner) steps(calls []*call, in scope) Status {
	worst := Success
	for _, c := range calls {
		if worst = max(worst, r.step(c, in)); worst == Failure {
			break
		}
	}
	return worst
}

func (r *runner) step(c *call, in scope) Status {
	what := func(key string) string { return fmt.Sprint(r.value(c.argument(key))) }
	done := func(what string, err error) Status {
		e := Event{Stage: in.stage, Step: c.name, What: what}
		if err != nil {
			e.What, e.Code = what+": "+err.Error(), 1
		}
		r.record(e)
		if err != nil {
			return Failure
		}
		return Success
	}
	switch c.name {
	case "sh":
		command := Command{Stage: in.stage, Script: what("script"), Params: r.build.Params, Secrets: in.secrets, Locks: in.locks}
		code := r.build.Host.Sh(command)
		r.record(Event{in.stage, "sh", command.Script, code, in.locks})
		if code != 0 {
			return Failure
		}
		return Success
	case "echo":
		return done(what("message"), nil)
	case "junit":
		return done(what("testResults"), r.build.Host.JUnit(what("testResults")))
	case "archiveArtifacts":
		return done(what("artifacts"), r.build.Host.Archive(what("artifacts"), c.argument("allowEmptyArchive") == true))
	case "lock":
		in.locks = append(slices.Clone(in.locks), what("resource"))
		extra, _ := c.argument("extra").([]any)
		for _, one := range extra {
			for _, a := range one.([]arg) {
				in.locks = append(in.locks, fmt.Sprint(r.value(a.value)))
			}
		}
		return r.steps(c.block, in)
	case "warnError":
		return min(r.steps(c.block, in), Unstable)
	}
	// withCredentials
	in.secrets = maps.Clone(in.secrets)
	if in.secrets == nil {
		in.secrets = map[string]string{}
	}
	for _, binding := range c.argument("bindings").([]any) {
		values := map[string]string{}
		for _, a := range binding.(*call).args {
			values[a.key] = fmt.Sprint(r.value(a.value))
		}
		in.secrets[values["usernameVariable"]] = values["credentialsId"] + "/username"
		in.secrets[values["passwordVariable"]] = values["credentialsId"] + "/password"
	}
	return r.steps(c.block, in)
}
