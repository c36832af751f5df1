package embedded

import (
	"slices"
	"strings"
	"testing"

	"platform/internal/check/checktest"
)

// pod is a Deployment of one container, with volumes of the same name as what is
// mounted.
func pod(container, volumes string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app, namespace: shop}\nspec: {template: {spec: {containers: [{name: c, " + container + "}], volumes: [" + volumes + "]}}}"
}

func configMap(name, data string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: shop}\ndata:\n  " + strings.ReplaceAll(strings.TrimSpace(data), "\n", "\n  ")
}

const (
	prometheusImage = "image: 'registry.example.net:5000/mirror/prometheus:v3.1.0@sha256:abc'"
	configVolume    = "{name: config, configMap: {name: config}}"
)

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name, rule string
		objects    []string
		want       []string
	}{
		{
			"nothing to look at", "prometheus",
			[]string{pod("image: nginx", ""), configMap("config", "prometheus.yml: x")},
			nil,
		},
		{
			"the image's own configuration", "prometheus",
			[]string{pod(prometheusImage, "")},
			nil,
		},
		{
			"another command", "prometheus",
			[]string{pod(prometheusImage+", command: [promtool], args: [--config.file=/x]", "")},
			nil,
		},
		{
			"two arguments, one key", "prometheus",
			[]string{
				pod(prometheusImage+", args: [--config.file, /etc/p/own.yml], volumeMounts: [{name: config, mountPath: /etc/p/}]", "{name: config, configMap: {name: config, items: [{key: a, path: own.yml}]}}"),
				configMap("config", "a: |\n  scrape_configs:\n  - job_name: ''"),
			},
			[]string{"ConfigMap shop/config: data.a: line 2: job_name is empty"},
		},
		{
			"a subPath, and the default place", "prometheus",
			[]string{
				pod(prometheusImage+", volumeMounts: [{name: config, mountPath: /etc/prometheus/prometheus.yml, subPath: a}]", configVolume),
				configMap("config", "a: 'rule_files: [rules.yml, more/*.yml]'"),
			},
			[]string{
				"ConfigMap shop/config: data.a: line 1: rule_files has rules.yml, which no file in the container matches",
				"ConfigMap shop/config: data.a: line 1: rule_files has more/*.yml, which no file in the container matches",
			},
		},
		{
			"rules that can't be seen", "prometheus",
			[]string{
				pod(prometheusImage+", args: [--config.file=/a/a], volumeMounts: [{name: config, mountPath: /a}, {name: r, mountPath: /r}]", configVolume+", {name: r, emptyDir: {}}"),
				configMap("config", "a: 'rule_files: [/r/*.yml]'"),
			},
			nil,
		},
		{
			"a Secret, with rules beside it", "prometheus",
			[]string{
				pod(prometheusImage+", args: ['--config.file=/a/$(NAME)'], env: [{name: NAME, value: a}], volumeMounts: [{name: s, mountPath: /a}]", "{name: s, projected: {sources: [{secret: {name: config}}, {configMap: {name: rules}}]}}"),
				"apiVersion: v1\nkind: Secret\nmetadata: {name: config, namespace: shop}\nstringData: {a: 'rule_files: [r*.yml]'}",
				configMap("rules", "r.yml: 'groups: [{name: g, rules: [{record: a, expr: b}, {alert: A, expr: vector(1)}, {alert: B, expr: b, labels: {severity: warning}, annotations: {summary: B, runbook_url: \"https://wiki.example.net/b\"}}]}]'\nx.yml: ''\nr2.yml: 'groups: []'"),
			},
			[]string{
				`ConfigMap shop/rules: data["r.yml"]: line 1: alert A has no label severity`,
				`ConfigMap shop/rules: data["r.yml"]: line 1: alert A has no annotation summary`,
				`ConfigMap shop/rules: data["r.yml"]: line 1: alert A has no annotation runbook_url`,
				`ConfigMap shop/rules: data["r2.yml"]: line 1: there are no rules in it`,
				`warning: ConfigMap shop/rules: data["r.yml"]: line 1: no test looks at what a gives`,
				`warning: ConfigMap shop/rules: data["r.yml"]: line 1: alert A has no test`,
				`warning: ConfigMap shop/rules: data["r.yml"]: line 1: alert B has no test`,
			},
		},
		{
			"files that are named", "prometheus",
			[]string{
				pod(prometheusImage+", args: [--config.file=/a/a], volumeMounts: [{name: config, mountPath: /a}, {name: made, mountPath: /m}, {name: some, mountPath: /s}, {name: other, mountPath: /o}]",
					configVolume+", {name: made, secret: {secretName: made}}, {name: some, secret: {secretName: some, optional: true}}, {name: other, secret: {secretName: other}}"),
				configMap("config", "a: |\n  scrape_configs:\n  - job_name: a\n    authorization: {credentials_file: /m/token}\n    tls_config: {ca_file: /m/ca}\n  - job_name: b\n    tls_config: {ca_file: /s/ca, cert_file: /o/cert, key_file: key}\n  - job_name: c\n    tls_config: {ca_file: /etc/ssl/ca}"),
				"apiVersion: batch/v1\nkind: Job\nmetadata: {name: make, namespace: shop, annotations: {platform/provides: 'Secret made: ca'}}",
			},
			[]string{
				"ConfigMap shop/config: data.a: line 3: credentials_file is /m/token, but Secret made, which is mounted there, has no such file",
				"ConfigMap shop/config: data.a: line 6: key_file is /a/key, but ConfigMap config, which is mounted there, has no such file",
			},
		},
		{
			"no token", "prometheus",
			[]string{
				"apiVersion: v1\nkind: Pod\nmetadata: {name: app, namespace: shop}\nspec: {serviceAccountName: sa, containers: [{name: c, " + prometheusImage + ", args: [--config.file=/a/a], volumeMounts: [{name: config, mountPath: /a}]}], volumes: [" + configVolume + "]}",
				"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa, namespace: shop}\nautomountServiceAccountToken: false",
				configMap("config", "a: |\n  scrape_configs:\n  - job_name: a\n    authorization: {credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token}"),
			},
			[]string{"ConfigMap shop/config: data.a: line 3: credentials_file is /var/run/secrets/kubernetes.io/serviceaccount/token, but no volume is mounted there"},
		},
		{
			"two errors", "prometheus",
			[]string{
				pod(prometheusImage+", args: [--config.file=/a/a], volumeMounts: [{name: config, mountPath: /a}]", configVolume),
				configMap("config", "a: |\n  globl: {}\n  scrape_configs:\n  - job: a"),
			},
			[]string{
				"ConfigMap shop/config: data.a: line 1: there is no field globl here",
				"ConfigMap shop/config: data.a: line 3: there is no field job here",
			},
		},

		{
			"templates", "alertmanager",
			[]string{
				pod("image: alertmanager, args: [--config.file=/a/a], volumeMounts: [{name: config, mountPath: /a}]", configVolume),
				configMap("config", "a: |\n  templates: ['*.tmpl', /b/*.tmpl]\n  route: {receiver: r}\n  receivers:\n  - name: r\n    webhook_configs: [{url: 'http://a'}]\nx.tmpl: |\n  {{ define \"x\" }}\n  {{ end"),
			},
			[]string{
				`ConfigMap shop/config: data["x.tmpl"]: line 2: template: unclosed action`,
				"ConfigMap shop/config: data.a: line 1: templates has /b/*.tmpl, which no file in the container matches",
			},
		},
		{
			"a template of its own", "alertmanager",
			[]string{
				pod("image: alertmanager, args: [--config.file=/a/a], volumeMounts: [{name: config, mountPath: /a}]", configVolume),
				configMap("config", "a: |\n  templates: ['*.tmpl']\n  global: {slack_api_url: 'http://a'}\n  route: {receiver: r}\n  receivers:\n  - name: r\n    slack_configs:\n    - text: '{{ template \"x\" . }} {{ .CommonLabels.alertname }} {{ (index .Alerts 0).Annotations.summary }}'\n    - text: '{{ template \"y\" . }}'\nx.tmpl: '{{ define \"x\" }}x{{ end }}'"),
			},
			[]string{`ConfigMap shop/config: data.a: line 8: template: executing "" at <{{template "y" .}}>: template "y" not defined`},
		},

		{
			"an include, and a variable with a default", "fluentd",
			[]string{
				pod("image: fluent/fluentd:v1, env: [{name: FLUENTD_CONF, value: my.conf}], volumeMounts: [{name: config, mountPath: /fluentd/etc}]", configVolume),
				configMap("config", "my.conf: |\n  @include parts/none/*.conf\n  @include none.conf\n  @include x.conf\nx.conf: |\n  <match a>\n    @type x\n    v \"#{ENV['A']} #{ENV[\"B\"] || 'b'}\"\n  </match>"),
			},
			[]string{
				`ConfigMap shop/config: data["my.conf"]: line 2: @include none.conf: there is no such file`,
			},
		},
		{
			"a variable", "fluentd",
			[]string{
				pod("image: fluent/fluentd:v1, env: [{name: C, value: c}], volumeMounts: [{name: config, mountPath: /fluentd/etc}]", configVolume),
				configMap("config", "fluent.conf: |\n  @include x.conf\nx.conf: |\n  <match a>\n    @type x\n    v \"#{ENV['A']} #{ENV[\"B\"] || 'b'} #{ENV['C']}\"\n  </match>"),
			},
			[]string{`ConfigMap shop/config: data["x.conf"]: line 3: the container has no variable A`},
		},
		{
			"variables that can't be seen", "fluentd",
			[]string{
				pod("image: fluent/fluentd:v1, envFrom: [{secretRef: {name: some}}], volumeMounts: [{name: config, mountPath: /fluentd/etc}]", configVolume),
				configMap("config", "fluent.conf: |\n  <match a>\n    @type x\n    v \"#{ENV['A']}\"\n  </match>"),
			},
			nil,
		},

		{
			"parts of a configuration", "nginx",
			[]string{
				pod("image: nginx:1.29, volumeMounts: [{name: config, mountPath: /etc/nginx/conf.d}]", configVolume),
				configMap("config", "a.conf: |\n  server {\n    listen 80;\n    loction / { }\n  }\nb.txt: '}'"),
			},
			[]string{`ConfigMap shop/config: data["a.conf"]: line 3: unknown directive "loction"`},
		},
		{
			"a module", "nginx",
			[]string{
				pod("image: x, command: [nginx, -c, /a/nginx.conf], volumeMounts: [{name: config, mountPath: /a}]", configVolume),
				configMap("config", "nginx.conf: |\n  load_module modules/x.so;\n  events {}\n  http {\n    of_a_module on;\n    include parts/*.conf;\n    include p.conf;\n    worker_processes 1;\n  }\np.conf: 'server { listen; }'"),
			},
			[]string{
				`ConfigMap shop/config: data["nginx.conf"]: line 7: "worker_processes" directive is not allowed here`,
				`ConfigMap shop/config: data["p.conf"]: line 1: invalid number of arguments in "listen" directive`,
			},
		},

		{
			"a list of plugins", "jcasc",
			[]string{
				pod("image: jenkins/jenkins, command: [jenkins-plugin-cli, -f, /a/plugins.txt], volumeMounts: [{name: config, mountPath: /a}]", configVolume),
				configMap("config", "plugins.txt: |\n  # comment\n  git:5.1 # comment\n  job-dsl\n  a b:1\n  url:1.0:https://a/b.hpi\n"),
			},
			[]string{
				`ConfigMap shop/config: data["plugins.txt"]: line 3: plugin job-dsl has no exact version`,
				`ConfigMap shop/config: data["plugins.txt"]: line 4: "a b" is no name of a plugin`,
			},
		},
		{
			"a file, variables and a secret", "jcasc",
			[]string{
				pod("image: jenkins, env: [{name: CASC_JENKINS_CONFIG, value: '/a/a.yaml, https://a'}, {name: HOME, value: h}], volumeMounts: [{name: config, mountPath: /a}]", configVolume),
				configMap("config", "a.yaml: |\n  jenkins: {numExecutors: 0, systemMessage: '${HOME} ${X:-y} ^${Z} ${base64:${Y}} ${'}\n  x-anchors: {}\n  credentials: [{token: 'x', secretText: 'y', password: '{AQAA}', secret: '${readFile:/b}'}]\n  jobs: [{script: ' '}, {file: /b}, {url: 'http://a'}, {}]"),
			},
			[]string{
				`ConfigMap shop/config: data["a.yaml"]: line 3: token is in the clear`,
				`ConfigMap shop/config: data["a.yaml"]: line 4: the script of a job is empty`,
				`ConfigMap shop/config: data["a.yaml"]: line 4: the script is /b, but no volume is mounted there`,
				`ConfigMap shop/config: data["a.yaml"]: line 4: a job has neither script nor file nor url`,
				`ConfigMap shop/config: data["a.yaml"]: line 1: nothing provides the variable Y`,
				`ConfigMap shop/config: data["a.yaml"]: line 3: it reads /b, but no volume is mounted there`,
			},
		},
		{
			"no map, and nothing", "jcasc",
			[]string{
				pod("image: jenkins, env: [{name: CASC_JENKINS_CONFIG, value: /a}], volumeMounts: [{name: config, mountPath: /a}]", configVolume),
				configMap("config", "a.yaml: ''\nb.yml: '[]'\nc.yaml: 'a: b: c'"),
			},
			[]string{
				`ConfigMap shop/config: data["a.yaml"]: there is no configuration in it`,
				`ConfigMap shop/config: data["c.yaml"]: mapping values are not allowed in this context`,
				`ConfigMap shop/config: data["b.yml"]: line 1: it isn't a map of parts such as jenkins`,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cluster := checktest.Cluster(t, "dev", "{}", map[string]string{"shop": strings.Join(c.objects, "\n---\n")})
			if got := checktest.Find(t, Rules(), c.rule, cluster); !slices.Equal(got, c.want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
			}
		})
	}
}
