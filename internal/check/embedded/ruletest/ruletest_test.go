package ruletest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const ruleFile = `groups:
- name: b
  rules:
  - {alert: Down, expr: up == 0, for: 2m, labels: {severity: critical}, annotations: {summary: "{{ $labels.job }} is down"}}
  - {alert: Busy, expr: "busy:ratio > 0.5"}
  - {alert: Both, expr: 'ALERTS{alertname="Busy"}'}
- name: a
  rules:
  - {record: "busy:ratio", expr: busy / total}
`

// runTests runs tests on the rules and gives what is wrong, as lines.
func runTests(t *testing.T, tests string) (Result, []string) {
	t.Helper()
	f, problems := Parse([]byte("rule_files: [r.yml]\n" + tests))
	if len(problems) > 0 {
		t.Fatalf("%s\n%v", tests, problems)
	}
	result := f.Run(t.Context(), map[string]string{"r.yml": ruleFile})
	var got []string
	for _, p := range result.Problems {
		got = append(got, fmt.Sprintf("%d: %s", p.Line, p.Message))
	}
	return result, got
}

func TestRun(t *testing.T) {
	const down = `tests:
- interval: 1m
  input_series:
  - {series: 'up{job="a"}', values: 1x2 0x10}
  - {series: 'up{job="b"}', values: 1x12}
  alert_rule_test:
`
	const firing = `  - {eval_time: 5m, alertname: Down, exp_alerts: [{exp_labels: {job: %s, severity: critical}, exp_annotations: {summary: %s is down}}]}
`
	for _, c := range []struct {
		name, tests string
		want        []string
	}{
		{"fires", down + fmt.Sprintf(firing, "a", "a"), nil},
		{"not yet", down + "  - {eval_time: 4m, alertname: Down}\n", nil},
		{"between evaluations", down + "  - {eval_time: 4m59s, alertname: Down}\n", nil},
		{"too early", down + strings.Replace(fmt.Sprintf(firing, "a", "a"), "5m", "4m", 1), []string{`8: alert Down at 4m: nothing fires, and not {job="a", severity="critical"}`}},
		{"another fires", down + fmt.Sprintf(firing, "b", "b"), []string{`8: alert Down at 5m: {job="a", severity="critical"} fires, and not {job="b", severity="critical"}`}},
		{"nothing should", down + "  - {eval_time: 5m, alertname: Down}\n", []string{`8: alert Down at 5m: {job="a", severity="critical"} fires, and not nothing`}},
		{"annotations", down + fmt.Sprintf(firing, "a", "b"), []string{`8: alert Down at 5m: {job="a", severity="critical"} has annotations {summary="a is down"}, and not {summary="b is down"}`}},
		{"no such alert", down + "  - {eval_time: 5m, alertname: Dwon}\n", []string{"8: there is no alert Dwon in the rules"}},
		{"name", strings.Replace(down, "- interval", "- name: first\n  interval", 1) + "  - {eval_time: 5m, alertname: Down}\n", []string{`9: first: alert Down at 5m: {job="a", severity="critical"} fires, and not nothing`}},
		{
			"recorded first, by order", `group_eval_order: [a, b]
tests:
- input_series:
  - {series: busy, values: 3 3}
  - {series: total, values: 4 4}
  alert_rule_test:
  - {eval_time: 0m, alertname: Busy, exp_alerts: [{}]}
  promql_expr_test:
  - {expr: 'busy:ratio', eval_time: 0m, exp_samples: [{labels: 'busy:ratio', value: 0.75}]}
`, nil,
		},
		{
			"recorded later, by order", `group_eval_order: [b, a]
tests:
- input_series:
  - {series: busy, values: 3 3}
  - {series: total, values: 4 4}
  alert_rule_test:
  - {eval_time: 0m, alertname: Busy}
  - {eval_time: 1m, alertname: Busy, exp_alerts: [{}]}
  - {eval_time: 1m, alertname: Both, exp_alerts: [{exp_labels: {alertstate: firing}}]}
`, nil,
		},
		{
			"the future isn't known", `tests:
- input_series: [{series: up, values: 0 1 2 3}]
  promql_expr_test:
  - {expr: 'up offset -1m', eval_time: 2m, exp_samples: [{labels: up, value: 2}]}
  - {expr: 'up offset 1m', eval_time: 2m, exp_samples: [{labels: '{__name__="up"}', value: 1}]}
`, nil,
		},
		{
			"stale and missing", `tests:
- interval: 1m
  input_series: [{series: up, values: 1 stale _ 2 _x10}]
  promql_expr_test:
  - {expr: up, eval_time: 1m, exp_samples: []}
  - {expr: up, eval_time: 7m, exp_samples: [{labels: up, value: 2}]}
  - {expr: up, eval_time: 8m, exp_samples: []}
`, nil,
		},
		{
			"values", `tests:
- input_series: [{series: 'a{x="1"}', values: 0.1+0.2x3}, {series: 'b{x="1"}', values: '{{schema:0 sum:4 count:2 buckets:[2]}}x3'}]
  promql_expr_test:
  - {expr: a, eval_time: 1m, exp_samples: [{labels: 'a{x="1"}', value: 0.4}]}
  - {expr: b, eval_time: 1m, exp_samples: [{labels: 'b{x="1"}', histogram: '{{schema:0 sum:4 count:2 buckets:[2]}}'}]}
  - {expr: b, eval_time: 1m, exp_samples: [{labels: 'b{x="1"}', value: 1}]}
  - {expr: "1 + 1", eval_time: 1m, exp_samples: [{labels: '{}', value: 2}]}
  - {expr: "0 / 0", eval_time: 1m, exp_samples: [{labels: '{}', value: .nan}]}
  - {expr: '"text"', eval_time: 1m}
  - {expr: "a +", eval_time: 1m}
  - {expr: "a", eval_time: 1m, exp_samples: [{labels: '{', value: 2}]}
`, []string{
				`5: a at 1m: it is a{x="1"} 0.30000000000000004, and not a{x="1"} 0.4`,
				`7: b at 1m: it is b{x="1"} {{count:2 sum:4 buckets:[2]}}, and not b{x="1"} 1`,
				`10: "text" gives a string, which has no samples`,
				`11: 1:4: parse error: unexpected end of input`,
				`12: 1:2: parse error: unexpected end of input inside braces`,
			},
		},
		{
			"fuzzy", `fuzzy_compare: true
tests:
- input_series: [{series: a, values: 0.1+0.2x3}]
  promql_expr_test: [{expr: a, eval_time: 1m, exp_samples: [{labels: a, value: 0.3}]}]
`, nil,
		},
		{
			"start", `tests:
- start_timestamp: "2026-01-01T00:00:00Z"
  input_series: [{series: a, values: 1 2 3}]
  promql_expr_test:
  - {expr: "year(vector(time())) + minute()", eval_time: 1m, exp_samples: [{labels: '{}', value: 2027}]}
  - {expr: a, eval_time: 1m, exp_samples: [{labels: a, value: 2}]}
`, nil,
		},
		{
			"series", `tests:
- input_series: [{series: a, values: 1}, {series: 'a{', values: 1}, {series: a, values: 2}]
  promql_expr_test: [{expr: a}]
`, []string{`3: 1:4: parse error: unexpected character inside braces: '1'`, "3: series a is there twice"},
		},
		{
			"cannot be evaluated", `tests:
- input_series: [{series: 'busy{x="1"}', values: 1}, {series: 'busy{x="1",y="2"}', values: 1}, {series: total, values: 1}]
  promql_expr_test: [{expr: 'busy / on(x) busy', eval_time: 0m}]
`, []string{`4: found duplicate series for the match group {x="1"} on the right hand-side of the operation: [{__name__="busy", x="1", y="2"}, {__name__="busy", x="1"}];many-to-many matching not allowed: matching labels must be unique on one side`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, got := runTests(t, c.tests)
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
			}
		})
	}
}

