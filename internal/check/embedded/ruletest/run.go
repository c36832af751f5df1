package ruletest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
)

// Result is what running a file of tests gave.
type Result struct {
	Problems []Problem
	// Fires and Silent are the alerts that a test wants to fire, or not to.
	Fires, Silent map[string]bool
	// Expressions are those that are tested.
	Expressions []string
}

// Run runs the tests on files of rules, which are given by the names that the
// tests have for them. The rules must be valid.
func (f *File) Run(ctx context.Context, files map[string]string) Result {
	result := Result{Fires: map[string]bool{}, Silent: map[string]bool{}}
	known := map[string]bool{}
	for _, content := range files {
		groups, _ := rulefmt.Parse([]byte(content), false, model.UTF8Validation)
		if groups == nil {
			continue
		}
		for _, group := range groups.Groups {
			for _, rule := range group.Rules {
				known[rule.Alert] = true
			}
		}
	}
	for i := range f.tests {
		run := &run{file: f, index: i, test: &f.tests[i], files: files, memory: newMemory()}
		run.run(ctx)
		result.Problems = append(result.Problems, run.problems...)
		for j, a := range run.test.Alerts {
			switch {
			case !known[a.Alertname]:
				result.Problems = append(result.Problems, Problem{f.line("tests", i, "alert_rule_test", j, "alertname"), fmt.Sprintf("there is no alert %s in the rules", a.Alertname)})
			case len(a.Expected) > 0:
				result.Fires[a.Alertname] = true
			default:
				result.Silent[a.Alertname] = true
			}
		}
		for _, e := range run.test.Expressions {
			result.Expressions = append(result.Expressions, e.Expr)
		}
	}
	slices.SortStableFunc(result.Problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return result
}

// run is one test under way.
type run struct {
	file     *File
	index    int
	test     *test
	files    map[string]string
	memory   *memory
	engine   *promql.Engine
	problems []Problem
}

func (r *run) problem(path []any, format string, args ...any) {
	path = append([]any{"tests", r.index}, path...)
	message := fmt.Sprintf(format, args...)
	if r.test.Name != "" {
		message = r.test.Name + ": " + message
	}
	r.problems = append(r.problems, Problem{r.file.line(path...), message})
}

// Bounds of a query, as a Prometheus has them.
const (
	maxSamples   = 50_000_000
	queryTimeout = time.Minute
)

func (r *run) run(ctx context.Context) {
	for i, s := range r.test.InputSeries {
		if err := r.memory.load(s.Series, s.Values, r.test.start.UnixMilli(), time.Duration(r.test.Interval).Milliseconds()); err != nil {
			r.problem([]any{"input_series", i}, "%v", err)
		}
	}
	if len(r.problems) > 0 {
		return
	}
	r.engine = promql.NewEngine(promql.EngineOpts{
		MaxSamples:               maxSamples,
		Timeout:                  queryTimeout,
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return r.file.interval.Milliseconds() },
	})
	defer r.engine.Close()

	groups, ok := r.groups(ctx)
	if !ok {
		return
	}
	due := r.due()
	for at := time.Duration(0); at <= r.test.last(); at += r.file.interval {
		now := r.test.start.Add(at)
		r.memory.till = now.UnixMilli()
		if !r.evaluate(ctx, groups, now) {
			return
		}
		// A moment between two evaluations sees the earlier one.
		for len(due) > 0 && time.Duration(r.test.Alerts[due[0]].EvalTime) < at+r.file.interval {
			r.alerts(groups, due[0])
			due = due[1:]
		}
	}
	for i := range r.test.Expressions {
		r.expression(ctx, i)
	}
}

// groups are the groups of rules in the order in which they are evaluated.
func (r *run) groups(ctx context.Context) ([]*rules.Group, bool) {
	manager := rules.NewManager(&rules.ManagerOptions{
		NameValidationScheme: model.UTF8Validation,
		QueryFunc:            rules.EngineQueryFunc(r.engine, r.memory),
		NotifyFunc:           func(context.Context, string, ...*rules.Alert) {},
		Appendable:           r.memory,
		Queryable:            r.memory,
		Context:              ctx,
		Logger:               promslog.NewNopLogger(),
		GroupLoader:          &loader{files: r.files, needed: r.test.needed(r.files)},
	})
	byKey, errs := manager.LoadGroups(time.Duration(r.test.Interval), r.test.ExternalLabels, r.test.ExternalURL, nil, false, slices.Sorted(maps.Keys(r.files))...)
	for _, err := range errs {
		r.problem(nil, "the rules can't be loaded: %v", err)
	}
	groups := slices.Collect(maps.Values(byKey))
	slices.SortFunc(groups, func(a, b *rules.Group) int {
		return cmp.Or(cmp.Compare(r.file.order[a.Name()], r.file.order[b.Name()]), strings.Compare(a.File(), b.File()), strings.Compare(a.Name(), b.Name()))
	})
	for _, group := range groups {
		for _, rule := range group.Rules() {
			if alert, ok := rule.(*rules.AlertingRule); ok {
				// Else it waits for its state of before, and isn't recorded.
				alert.SetRestored(true)
			}
		}
	}
	return groups, len(errs) == 0
}

func (r *run) evaluate(ctx context.Context, groups []*rules.Group, now time.Time) bool {
	ok := true
	for _, group := range groups {
		group.Eval(ctx, now)
		for _, rule := range group.Rules() {
			if err := rule.LastError(); err != nil {
				r.problem(nil, "rule %s can't be evaluated at %s: %v", rule.Name(), model.Duration(now.Sub(r.test.start)), err)
				ok = false
			}
		}
	}
	return ok
}

