package ruletest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"go.yaml.in/yaml/v3"
)

// File is a file of tests.
type File struct {
	// Rules are the files of rules that it tests, as it names them.
	Rules []Reference
	// interval is that between evaluations.
	interval time.Duration
	order    map[string]int
	// fuzzy lets values differ in their last bit.
	fuzzy bool
	tests []test
	tree  *yaml.Node
}

// Reference is a name at a line.
type Reference struct {
	Name string
	Line int
}

// Problem is what is wrong, at a line of the file of tests.
type Problem struct {
	Line    int
	Message string
}

// format is the file as it is written. Names are promtool's.
type format struct {
	RuleFiles          []string       `yaml:"rule_files"`
	EvaluationInterval model.Duration `yaml:"evaluation_interval"`
	GroupEvalOrder     []string       `yaml:"group_eval_order"`
	FuzzyCompare       bool           `yaml:"fuzzy_compare"`
	Tests              []test         `yaml:"tests"`
}

type test struct {
	Name           string         `yaml:"name"`
	Interval       model.Duration `yaml:"interval"`
	StartTimestamp string         `yaml:"start_timestamp"`
	InputSeries    []struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	} `yaml:"input_series"`
	Alerts         []alertTest   `yaml:"alert_rule_test"`
	Expressions    []exprTest    `yaml:"promql_expr_test"`
	ExternalLabels labels.Labels `yaml:"external_labels"`
	ExternalURL    string        `yaml:"external_url"`

	start time.Time
}

type alertTest struct {
	EvalTime  model.Duration `yaml:"eval_time"`
	Alertname string         `yaml:"alertname"`
	Expected  []struct {
		Labels      map[string]string `yaml:"exp_labels"`
		Annotations map[string]string `yaml:"exp_annotations"`
	} `yaml:"exp_alerts"`
}

type exprTest struct {
	Expr     string         `yaml:"expr"`
	EvalTime model.Duration `yaml:"eval_time"`
	Expected []struct {
		Labels    string  `yaml:"labels"`
		Value     float64 `yaml:"value"`
		Histogram string  `yaml:"histogram"`
	} `yaml:"exp_samples"`
}

// maxEvaluations bounds what one test may take: a year by the minute.
const maxEvaluations = 366 * 24 * 60

// Parse reads a file of tests. A file with problems can't be run.
func Parse(data []byte) (*File, []Problem) {
	var in format
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&in); err != nil && !errors.Is(err, io.EOF) {
		return nil, parseProblems(err)
	}
	f := &File{interval: time.Duration(in.EvaluationInterval), order: map[string]int{}, fuzzy: in.FuzzyCompare, tests: in.Tests, tree: &yaml.Node{}}
	_ = yaml.Unmarshal(data, f.tree)
	if in.EvaluationInterval == 0 {
		f.interval = time.Minute
	}
	var problems []Problem
	add := func(line int, format string, args ...any) {
		problems = append(problems, Problem{line, fmt.Sprintf(format, args...)})
	}
	for i, name := range in.RuleFiles {
		f.Rules = append(f.Rules, Reference{name, f.line("rule_files", i)})
	}
	if len(f.Rules) == 0 {
		add(1, "rule_files names no file")
	}
	if len(f.tests) == 0 {
		add(1, "there are no tests in it")
	}
	for i, name := range in.GroupEvalOrder {
		if _, again := f.order[name]; again {
			add(f.line("group_eval_order", i), "group %s is named twice", name)
		}
		f.order[name] = i
	}
	for i := range f.tests {
		t := &f.tests[i]
		t.start = time.Unix(0, 0).UTC()
		if t.StartTimestamp != "" {
			start, err := parseTime(t.StartTimestamp)
			if err != nil {
				add(f.line("tests", i, "start_timestamp"), "%q is neither RFC 3339 nor seconds", t.StartTimestamp)
			}
			t.start = start
		}
		if t.Interval == 0 {
			t.Interval = model.Duration(f.interval)
		}
		if t.Interval < 0 || f.interval <= 0 || t.last()/f.interval > maxEvaluations {
			add(f.line("tests", i), "it would take more than %d evaluations", maxEvaluations)
		}
		for j, a := range t.Alerts {
			if a.Alertname == "" {
				add(f.line("tests", i, "alert_rule_test", j), "alertname is missing")
			}
		}
		for j, e := range t.Expressions {
			if e.Expr == "" {
				add(f.line("tests", i, "promql_expr_test", j), "expr is missing")
			}
		}
		if len(t.Alerts) == 0 && len(t.Expressions) == 0 {
			add(f.line("tests", i), "it tests nothing")
		}
	}
	return f, problems
}

// last is when the test ends.
func (t *test) last() time.Duration {
	var last model.Duration
	for _, a := range t.Alerts {
		last = max(last, a.EvalTime)
	}
	for _, e := range t.Expressions {
		last = max(last, e.EvalTime)
	}
	return time.Duration(last)
}

func parseTime(s string) (time.Time, error) {
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		return time.UnixMilli(int64(seconds * 1000)).UTC(), nil
	}
	return time.Parse(time.RFC3339Nano, s)
}

// line is that of the part of the file at a path of keys and indices, or of the
// last part of the path that there is.
func (f *File) line(path ...any) int {
	node, line := f.tree, 1
	if len(node.Content) > 0 {
		node = node.Content[0]
	}
	for _, step := range path {
		var next *yaml.Node
		switch step := step.(type) {
		case int:
			if node.Kind == yaml.SequenceNode && step < len(node.Content) {
				next = node.Content[step]
				line = next.Line
			}
		case string:
			for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
				if node.Content[i].Value == step {
					next = node.Content[i+1]
					line = node.Content[i].Line
				}
			}
		}
		if next == nil {
			break
		}
		node = next
	}
	return line
}

var (
	errorLine    = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
	unknownField = regexp.MustCompile(`field (\S+) not found in type \S+`)
)

// parseProblems takes an error of the YAML parser apart.
func parseProblems(err error) []Problem {
	var out []Problem
	for _, line := range strings.Split(err.Error(), "\n") {
		line = strings.TrimPrefix(strings.TrimSpace(line), "yaml: unmarshal errors:")
		if line == "" {
			continue
		}
		p := Problem{1, strings.TrimPrefix(line, "yaml: ")}
		if m := errorLine.FindStringSubmatch(line); m != nil {
			p.Line, _ = strconv.Atoi(m[1])
			p.Message = m[2]
		}
		p.Message = unknownField.ReplaceAllString(p.Message, "there is no field $1 here")
		out = append(out, p)
	}
	return out
}
