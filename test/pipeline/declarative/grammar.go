package declarative

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Pipeline is a declarative pipeline whose grammar has been checked.
type Pipeline struct {
	// Pod is the pod template that agents inherit from, and Container the one of
	// its containers that steps run in.
	Pod, Container string
	// SingleBuild: the job has one build at a time.
	SingleBuild bool
	Stages      []*Stage
	post        []condition
	used        map[string]bool
}

// Stage has steps, or stages one after the other, or stages at once.
type Stage struct {
	Name     string
	Stages   []*Stage
	Parallel []*Stage
	line     int
	when     *condition
	question string
	steps    []*call
	post     []condition
}

// condition is a condition of `when`, with others inside, or of `post`, with
// steps.
type condition struct {
	name  string
	args  []arg
	inner []*condition
	steps []*call
}

// Steps lists the steps that the pipeline uses, sorted, "kubernetes" for its
// agents among them.
func (p *Pipeline) Steps() []string { return slices.Sorted(maps.Keys(p.used)) }

// signature is what a step or a directive takes: positional arguments (at most),
// named ones that must and ones that may be there, and whether it has a block.
type signature struct {
	positional         int
	required, optional []string
	block              bool
	// first is the name of the first positional argument.
	first string
}

// The steps that the runner knows.
var steps = map[string]signature{
	"archiveArtifacts": {positional: 1, first: "artifacts", required: []string{"artifacts"}, optional: []string{"allowEmptyArchive", "fingerprint"}},
	"echo":             {positional: 1, first: "message", required: []string{"message"}},
	"junit":            {positional: 1, first: "testResults", required: []string{"testResults"}},
	"lock":             {positional: 1, first: "resource", required: []string{"resource"}, optional: []string{"extra"}, block: true},
	"sh":               {positional: 1, first: "script", required: []string{"script"}, optional: []string{"label"}},
	"warnError":        {positional: 1, first: "message", required: []string{"message"}, block: true},
	"withCredentials":  {positional: 1, first: "bindings", required: []string{"bindings"}, block: true},
}

// The conditions of `when` that the runner knows; those with inner conditions
// come with a block.
var whens = map[string]signature{
	"allOf":         {block: true},
	"anyOf":         {block: true},
	"not":           {block: true},
	"branch":        {positional: 1, first: "pattern", required: []string{"pattern"}},
	"changeRequest": {},
	"equals":        {required: []string{"expected", "actual"}},
}

// In the order in which Jenkins looks at them.
var posts = []string{"always", "failure", "success", "unstable", "unsuccessful", "cleanup"}

var options = map[string]signature{
	"disableConcurrentBuilds": {},
	"timeout":                 {required: []string{"time"}, optional: []string{"unit"}},
}

// Parse reads a pipeline and checks its grammar. The error has every violation
// of the grammar, as *Error.
func Parse(source string) (*Pipeline, error) {
	calls, err := parse(source)
	if err != nil {
		return nil, err
	}
	g := &grammar{names: map[string]int{}, used: map[string]bool{}}
	if len(calls) == 0 {
		return nil, &Error{1, "want a pipeline"}
	}
	for _, c := range calls[1:] {
		g.fail(c.line, "%q isn't part of the pipeline: want nothing beside it", c.name)
	}
	p := g.pipeline(calls[0])
	return p, errors.Join(g.errors...)
}

type grammar struct {
	errors []error
	// names has the line of each stage.
	names map[string]int
	used  map[string]bool
}

func (g *grammar) fail(line int, format string, args ...any) {
	g.errors = append(g.errors, &Error{line, fmt.Sprintf(format, args...)})
}

// sections gives the sections of a block by name: known ones, each once, and each
// with a block of its own that isn't empty.
func (g *grammar) sections(in *call, of string, known ...string) map[string]*call {
	out := map[string]*call{}
	for _, c := range in.block {
		switch {
		case !slices.Contains(known, c.name):
			g.fail(c.line, "%s has no section %q: want one of %s", of, c.name, strings.Join(known, ", "))
		case out[c.name] != nil:
			g.fail(c.line, "%s has %s twice", of, c.name)
		case !c.hasBlock || len(c.args) > 0:
			g.fail(c.line, "%s of %s: want a block, %s { ... }", c.name, of, c.name)
		case len(c.block) == 0:
			g.fail(c.line, "%s of %s is empty", c.name, of)
		default:
			out[c.name] = c
		}
	}
	return out
}

