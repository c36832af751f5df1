package embedded

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/types"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"go.yaml.in/yaml/v3"

	"platform/internal/check"
)

// alertmanagerVersion is that of the parser.
const alertmanagerVersion = "0.31"

const fixAlertmanager = "Mend it in the stack that renders it. It is read by the parser of Alertmanager " + alertmanagerVersion + ": what came later, it doesn't know."

func findAlertmanager(ctx context.Context, r *check.Repository) ([]check.Finding, error) {
	return each(ctx, r, func(c *cluster) []check.Finding {
		var out []check.Finding
		for _, p := range c.programs(named("alertmanager")) {
			out = append(out, p.alertmanager()...)
		}
		return out
	})
}

func (p *program) alertmanager() []check.Finding {
	var out []check.Finding
	name, field, explicit := p.flag("config.file")
	if !explicit {
		name = "/etc/alertmanager/alertmanager.yml"
	}
	file := p.file(name)
	if file.missing {
		if explicit {
			out = append(out, p.at(field, fmt.Sprintf("--config.file is %s, but %s", name, file.why), "Mount the configuration there, or name its place."))
		}
		return out
	}
	t := file.text
	if t == nil {
		return nil
	}
	features, field, _ := p.flag("enable-feature")
	flags, err := featurecontrol.NewFlags(promslog.NewNopLogger(), features)
	if err != nil {
		out = append(out, p.at(field, fmt.Sprintf("--enable-feature: %v", err), "Name features that Alertmanager has."))
	}
	load := func(content string) error { return loadAlertmanager(content, flags) }
	tree := parseYAML(t.content)
	found := loadProblems(t.content, load)
	for _, problem := range found {
		out = append(out, t.at(problem.line, problem.message, fixAlertmanager))
	}
	out = append(out, p.references(t, tree, path.Dir(name))...)
	out = append(out, p.templates(t, tree, path.Dir(name))...)
	if len(found) == 0 {
		out = append(out, unreached(t, tree)...)
	}
	return out
}

// How matchers are read is a setting of the whole process.
var alertmanagerParser sync.Mutex

func loadAlertmanager(content string, flags featurecontrol.Flagger) error {
	alertmanagerParser.Lock()
	defer alertmanagerParser.Unlock()
	if flags != nil {
		compat.InitFromFlags(promslog.NewNopLogger(), flags)
	}
	return guarded(func() error {
		_, err := config.Load(content)
		return err
	})
}

// templates parses the files of templates, and every text of a receiver that may
// use them.
func (p *program) templates(t *text, tree *yaml.Node, dir string) []check.Finding {
	var out []check.Finding
	if len(tree.Content) == 0 {
		return nil
	}
	all, err := template.FromGlobs(nil)
	if err != nil {
		return nil // its own are linked into it
	}
	complete := true
	_, patterns := field(tree.Content[0], "templates")
	if patterns != nil && patterns.Kind == yaml.SequenceNode {
		for _, pattern := range patterns.Content {
			name := pattern.Value
			if !path.IsAbs(name) {
				name = path.Join(dir, name)
			}
			files, open := p.glob(name)
			if len(files) == 0 && !open {
				out = append(out, t.at(pattern.Line, fmt.Sprintf("templates has %s, which no file in the container matches", pattern.Value), "Mount the templates there, or name their place."))
			}
			complete = complete && !open
			for _, file := range files {
				if err := all.Parse(strings.NewReader(file.content)); err != nil {
					problem := templateProblem(err)
					out = append(out, file.at(problem.line, problem.message, "Mend the template."))
					complete = false
				}
			}
		}
	}
	if !complete {
		return out // what they would define isn't known
	}
	_, receivers := field(tree.Content[0], "receivers")
	if receivers == nil {
		return out
	}
	all.ExternalURL = &url.URL{Scheme: "https", Host: "alertmanager.example.net"}
	data := all.Data("receiver", nil, sampleAlert)
	scalars(receivers, func(value *yaml.Node) {
		if !strings.Contains(value.Value, "{{") {
			return
		}
		if _, err := all.ExecuteTextString(value.Value, data); err != nil {
			out = append(out, t.at(value.Line, templateProblem(err).message, "Mend the template."))
		}
	})
	return out
}

// sampleAlert is what templates are tried on.
var sampleAlert = &types.Alert{Alert: model.Alert{
	Labels:      model.LabelSet{"alertname": "Sample", "severity": "critical", "namespace": "sample"},
	Annotations: model.LabelSet{"summary": "Something is wrong.", "runbook_url": "https://example.net/"},
	StartsAt:    time.Unix(0, 0).UTC(),
}}

var templatePosition = regexp.MustCompile(`^template: [^:]*:(\d+)(?::\d+)?: (.*)$`)

// templateProblem takes an error of a template apart.
func templateProblem(err error) problem {
	m := templatePosition.FindStringSubmatch(err.Error())
	if m == nil {
		return problem{message: err.Error()}
	}
	line, _ := strconv.Atoi(m[1])
	return problem{line, "template: " + m[2]}
}

// scalars calls a function for each text of a tree that isn't a key.
func scalars(node *yaml.Node, f func(*yaml.Node)) {
	switch node.Kind {
	case yaml.ScalarNode:
		f(node)
	case yaml.SequenceNode, yaml.DocumentNode:
		for _, part := range node.Content {
			scalars(part, f)
		}
	case yaml.MappingNode:
		for i := 1; i < len(node.Content); i += 2 {
			scalars(node.Content[i], f)
		}
	}
}

// unreached are receivers that no route leads to. Nobody wrote them to be told
// nothing.
func unreached(t *text, tree *yaml.Node) []check.Finding {
	if len(tree.Content) == 0 {
		return nil
	}
	used := map[string]bool{}
	_, route := field(tree.Content[0], "route")
	var visit func(*yaml.Node)
	visit = func(route *yaml.Node) {
		if _, receiver := field(route, "receiver"); receiver != nil {
			used[receiver.Value] = true
		}
		if _, routes := field(route, "routes"); routes != nil {
			for _, inner := range routes.Content {
				visit(inner)
			}
		}
	}
	visit(route)
	var out []check.Finding
	_, receivers := field(tree.Content[0], "receivers")
	if receivers == nil || receivers.Kind != yaml.SequenceNode {
		return nil
	}
	for _, receiver := range receivers.Content {
		if _, name := field(receiver, "name"); name != nil && !used[name.Value] {
			f := t.at(name.Line, fmt.Sprintf("no route leads to receiver %s", name.Value), "Add a route, or remove the receiver.")
			f.Level = check.Warning
			out = append(out, f)
		}
	}
	return out
}
