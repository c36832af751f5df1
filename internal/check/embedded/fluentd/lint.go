package fluentd

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Lint says what is wrong with a configuration whose form is right.
func Lint(root *Element) []Problem {
	l := &linter{labels: map[string]*Element{}, used: map[string]bool{}, ids: map[string]Param{}, buffers: map[string]Param{}}
	for _, system := range root.Elements {
		if system.Name == "system" {
			_, l.rootDir = system.Param("root_dir")
		}
	}
	l.findLabels(root)
	l.agent(root, "")
	l.references(root)
	for name, label := range l.labels {
		// Where a label is missing, this one may be what was meant.
		if !l.dangling && !l.used[name] && name != errorLabel && name != logLabel {
			l.warn(label, "nothing leads to <label %s>", name)
		}
	}
	slices.SortStableFunc(l.problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), strings.Compare(a.Message, b.Message))
	})
	return l.problems
}

// Labels that fluentd itself sends to, and its name for no label.
const (
	errorLabel = "@ERROR"
	logLabel   = "@FLUENT_LOG"
	rootLabel  = "@ROOT"
)

type linter struct {
	problems []Problem
	labels   map[string]*Element
	used     map[string]bool
	// ids and buffers are where an @id or a buffer's path came first.
	ids, buffers map[string]Param
	// dangling says that something leads to a label that there isn't.
	dangling bool
	// rootDir says that plugins with an @id get folders of their own.
	rootDir bool
}

func (l *linter) add(e *Element, format string, args ...any) {
	l.problems = append(l.problems, Problem{File: e.File, Line: e.Line, Message: fmt.Sprintf(format, args...)})
}

func (l *linter) addParam(p Param, format string, args ...any) {
	l.problems = append(l.problems, Problem{File: p.File, Line: p.Line, Message: fmt.Sprintf(format, args...)})
}

func (l *linter) warn(e *Element, format string, args ...any) {
	l.problems = append(l.problems, Problem{File: e.File, Line: e.Line, Message: fmt.Sprintf(format, args...), Warning: true})
}

// agents are the sections that others run in, with what they may have.
var agents = map[string][]string{
	"":       {"filter", "label", "match", "source", "system", "worker"},
	"label":  {"filter", "match"},
	"worker": {"filter", "label", "match", "source"},
}

func (l *linter) findLabels(e *Element) {
	for _, inner := range e.Elements {
		switch inner.Name {
		case "label":
			if inner.Arg == "" {
				l.add(inner, "<label> has no name")
			} else if first, again := l.labels[inner.Arg]; again {
				l.add(inner, "<label %s> is there twice, before in line %d", inner.Arg, first.Line)
			} else {
				l.labels[inner.Arg] = inner
			}
		case "worker":
			l.findLabels(inner)
		}
	}
}

// agent checks the sections of a file, a label or a worker, in their order.
func (l *linter) agent(e *Element, name string) {
	if name != "" {
		for _, p := range e.Params {
			l.addParam(p, "<%s> takes no parameter %s", name, p.Name)
		}
	} else {
		for _, p := range e.Params {
			l.addParam(p, "parameter %s is in no section", p.Name)
		}
	}
	var taken []taken
	for _, inner := range e.Elements {
		if !slices.Contains(agents[name], inner.Name) {
			where := "here"
			if name != "" {
				where = "in <" + name + ">"
			}
			l.add(inner, "there is no section <%s> %s; there are %s", inner.Name, where, strings.Join(agents[name], ", "))
			continue
		}
		switch inner.Name {
		case "label", "worker":
			l.agent(inner, inner.Name)
		case "source":
			l.plugin(inner)
		case "filter", "match":
			l.reachable(inner, &taken)
			l.plugin(inner)
		}
	}
}

// taken is a pattern of tags whose events go no further.
type taken struct {
	pattern string
	by      *Element
}

// reachable says whether any event gets to a section, behind those that take
// them all.
func (l *linter) reachable(e *Element, before *[]taken) {
	own := patterns(e.Arg)
	var by *Element
	for _, pattern := range own {
		i := slices.IndexFunc(*before, func(t taken) bool { return covers(t.pattern, pattern) })
		if i < 0 {
			by = nil
			break
		}
		by = (*before)[i].by
	}
	if by != nil {
		l.add(e, "<%s %s> gets nothing: <match %s> in line %d takes it all", e.Name, e.Arg, by.Arg, by.Line)
	}
	if e.Name == "match" {
		for _, pattern := range own {
			*before = append(*before, taken{pattern, e})
		}
	}
}

// patterns are the patterns of a section's argument, which has several between
// spaces. No argument is any tag.
func patterns(argument string) []string {
	if all := strings.Fields(argument); len(all) > 0 {
		return all
	}
	return []string{"**"}
}

// covers says whether all tags that a pattern matches match another one too,
// where that is plain to see.
func covers(pattern, other string) bool {
	if pattern == "**" || pattern == other {
		return true
	}
	// a.** is a itself and all below it.
	stem, deep := strings.CutSuffix(pattern, ".**")
	return deep && !strings.ContainsAny(stem, "*{#") && (other == stem || strings.HasPrefix(other, stem+"."))
}