func (g *grammar) pipeline(c *call) *Pipeline {
	p := &Pipeline{used: g.used}
	if c.name != "pipeline" || !c.hasBlock || len(c.args) > 0 {
		g.fail(c.line, "want pipeline { ... }, not %q", c.name)
		return p
	}
	sections := g.sections(c, "the pipeline", "agent", "options", "stages", "post")
	for _, name := range []string{"agent", "stages"} {
		if sections[name] == nil && !slices.ContainsFunc(c.block, func(c *call) bool { return c.name == name }) {
			g.fail(c.line, "the pipeline has no %s", name)
		}
	}
	if agent := sections["agent"]; agent != nil {
		p.Pod, p.Container = g.agent(agent)
	}
	if section := sections["options"]; section != nil {
		for _, option := range section.block {
			g.arguments(option, "option", options)
			p.SingleBuild = p.SingleBuild || option.name == "disableConcurrentBuilds"
		}
	}
	if section := sections["stages"]; section != nil {
		p.Stages = g.stages(section)
	}
	if section := sections["post"]; section != nil {
		p.post = g.post(section)
	}
	return p
}

// agent takes pods of a template that the controller has.
func (g *grammar) agent(c *call) (pod, container string) {
	if len(c.block) != 1 || c.block[0].name != "kubernetes" || !c.block[0].hasBlock {
		g.fail(c.line, "want agent { kubernetes { ... } }: builds run in pods")
		return "", ""
	}
	g.used["kubernetes"] = true
	for _, setting := range c.block[0].block {
		value, ok := literal(setting)
		switch {
		case !ok:
			g.fail(setting.line, "want a text for %s", setting.name)
		case setting.name == "inheritFrom":
			pod = value
		case setting.name == "defaultContainer":
			container = value
		default:
			g.fail(setting.line, "an agent has no %q: want inheritFrom or defaultContainer", setting.name)
		}
	}
	if pod == "" || container == "" {
		g.fail(c.line, "want inheritFrom and defaultContainer of the agent")
	}
	return pod, container
}

// literal is the one argument of a call, if that is a text without anything to
// fill in.
func literal(c *call) (string, bool) {
	if len(c.args) != 1 || c.args[0].key != "" || c.hasBlock {
		return "", false
	}
	t, ok := c.args[0].value.(text)
	return t.value, ok && !t.template
}

func (g *grammar) stages(section *call) []*Stage {
	var out []*Stage
	for _, c := range section.block {
		if c.name != "stage" {
			g.fail(c.line, "%s has %q: want stages only", section.name, c.name)
			continue
		}
		out = append(out, g.stage(c, section.name == "parallel"))
	}
	return out
}

func (g *grammar) stage(c *call, isParallel bool) *Stage {
	s := &Stage{line: c.line}
	if len(c.args) == 1 && c.args[0].key == "" {
		if name, ok := c.args[0].value.(text); ok && !name.template {
			s.Name = name.value
		}
	}
	if s.Name == "" || !c.hasBlock {
		g.fail(c.line, "want stage('name') { ... }")
		return s
	}
	if line, twice := g.names[s.Name]; twice {
		g.fail(c.line, "there is a stage %q in line %d already", s.Name, line)
	}
	g.names[s.Name] = c.line
	of := fmt.Sprintf("stage %q", s.Name)
	sections := g.sections(c, of, "when", "input", "steps", "stages", "parallel", "post")
	kinds := 0
	for _, c := range c.block {
		if c.name == "steps" || c.name == "stages" || c.name == "parallel" {
			kinds++
		}
	}
	if kinds != 1 {
		g.fail(c.line, "%s has %d of steps, stages and parallel: want one", of, kinds)
	}
	if section := sections["when"]; section != nil {
		if sections["input"] != nil {
			// Jenkins asks before it looks at the condition.
			g.fail(section.line, "%s asks although its condition may not hold: put the input into a stage inside", of)
		}
		s.when = &condition{name: "allOf", inner: g.conditions(section)}
	}
	if section := sections["input"]; section != nil {
		s.question = g.input(section)
	}
	if section := sections["steps"]; section != nil {
		s.steps = section.block
		g.steps(section.block)
	}
	if section := sections["stages"]; section != nil {
		s.Stages = g.stages(section)
	}
	if section := sections["parallel"]; section != nil {
		if isParallel {
			g.fail(section.line, "%s is parallel itself: parallel stages can't be nested", of)
		}
		s.Parallel = g.stages(section)
	}
	if section := sections["post"]; section != nil {
		s.post = g.post(section)
	}
	return s
}

func (g *grammar) input(section *call) string {
	var message string
	for _, setting := range section.block {
		value, ok := setting.text()
		switch {
		case !ok:
			g.fail(setting.line, "want a text for %s", setting.name)
		case setting.name == "message":
			message = value
		case setting.name != "ok":
			g.fail(setting.line, "an input has no %q: want message or ok", setting.name)
		}
	}
	if message == "" {
		g.fail(section.line, "an input wants a message")
	}
	return message
}

// text is the one argument of a call, if that is a text.
func (c *call) text() (string, bool) {
	if len(c.args) != 1 || c.args[0].key != "" || c.hasBlock {
		return "", false
	}
	t, ok := c.args[0].value.(text)
	return t.value, ok
}