// due are the tests of alerts in the order of their time.
func (r *run) due() []int {
	due := make([]int, len(r.test.Alerts))
	for i := range due {
		due[i] = i
	}
	slices.SortStableFunc(due, func(a, b int) int {
		return cmp.Compare(r.test.Alerts[a].EvalTime, r.test.Alerts[b].EvalTime)
	})
	return due
}

// firing is an alert that fires, or should.
type firing struct{ labels, annotations labels.Labels }

func (f firing) compare(other firing) int {
	return cmp.Or(labels.Compare(f.labels, other.labels), labels.Compare(f.annotations, other.annotations))
}

// alerts compares what fires now with what a test expects.
func (r *run) alerts(groups []*rules.Group, index int) {
	t := r.test.Alerts[index]
	var got, want []firing
	for _, group := range groups {
		for _, rule := range group.Rules() {
			alert, ok := rule.(*rules.AlertingRule)
			if !ok || alert.Name() != t.Alertname {
				continue
			}
			for _, a := range alert.ActiveAlerts() {
				if a.State == rules.StateFiring {
					got = append(got, firing{a.Labels, a.Annotations})
				}
			}
		}
	}
	for _, e := range t.Expected {
		all := maps.Clone(e.Labels)
		if all == nil {
			all = map[string]string{}
		}
		all[labels.AlertName] = t.Alertname
		want = append(want, firing{labels.FromMap(all), labels.FromMap(e.Annotations)})
	}
	slices.SortFunc(got, firing.compare)
	slices.SortFunc(want, firing.compare)
	if message := differ(got, want); message != "" {
		r.problem([]any{"alert_rule_test", index}, "alert %s at %s: %s", t.Alertname, t.EvalTime, message)
	}
}

// differ says how alerts differ from those that are expected.
func differ(got, want []firing) string {
	list := func(all []firing) string {
		if len(all) == 0 {
			return "nothing"
		}
		var parts []string
		for _, f := range all {
			parts = append(parts, text(f.labels, labels.AlertName))
		}
		return strings.Join(parts, " and ")
	}
	same := func(a, b firing) bool { return labels.Equal(a.labels, b.labels) }
	if !slices.EqualFunc(got, want, same) {
		return fmt.Sprintf("%s fires, and not %s", list(got), list(want))
	}
	for i := range got {
		if !labels.Equal(got[i].annotations, want[i].annotations) {
			return fmt.Sprintf("%s has annotations %s, and not %s", text(got[i].labels, labels.AlertName), text(got[i].annotations), text(want[i].annotations))
		}
	}
	return ""
}

// sample is a value that an expression gives, or should.
type sample struct {
	metric    labels.Labels
	value     float64
	histogram *histogram.FloatHistogram
}

func (s sample) String() string {
	metric := s.metric.Get(model.MetricNameLabel)
	if rest := text(s.metric, model.MetricNameLabel); rest != "{}" || metric == "" {
		metric += rest
	}
	if s.histogram != nil {
		return metric + " " + s.histogram.TestExpression()
	}
	return metric + " " + model.SampleValue(s.value).String()
}

// expression compares what an expression gives with what a test expects.
func (r *run) expression(ctx context.Context, index int) {
	t := r.test.Expressions[index]
	path := []any{"promql_expr_test", index}
	got, err := r.query(ctx, t.Expr, r.test.start.Add(time.Duration(t.EvalTime)))
	if err != nil {
		r.problem(append(path, "expr"), "%v", err)
		return
	}
	var want []sample
	for i, e := range t.Expected {
		s := sample{value: e.Value}
		s.metric, err = parser.ParseMetric(e.Labels)
		if err == nil && e.Histogram != "" {
			s.histogram, err = parseHistogram(e.Histogram)
		}
		if err != nil {
			r.problem(append(path, "exp_samples", i), "%v", err)
			return
		}
		want = append(want, s)
	}
	sorted := func(a, b sample) int { return labels.Compare(a.metric, b.metric) }
	slices.SortFunc(got, sorted)
	slices.SortFunc(want, sorted)
	if !slices.EqualFunc(got, want, r.same) {
		r.problem(path, "%s at %s: it is %s, and not %s", t.Expr, t.EvalTime, join(got), join(want))
	}
}

func join(samples []sample) string {
	if len(samples) == 0 {
		return "nothing"
	}
	var parts []string
	for _, s := range samples {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, " and ")
}

func (r *run) same(a, b sample) bool {
	if !labels.Equal(a.metric, b.metric) || (a.histogram == nil) != (b.histogram == nil) {
		return false
	}
	if a.histogram != nil {
		return a.histogram.TestExpression() == b.histogram.TestExpression()
	}
	x, y := a.value, b.value
	if x == y || math.IsNaN(x) && math.IsNaN(y) {
		return true
	}
	return r.file.fuzzy && (math.Nextafter(x, y) == y)
}

func parseHistogram(s string) (*histogram.FloatHistogram, error) {
	_, values, err := parser.ParseSeriesDesc("{} " + s)
	if err != nil {
		return nil, err
	}
	if len(values) != 1 || values[0].Histogram == nil {
		return nil, fmt.Errorf("%s is no histogram", s)
	}
	return values[0].Histogram, nil
}

func (r *run) query(ctx context.Context, expr string, at time.Time) ([]sample, error) {
	query, err := r.engine.NewInstantQuery(ctx, r.memory, nil, expr, at)
	if err != nil {
		return nil, err
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return nil, result.Err
	}
	switch v := result.Value.(type) {
	case promql.Vector:
		var out []sample
		for _, s := range v {
			out = append(out, sample{s.Metric, s.F, s.H})
		}
		return out, nil
	case promql.Scalar:
		return []sample{{metric: labels.EmptyLabels(), value: v.V}}, nil
	}
	return nil, fmt.Errorf("%s gives a %s, which has no samples", expr, result.Value.Type())
}