func TestRunErrors(t *testing.T) {
	f, problems := Parse([]byte("rule_files: [r.yml]\ntests: [{input_series: [{series: 'a{x=\"1\"}', values: 1}, {series: 'a{x=\"2\"}', values: 1}], alert_rule_test: [{eval_time: 0m, alertname: A}]}]"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	result := f.Run(t.Context(), map[string]string{"r.yml": "groups: [{name: g, rules: [{alert: A, expr: a + on() a}]}]"})
	if len(result.Problems) != 1 || !strings.Contains(result.Problems[0].Message, "rule A can't be evaluated at 0s: found duplicate series") {
		t.Errorf("got %v", result.Problems)
	}
}

func TestResult(t *testing.T) {
	result, _ := runTests(t, `tests:
- alert_rule_test:
  - {eval_time: 1m, alertname: Down}
  - {eval_time: 1m, alertname: Busy, exp_alerts: [{}]}
  promql_expr_test: [{expr: busy, eval_time: 1m}]
`)
	if !result.Silent["Down"] || result.Fires["Down"] || !result.Fires["Busy"] || result.Silent["Busy"] || !slices.Equal(result.Expressions, []string{"busy"}) {
		t.Errorf("got %+v", result)
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", []string{"1: rule_files names no file", "1: there are no tests in it"}},
		{"rule_files: [a]\ntest: []", []string{"2: there is no field test here"}},
		{"rule_files: [a]\n\ttests: []", []string{"2: found character that cannot start any token"}},
		{"rule_files: [a]\ntests:\n- alert_rule_test:\n  - {eval_time: x}", []string{`1: not a valid duration string: "x"`}},
		{"rule_files: [a]\ntests:\n- alert_rule_test:\n  - {eval_time: 1m}", []string{"4: alertname is missing"}},
		{"rule_files: [a]\ntests:\n- promql_expr_test:\n  - {eval_time: 1m}", []string{"4: expr is missing"}},
		{"rule_files: [a]\ntests:\n- name: a\n- name: b", []string{"3: it tests nothing", "4: it tests nothing"}},
		{"rule_files: [a]\ngroup_eval_order:\n- a\n- a\ntests: [{promql_expr_test: [{expr: a}]}]", []string{"4: group a is named twice"}},
		{"rule_files: [a]\ntests:\n- {start_timestamp: today, promql_expr_test: [{expr: a}]}", []string{`3: "today" is neither RFC 3339 nor seconds`}},
		{"rule_files: [a]\nevaluation_interval: 1s\ntests:\n- {promql_expr_test: [{expr: a, eval_time: 1y}]}", []string{"4: it would take more than 527040 evaluations"}},
	} {
		_, problems := Parse([]byte(c.text))
		var got []string
		for _, p := range problems {
			got = append(got, fmt.Sprintf("%d: %s", p.Line, p.Message))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s\ngot  %s\nwant %s", c.text, strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
		}
	}
}