func (g *grammar) conditions(section *call) []*condition {
	var out []*condition
	for _, c := range section.block {
		if !g.arguments(c, "condition", whens) {
			continue
		}
		for _, a := range c.args {
			switch a.value.(type) {
			case []any, []arg, *call:
				g.fail(c.line, "%s compares texts", c.name)
			}
		}
		if _, ok := c.argument("pattern").(text); c.name == "branch" && !ok {
			g.fail(c.line, "branch wants a text")
		}
		one := &condition{name: c.name, args: c.args}
		if c.hasBlock {
			if len(c.block) == 0 {
				g.fail(c.line, "%s has no condition in it", c.name)
			}
			if c.name == "not" && len(c.block) > 1 {
				g.fail(c.line, "not takes one condition, not %d", len(c.block))
			}
			one.inner = g.conditions(c)
		}
		out = append(out, one)
	}
	return out
}

func (g *grammar) post(section *call) []condition {
	var out []condition
	blocks := g.sections(section, "post", posts...)
	for _, name := range posts {
		if c := blocks[name]; c != nil {
			g.steps(c.block)
			out = append(out, condition{name: name, steps: c.block})
		}
	}
	return out
}

func (g *grammar) steps(calls []*call) {
	for _, c := range calls {
		if !g.arguments(c, "step", steps) {
			continue
		}
		g.used[c.name] = true
		switch c.name {
		case "sh":
			// What is filled in would be shell code: that a parameter comes as an
			// environment variable is safe.
			if t, ok := c.argument("script").(text); !ok || t.template {
				g.fail(c.line, "sh takes a literal text; values come as environment variables")
			}
		case "lock":
			g.extra(c)
		case "withCredentials":
			g.bindings(c)
		}
		if c.hasBlock {
			if len(c.block) == 0 {
				g.fail(c.line, "%s has no step in it", c.name)
			}
			g.steps(c.block)
		}
	}
}

// extra checks the further resources of a lock.
func (g *grammar) extra(c *call) {
	value := c.argument("extra")
	if value == nil {
		return
	}
	list, _ := value.([]any)
	for _, one := range list {
		if resource, ok := one.([]arg); !ok || len(resource) != 1 || resource[0].key != "resource" {
			list = nil
		}
	}
	if len(list) == 0 {
		g.fail(c.line, "lock wants extra: [[resource: 'name'], ...]")
	}
}

func (g *grammar) bindings(c *call) {
	list, _ := c.argument("bindings").([]any)
	if len(list) == 0 {
		g.fail(c.line, "withCredentials wants a list of bindings")
	}
	for _, value := range list {
		binding, ok := value.(*call)
		if !ok {
			g.fail(c.line, "withCredentials wants bindings such as usernamePassword(...)")
			continue
		}
		g.arguments(binding, "binding", map[string]signature{
			"usernamePassword": {required: []string{"credentialsId", "usernameVariable", "passwordVariable"}},
		})
	}
}

// arguments checks a call against what its name takes.
func (g *grammar) arguments(c *call, kind string, known map[string]signature) bool {
	want, ok := known[c.name]
	if !ok {
		g.fail(c.line, "there is no %s %q: want one of %s", kind, c.name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		return false
	}
	before := len(g.errors)
	if want.block != c.hasBlock {
		g.fail(c.line, "%s: want a block: %t; it has one: %t", c.name, want.block, c.hasBlock)
	}
	positional := 0
	given := map[string]bool{}
	for i, a := range c.args {
		key := a.key
		if key == "" {
			positional++
			if i == 0 {
				key = want.first
			}
		} else if !slices.Contains(want.required, key) && !slices.Contains(want.optional, key) {
			g.fail(c.line, "%s has no argument %q", c.name, key)
		}
		if given[key] {
			g.fail(c.line, "%s has %s twice", c.name, key)
		}
		if name, ok := a.value.(variable); ok {
			g.fail(c.line, "%s of %s: of variables only params.NAME is known, not %s", key, c.name, name)
		}
		given[key] = true
	}
	// Groovy hands named arguments over as one map: beside that nothing goes.
	if positional > want.positional || positional > 0 && positional < len(c.args) {
		g.fail(c.line, "%s takes %d arguments without a name, and no others beside them", c.name, want.positional)
	}
	for _, key := range want.required {
		if !given[key] {
			g.fail(c.line, "%s wants %s", c.name, key)
		}
	}
	return len(g.errors) == before
}

// argument gives an argument by name, the first also where it has none.
func (c *call) argument(key string) any {
	for i, a := range c.args {
		if a.key == key || a.key == "" && i == 0 && (steps[c.name].first == key || whens[c.name].first == key) {
			return a.value
		}
	}
	return nil
}
