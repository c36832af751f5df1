package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	crossplane "github.com/nginxinc/nginx-go-crossplane"

	"platform/internal/check"
)

const fixNginx = "Mend it in the stack that renders it. Directives are those of nginx and its modules njs and OpenTelemetry."

func findNginx(ctx context.Context, r *check.Repository) ([]check.Finding, error) {
	return each(ctx, r, func(c *cluster) []check.Finding {
		var out []check.Finding
		for _, p := range c.programs(named("nginx")) {
			out = append(out, p.nginx()...)
		}
		controllers := c.programs(named("nginx-ingress"))
		for _, p := range controllers {
			out = append(out, p.nginxIngress()...)
		}
		if len(controllers) > 0 {
			out = append(out, c.ingressAnnotations()...)
		}
		return out
	})
}

// nginx checks the configuration that nginx is told to read, and the files that
// are mounted where the image's own configuration includes them.
func (p *program) nginx() []check.Finding {
	name, field, explicit := p.flag("c")
	if !explicit {
		name = "/etc/nginx/nginx.conf"
	}
	file := p.file(name)
	switch {
	case file.text != nil:
		return p.nginxFile(name, file.text)
	case explicit && file.missing:
		return []check.Finding{p.at(field, fmt.Sprintf("nginx reads %s, but %s", name, file.why), "Mount the configuration there, or name its place.")}
	case explicit || !file.missing:
		return nil
	}
	var out []check.Finding
	files, _ := p.glob("/etc/nginx/conf.d/*.conf")
	for _, file := range files {
		out = append(out, snippet(file.text, "http")...)
	}
	return out
}

func (p *program) nginxFile(name string, main *text) []check.Finding {
	texts := map[string]*text{name: main}
	var out []check.Finding
	options := &crossplane.ParseOptions{
		ErrorOnUnknownDirectives: !loadsModules(main.content),
		DirectiveSources:         nginxDirectives,
		Open: func(file string) (io.ReadCloser, error) {
			if t := texts[file]; t != nil {
				return io.NopCloser(strings.NewReader(t.content)), nil
			}
			found := p.file(file)
			switch {
			case found.text != nil:
				texts[file] = found.text
				return io.NopCloser(strings.NewReader(found.text.content)), nil
			case found.missing && !isImages(file):
				return nil, fmt.Errorf("include %s: %s", file, found.why)
			}
			// It is read as if it were empty.
			return io.NopCloser(bytes.NewReader(nil)), nil
		},
		Glob: func(pattern string) ([]string, error) {
			files, _ := p.glob(pattern)
			names := make([]string, 0, len(files))
			for _, file := range files {
				names = append(names, file.path)
			}
			return names, nil
		},
	}
	payload, err := parseNginx(name, options)
	if err != nil {
		return append(out, main.at(0, err.Error(), fixNginx))
	}
	for _, config := range payload.Config {
		t := texts[config.File]
		if t == nil {
			continue
		}
		for _, e := range config.Errors {
			problem := nginxProblem(e)
			out = append(out, t.at(problem.line, problem.message, fixNginx))
		}
	}
	return out
}

func parseNginx(name string, options *crossplane.ParseOptions) (payload *crossplane.Payload, err error) {
	err = guarded(func() error {
		var err error
		payload, err = crossplane.Parse(name, options)
		return err
	})
	return payload, err
}

// isImages says whether a file is one of those that nginx' images come with.
func isImages(file string) bool {
	return path.Dir(file) == "/etc/nginx" || strings.HasPrefix(file, "/usr/share/nginx/")
}

// nginxDirectives are the directives that there are.
var nginxDirectives = []crossplane.MatchFunc{
	crossplane.MatchOssLatest, crossplane.MatchNjsLatest, crossplane.MatchOtelLatest,
}

// loadsModules says whether a configuration loads modules, whose directives
// aren't known.
func loadsModules(content string) bool {
	for line := range strings.Lines(content) {
		if strings.HasPrefix(strings.TrimSpace(line), "load_module") {
			return true
		}
	}
	return false
}

func nginxProblem(e crossplane.ConfigError) problem {
	out := problem{message: e.Error.Error()}
	var parse *crossplane.ParseError
	if errors.As(e.Error, &parse) {
		out.message = parse.What
	}
	if e.Line != nil {
		out.line = *e.Line
	}
	return out
}

// contexts are the blocks around a snippet, by the innermost.
var contexts = map[string][]string{
	"main":     nil,
	"http":     {"http"},
	"server":   {"http", "server"},
	"location": {"http", "server", "location /"},
	"stream":   {"stream"},
}

// snippet checks a part of a configuration that nginx reads inside of some block.
func snippet(t *text, context string) []check.Finding {
	// Braces first: a snippet that ends its block and begins another is as wrong
	// as one that doesn't end its own.
	depth := 0
	for token := range crossplane.Lex(strings.NewReader(t.content)) {
		if token.Error != nil {
			problem := nginxProblem(crossplane.ConfigError{Error: token.Error, Line: &token.Line})
			var parse *crossplane.ParseError
			if errors.As(token.Error, &parse) && parse.Line != nil {
				problem.line = *parse.Line
			}
			return []check.Finding{t.at(problem.line, problem.message, fixNginx)}
		}
		switch {
		case token.IsQuoted:
		case token.Value == "{":
			depth++
		case token.Value == "}":
			depth--
		}
	}
	if depth != 0 {
		return []check.Finding{t.at(0, "braces aren't balanced", fixNginx)}
	}
	// In the first line, so that lines stay what they are.
	before, after := "", ""
	for _, block := range contexts[context] {
		before += block + " {"
		after += "}"
	}
	const name = "/snippet"
	payload, err := parseNginx(name, &crossplane.ParseOptions{
		ErrorOnUnknownDirectives: true,
		SingleFile:               true,
		DirectiveSources:         nginxDirectives,
		Open: func(string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(before + t.content + "\n" + after)), nil
		},
	})
	if err != nil {
		return []check.Finding{t.at(0, err.Error(), fixNginx)}
	}
	var out []check.Finding
	for _, config := range payload.Config {
		for _, e := range config.Errors {
			problem := nginxProblem(e)
			out = append(out, t.at(problem.line, problem.message, fixNginx))
		}
	}
	return out
}
