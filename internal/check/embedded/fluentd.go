package embedded

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"

	"platform/internal/check"
	"platform/internal/check/embedded/fluentd"
)

const fixFluentd = "Mend it in the stack that renders it."

// isFluentd says whether a program is fluentd, or one of its images that come
// with plugins.
func isFluentd(name string) bool {
	return name == "fluentd" || strings.HasPrefix(name, "fluentd-")
}

func findFluentd(ctx context.Context, r *check.Repository) ([]check.Finding, error) {
	return each(ctx, r, func(c *cluster) []check.Finding {
		var out []check.Finding
		for _, p := range c.programs(isFluentd) {
			out = append(out, p.fluentd()...)
		}
		return out
	})
}

func (p *program) fluentd() []check.Finding {
	name, field, explicit := p.flag("c", "config")
	if !explicit {
		// Where its images look.
		name, field = "fluent.conf", ".volumeMounts"
		if file, ok := p.env.value("FLUENTD_CONF"); ok {
			name = file
		}
		name = path.Join("/fluentd/etc", name)
	}
	file := p.file(name)
	if file.missing {
		if _, _, mounted := p.mountOf(name); explicit || mounted {
			return []check.Finding{p.at(field, fmt.Sprintf("fluentd reads %s, but %s", name, file.why), "Mount the configuration there, or name its place.")}
		}
		return nil // the image's
	}
	if file.text == nil {
		return nil
	}
	texts := map[string]*text{name: file.text}
	// Files that aren't known are taken for right.
	include := func(pattern string) (files []fluentd.File, missing bool) {
		if strings.Contains(pattern, "://") || strings.Contains(pattern, "#{") {
			return nil, false
		}
		if !path.IsAbs(pattern) {
			pattern = path.Join(path.Dir(name), pattern)
		}
		found, open := p.glob(pattern)
		for _, file := range found {
			texts[file.path] = file.text
			files = append(files, fluentd.File{Name: file.path, Content: file.content})
		}
		// A pattern may match nothing.
		return files, len(found) == 0 && !open && !strings.ContainsAny(pattern, "*?[{")
	}
	root, problems := fluentd.Parse(fluentd.File{Name: name, Content: file.text.content}, include)
	if len(problems) == 0 {
		problems = append(fluentd.Lint(root), p.fluentdVariables(root)...)
	}
	var out []check.Finding
	for _, problem := range problems {
		f := texts[problem.File].at(problem.Line, problem.Message, fixFluentd)
		if problem.Warning {
			f.Level = check.Warning
		}
		out = append(out, f)
	}
	return out
}

var rubyVariable = regexp.MustCompile(`ENV\[(?:'([^']*)'|"([^"]*)")\](\s*\|\|)?`)

// fluentdVariables checks the variables that embedded code takes: one that isn't
// set is an empty value, which most parameters don't take.
func (p *program) fluentdVariables(e *fluentd.Element) []fluentd.Problem {
	var out []fluentd.Problem
	look := func(value, file string, line int) {
		if !strings.Contains(value, "#{") {
			return
		}
		for _, m := range rubyVariable.FindAllStringSubmatch(value, -1) {
			if variable := m[1] + m[2]; m[3] == "" && !p.env.has(variable) {
				out = append(out, fluentd.Problem{File: file, Line: line, Message: fmt.Sprintf("the container has no variable %s", variable)})
			}
		}
	}
	look(e.Arg, e.File, e.Line)
	for _, param := range e.Params {
		look(param.Value, param.File, param.Line)
	}
	for _, inner := range e.Elements {
		out = append(out, p.fluentdVariables(inner)...)
	}
	return out
}
