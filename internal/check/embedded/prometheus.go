package embedded

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	// What our configuration finds targets by: the parser knows a discovery
	// only if its package is linked.
	_ "github.com/prometheus/prometheus/discovery/aws"
	_ "github.com/prometheus/prometheus/discovery/kubernetes"
	"go.yaml.in/yaml/v3"

	"platform/internal/check"
)

// prometheusVersion is that of the parser. It may be older than the Prometheus
// that runs, since it must fit the Kubernetes libraries of kops.
const prometheusVersion = "3.9"

const fixPrometheus = "Mend it in the stack that renders it. It is read by the parser of Prometheus " + prometheusVersion + ": what came later, it doesn't know."

func findPrometheus(ctx context.Context, r *check.Repository) ([]check.Finding, error) {
	tests, out, err := readRuleTests(r.Config.Root)
	if err != nil {
		return nil, err
	}
	books := &runbooks{root: r.Config.Root}
	sources := &sources{root: r.Config.Root, files: r.Sources}
	found, err := each(ctx, r, func(c *cluster) []check.Finding {
		var out []check.Finding
		modules, found := c.blackbox()
		out = append(out, found...)
		for _, p := range c.programs(named("prometheus")) {
			rules, found := p.prometheus(modules)
			out = append(out, found...)
			out = append(out, checkRules(rules, books, sources)...)
			out = append(out, tests.run(ctx, c.Name, rules, sources)...)
		}
		return out
	})
	if err != nil {
		return nil, err
	}
	return append(append(out, found...), tests.unused(len(r.Clusters) == len(r.Config.Clusters))...), nil
}

// prometheus checks a Prometheus' configuration and gives the files of rules that
// it names.
func (p *program) prometheus(modules map[string]bool) (rules []namedText, out []check.Finding) {
	name, field, explicit := p.flag("config.file")
	if !explicit {
		name = "/etc/prometheus/prometheus.yml"
	}
	file := p.file(name)
	if file.missing {
		if explicit {
			out = append(out, p.at(field, fmt.Sprintf("--config.file is %s, but %s", name, file.why), "Mount the configuration there, or name its place."))
		}
		return nil, out
	}
	t := file.text
	if t == nil {
		return nil, nil
	}
	found := loadProblems(t.content, loadPrometheus)
	for _, problem := range found {
		out = append(out, t.at(problem.line, problem.message, fixPrometheus))
	}
	tree := parseYAML(t.content)
	out = append(out, p.references(t, tree, path.Dir(name))...)
	out = append(out, p.externalLabels(t, tree)...)
	out = append(out, p.modules(t, tree, modules)...)
	rules, missing := p.ruleFiles(t, tree, path.Dir(name))
	return rules, append(out, missing...)
}

// The parser fills in defaults that it shares.
var prometheusParser sync.Mutex

func loadPrometheus(content string) error {
	if problem, ok := unregional(content); ok {
		return fmt.Errorf("line %d: %s", problem.line, problem.message)
	}
	prometheusParser.Lock()
	defer prometheusParser.Unlock()
	return guarded(func() error {
		_, err := config.Load(content, promslog.NewNopLogger())
		return err
	})
}

// unregional finds a discovery in AWS that doesn't say its region. The parser
// would ask the machine that it runs on, over the network.
func unregional(content string) (problem, bool) {
	var out []problem
	walk(parseYAML(content), nil, func(_ []string, key, value *yaml.Node) {
		if !slices.Contains([]string{"ec2_sd_configs", "ecs_sd_configs", "lightsail_sd_configs", "aws_sd_configs"}, key.Value) || value.Kind != yaml.SequenceNode {
			return
		}
		for _, element := range value.Content {
			if _, region := field(element, "region"); region == nil || region.Value == "" {
				out = append(out, problem{element.Line, key.Value + " names no region"})
			}
		}
	})
	if len(out) == 0 {
		return problem{}, false
	}
	return out[0], true
}

// systemFiles are folders of images whose files are in no volume.
var systemFiles = []string{"/etc/ssl/", "/etc/pki/", "/usr/share/", "/usr/local/share/"}

// references checks the files that a configuration names: certificates, tokens,
// passwords, lists of targets.
func (p *program) references(t *text, tree *yaml.Node, dir string) []check.Finding {
	var out []check.Finding
	walk(tree, nil, func(_ []string, key, value *yaml.Node) {
		if !strings.HasSuffix(key.Value, "_file") || value.Kind != yaml.ScalarNode || value.Value == "" {
			return
		}
		name := value.Value
		if !path.IsAbs(name) {
			name = path.Join(dir, name)
		}
		isSystem := func(folder string) bool { return strings.HasPrefix(name, folder) }
		if file := p.file(name); file.missing && !slices.ContainsFunc(systemFiles, isSystem) {
			out = append(out, t.at(value.Line, fmt.Sprintf("%s is %s, but %s", key.Value, name, file.why), "Mount the file into the container, or name its place."))
		}
	})
	return out
}

// externalLabels checks the variables in the only place where Prometheus replaces
// them.
func (p *program) externalLabels(t *text, tree *yaml.Node) []check.Finding {
	var out []check.Finding
	walk(tree, nil, func(path []string, key, value *yaml.Node) {
		if !slices.Equal(path, []string{"global", "external_labels"}) {
			return
		}
		os.Expand(value.Value, func(name string) string {
			if name != "$" && !p.env.has(name) {
				out = append(out, t.at(value.Line, fmt.Sprintf("label %s takes the variable %s, which the container doesn't have", key.Value, name), "Add the variable to the container, or write $$ for a dollar sign."))
			}
			return ""
		})
	})
	return out
}

// modules checks the names of the blackbox exporter's modules.
func (p *program) modules(t *text, tree *yaml.Node, modules map[string]bool) []check.Finding {
	if len(modules) == 0 {
		return nil
	}
	var out []check.Finding
	walk(tree, nil, func(path []string, key, value *yaml.Node) {
		if !slices.Equal(path, []string{"scrape_configs", "params"}) || key.Value != "module" || value.Kind != yaml.SequenceNode {
			return
		}
		for _, module := range value.Content {
			if !modules[module.Value] {
				out = append(out, t.at(module.Line, fmt.Sprintf("no blackbox exporter of the cluster has a module %s", module.Value), "Add the module to the exporter's configuration, or name one that it has."))
			}
		}
	})
	return out
}

// ruleFiles finds the files that rule_files match.
func (p *program) ruleFiles(t *text, tree *yaml.Node, dir string) (rules []namedText, out []check.Finding) {
	if len(tree.Content) == 0 {
		return nil, nil
	}
	_, patterns := field(tree.Content[0], "rule_files")
	if patterns == nil || patterns.Kind != yaml.SequenceNode {
		return nil, nil
	}
	seen := map[string]bool{}
	for _, pattern := range patterns.Content {
		name := pattern.Value
		if !path.IsAbs(name) {
			name = path.Join(dir, name)
		}
		matched, open := p.glob(name)
		if len(matched) == 0 && !open {
			out = append(out, t.at(pattern.Line, fmt.Sprintf("rule_files has %s, which no file in the container matches", pattern.Value), "Mount the rules there, or name their place."))
		}
		for _, file := range matched {
			if !seen[file.path] {
				seen[file.path] = true
				rules = append(rules, file)
			}
		}
	}
	return rules, out
}
