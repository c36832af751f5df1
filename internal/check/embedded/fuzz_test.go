package embedded

import (
	"strings"
	"testing"

	"platform/internal/check/checktest"
)

// What other people's parsers do with any text is checked as well: a panic of
// theirs would end the whole check.

func FuzzSnippet(f *testing.F) {
	cluster := newCluster(checktest.Cluster(f, "dev", "{}", map[string]string{"shop": configMap("config", "a: b")}))
	texts, _ := cluster.texts("ConfigMap", "shop", "config")
	for _, seed := range []string{
		"proxy_pass http://a;", "map $a $b {\n default 1;\n}", "location /a { return 200; }\n}\nserver {", "a \"b\\\"c\" 'd' # e\n;",
		"if ($a) { }", "include a;", "content_by_lua_block { }", "}", "{", "a b c",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		one := *texts["a"]
		one.content = content
		for context := range contexts {
			for _, finding := range snippet(&one, context) {
				if finding.Message == "" {
					t.Errorf("%s: %q: an empty message", context, content)
				}
			}
		}
	})
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"scrape_configs: [{job_name: a, ec2_sd_configs: [{region: a}], kubernetes_sd_configs: [{role: pod}]}]",
		"scrape_configs: [null]", "remote_write: [null]", "alerting: {alertmanagers: [null]}", "rule_files: [null]",
		"scrape_configs:\n- job_name: a\n- job_name: a\n", "aws_sd_configs: [{role: ec2}]", "global: null",
		"groups: [{name: a, rules: [{alert: A, expr: a, annotations: {a: '{{ .b }}'}}]}]", "groups: [null]", "groups: [{rules: [null]}]",
		"route: {receiver: a}\nreceivers: [{name: a, email_configs: [{to: a}]}]", "receivers: [null]", "route: null", "route: {routes: [null]}",
		"inhibit_rules: [null]", "modules: {a: {prober: http}}", "modules: {a: null}", "a: &a [*a]", "<<: {a: b}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		if strings.Contains(content, "_sd_configs") && len(content) > 1000 {
			t.Skip()
		}
		for _, load := range []func(string) error{
			loadPrometheus, loadRules, func(s string) error { return loadAlertmanager(s, nil) },
			func(s string) error { _, err := readBlackbox(s); return err },
		} {
			for _, problem := range loadProblems(content, load) {
				if lines := strings.Count(content, "\n") + 2; problem.line < 0 || problem.line > lines {
					t.Errorf("%q: %+v", content, problem)
				}
			}
		}
		ruleProblems(content)
		eachPlugin(content, func(line int, name, version string) {
			if line < 1 || line > strings.Count(content, "\n")+1 {
				t.Errorf("%q: %d: %s %s", content, line, name, version)
			}
		})
	})
}