// plugin checks a section that a plugin runs.
func (l *linter) plugin(e *Element) {
	kind, ok := e.Param("@type")
	if !ok {
		kind, ok = e.Param("type")
	}
	if !ok || kind.Value == "" {
		l.add(e, "<%s> has no @type", tag(e))
	}
	l.required(e, kind.Value)
	l.identity(e)
	for _, inner := range e.Elements {
		l.inner(e, kind.Value, inner)
	}
	if e.Name == "match" || e.Name == "store" {
		l.buffer(e)
	}
}

func tag(e *Element) string {
	if e.Arg == "" {
		return e.Name
	}
	return e.Name + " " + e.Arg
}

// inner checks a section of a plugin.
func (l *linter) inner(e *Element, kind string, inner *Element) {
	if slices.Contains(agents[""], inner.Name) {
		l.add(inner, "<%s> is inside of <%s>, of line %d: an end tag may be missing", tag(inner), tag(e), e.Line)
		return
	}
	if known, ok := plugins[e.Name+" "+kind]; ok {
		may := slices.Concat(known.sections, helpers[e.Name])
		if !slices.Contains(may, inner.Name) {
			slices.Sort(may)
			l.add(inner, "%s has no section <%s>; there are %s", kind, inner.Name, strings.Join(slices.Compact(may), ", "))
			return
		}
		if inner.Name == "parse" && known.parses {
			if t, ok := inner.Param("@type"); !ok || t.Value == "" {
				l.add(inner, "<parse> has no @type")
			}
		}
	}
	switch inner.Name {
	case "store":
		l.plugin(inner)
	case "secondary":
		l.identity(inner)
	}
}

// identity checks that an @id is the only one.
func (l *linter) identity(e *Element) {
	id, ok := e.Param("@id")
	if !ok {
		return
	}
	if first, again := l.ids[id.Value]; again {
		l.addParam(id, "@id %s is there twice, before in line %d", id.Value, first.Line)
		return
	}
	l.ids[id.Value] = id
}

// required checks the parameters without which a plugin doesn't start.
func (l *linter) required(e *Element, kind string) {
	known := plugins[e.Name+" "+kind]
	if e.Name == "store" {
		known = plugins["match "+kind]
	}
	for _, name := range known.required {
		if p, ok := e.Param(name); !ok || p.Value == "" {
			l.add(e, "%s needs the parameter %s", kind, name)
		}
	}
}

var tagPlaceholder = regexp.MustCompile(`\$\{tag(?:\[-?\d+\])?\}`)

// buffer checks what an output needs of its buffer.
func (l *linter) buffer(e *Element) {
	keys, buffer := []string{}, (*Element)(nil)
	for _, inner := range e.Elements {
		if inner.Name == "buffer" {
			buffer = inner
			for key := range strings.SplitSeq(inner.Arg, ",") {
				if key = strings.TrimSpace(key); key != "" && key != "[]" {
					keys = append(keys, key)
				}
			}
		}
	}
	if buffer != nil {
		l.bufferItself(e, buffer, keys)
	}
	if buffer == nil || slices.Contains(keys, "tag") {
		return
	}
	for _, p := range e.Params {
		if tagPlaceholder.MatchString(p.Value) {
			l.addParam(p, "%s has %s, but <buffer> doesn't name tag", p.Name, tagPlaceholder.FindString(p.Value))
		}
	}
}

func (l *linter) bufferItself(e, buffer *Element, keys []string) {
	if _, ok := buffer.Param("timekey"); slices.Contains(keys, "time") && !ok {
		l.add(buffer, "<buffer %s> needs the parameter timekey", buffer.Arg)
	}
	kind, _ := buffer.Param("@type")
	path, ok := buffer.Param("path")
	if kind.Value != "file" && kind.Value != "file_single" {
		return
	}
	if !ok || path.Value == "" {
		if _, id := e.Param("@id"); !id || !l.rootDir {
			l.add(buffer, "<buffer> in files needs a path, or @id of its output and root_dir in <system>")
		}
		return
	}
	if first, again := l.buffers[path.Value]; again {
		l.addParam(path, "another buffer has the path %s, in line %d", path.Value, first.Line)
		return
	}
	l.buffers[path.Value] = path
}

// references checks the labels that plugins send to.
func (l *linter) references(e *Element) {
	for _, p := range e.Params {
		if p.Name != "@label" && !strings.HasSuffix(p.Name, "_label") || !strings.HasPrefix(p.Value, "@") {
			continue
		}
		if l.labels[p.Value] == nil && p.Value != rootLabel {
			l.addParam(p, "%s is %s, but there is no <label %s>", p.Name, p.Value, p.Value)
			l.dangling = true
		}
		l.used[p.Value] = true
	}
	for _, inner := range e.Elements {
		l.references(inner)
	}
}
