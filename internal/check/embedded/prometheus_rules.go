package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"go.yaml.in/yaml/v3"

	"platform/internal/check"
)

// severities are those that Alertmanager's routes and people know. none is for
// what must not reach anybody.
var severities = []string{"critical", "warning", "info", "none"}

const fixRules = "Mend the rule. It is read by the parser of Prometheus " + prometheusVersion + "."

// checkRules checks files of rules: that Prometheus can load them, and that each
// alert says how bad it is, what it is, and what to do.
func checkRules(files []namedText, books *runbooks, sources *sources) []check.Finding {
	var out []check.Finding
	for _, file := range files {
		if found := ruleProblems(file.content); len(found) > 0 {
			for _, problem := range found {
				out = append(out, sources.place(file.at(problem.line, problem.message, fixRules), problem.rule))
			}
			continue
		}
		eachRule(parseYAML(file.content), func(kind string, name, rule *yaml.Node) {
			if kind == "alert" {
				for _, f := range conventions(file.text, name, rule, books) {
					out = append(out, sources.place(f, name.Value))
				}
			}
		})
	}
	return out
}

var rulePosition = regexp.MustCompile(`^(\d+):\d+: (?:\d+:\d+: )?`)

// ruleProblems is what Prometheus' parser has against a file of rules.
func ruleProblems(content string) []ruleProblem {
	groups, errs := parseRules(content)
	var out []ruleProblem
	tree := parseYAML(content)
	for _, err := range errs {
		rule, line := "", 0
		var e *rulefmt.Error
		if errors.As(err, &e) {
			rule, line = e.RuleName, ruleLine(tree, e)
		}
		message := err.Error()
		if m := rulePosition.FindStringSubmatch(message); m != nil {
			if at, _ := strconv.Atoi(m[1]); at > 0 {
				line = at
			}
			out = append(out, ruleProblem{problem{line, strings.TrimPrefix(message, m[0])}, rule})
			continue
		}
		for _, p := range problems(err) {
			if p.line = cmp.Or(p.line, line); p.line == 0 {
				p.line = locate(content, loadRules, err)
			}
			out = append(out, ruleProblem{p, rule})
		}
	}
	// It decodes the text twice, and complains twice.
	out = slices.Compact(out)
	if groups != nil && len(groups.Groups) == 0 && len(out) == 0 {
		out = append(out, ruleProblem{problem: problem{1, "there are no rules in it"}})
	}
	return out
}

// loadRules gives the first thing that is wrong with a file of rules.
func loadRules(content string) error {
	if _, errs := parseRules(content); len(errs) > 0 {
		return errs[0]
	}
	return nil
}

func parseRules(content string) (groups *rulefmt.RuleGroups, errs []error) {
	err := guarded(func() error {
		groups, errs = rulefmt.Parse([]byte(content), false, model.UTF8Validation)
		return nil
	})
	if err != nil {
		errs = append(errs, err)
	}
	return groups, errs
}

// ruleProblem is what is wrong with a rule, or with a file as a whole.
type ruleProblem struct {
	problem
	rule string
}

// ruleLine is that of the rule that an error is about.
func ruleLine(tree *yaml.Node, e *rulefmt.Error) int {
	if len(tree.Content) == 0 {
		return 0
	}
	_, groups := field(tree.Content[0], "groups")
	if groups == nil {
		return 0
	}
	for _, group := range groups.Content {
		_, name := field(group, "name")
		_, rules := field(group, "rules")
		if name != nil && name.Value == e.Group && rules != nil && e.Rule <= len(rules.Content) {
			return rules.Content[e.Rule-1].Line
		}
	}
	return 0
}

// conventions checks what Prometheus leaves to its users.
func conventions(t *text, name, rule *yaml.Node, books *runbooks) []check.Finding {
	var out []check.Finding
	_, labels := field(rule, "labels")
	_, annotations := field(rule, "annotations")
	if _, severity := field(labels, "severity"); severity == nil {
		out = append(out, t.at(name.Line, fmt.Sprintf("alert %s has no label severity", name.Value), "Say how bad it is: "+strings.Join(severities, ", ")+"."))
	} else if !slices.Contains(severities, severity.Value) && !strings.Contains(severity.Value, "{{") {
		out = append(out, t.at(severity.Line, fmt.Sprintf("alert %s has severity %q, which nobody knows", name.Value, severity.Value), "Use one of "+strings.Join(severities, ", ")+"."))
	}
	if _, summary := field(annotations, "summary"); summary == nil || strings.TrimSpace(summary.Value) == "" {
		out = append(out, t.at(name.Line, fmt.Sprintf("alert %s has no annotation summary", name.Value), "Say in a sentence what is wrong."))
	}
	_, link := field(annotations, "runbook_url")
	if link == nil || link.Value == "" {
		return append(out, t.at(name.Line, fmt.Sprintf("alert %s has no annotation runbook_url", name.Value), "Write a section on what to do, and link to it."))
	}
	if why := books.broken(link.Value); why != "" {
		out = append(out, t.at(link.Line, fmt.Sprintf("alert %s links to a runbook that isn't there: %s", name.Value, why), "Write the section, with the alert's name as its heading."))
	}
	return out
}
