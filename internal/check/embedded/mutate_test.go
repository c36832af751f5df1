package embedded

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"platform/internal/check"
	"platform/internal/config"
	"platform/internal/render"
)

// mutation is a way to spoil one rendered object, and what must be found then.
type mutation struct {
	rule string
	// object is kind, namespace and name; key is that of its data, or empty for
	// the object as JSON.
	object, key string
	old, new    string
	// want are parts of the only finding; line @ is that which is spoilt.
	want []string
}

const (
	prometheusConfig   = "ConfigMap monitoring/monitoring-prometheus"
	prometheusRules    = "ConfigMap monitoring/monitoring-prometheus-rules"
	prometheusPods     = "StatefulSet monitoring/monitoring-prometheus"
	alertmanagerConfig = "ConfigMap monitoring/monitoring-alertmanager"
	alertmanagerPods   = "StatefulSet monitoring/monitoring-alertmanager"
	blackboxConfig     = "ConfigMap monitoring/monitoring-blackbox"
	fluentdConfig      = "ConfigMap fluentd/fluentd"
	fluentdPods        = "DaemonSet fluentd/fluentd"
	nginxConfig        = "ConfigMap nginx-ingress/nginx"
	nginxPods          = "Deployment nginx-ingress/nginx"
	backendConfig      = "ConfigMap nginx-ingress/nginx-default-backend"
	backendPods        = "Deployment nginx-ingress/nginx-default-backend"
	jenkinsConfig      = "ConfigMap jenkins/jenkins"
	jenkinsPluginList  = "ConfigMap jenkins/jenkins-plugins"
	jenkinsPods        = "StatefulSet jenkins/jenkins"
)

var mutations = []mutation{
	{"prometheus", prometheusConfig, "prometheus.yml", `"scrape_interval"`, `"scrape_intervall"`, []string{`data["prometheus.yml"]`, "line @: there is no field scrape_intervall"}},
	{"prometheus", prometheusConfig, "prometheus.yml", `"30s"`, `"30 seconds"`, []string{`line @: unknown unit " seconds"`}},
	{"prometheus", prometheusConfig, "prometheus.yml", `"role": "endpointslice"`, `"role": "endpoint"`, []string{"line @: ", `unknown Kubernetes SD role "endpoint"`}},
	{"prometheus", prometheusConfig, "prometheus.yml", `"regex": "kubernetes;https"`, `"regex": "kubernetes;(https"`, []string{"line @: ", "missing closing )"}},
	{"prometheus", prometheusConfig, "prometheus.yml", `"job_name": "cadvisor"`, `"job_name": "kubelet"`, []string{"line @: ", `found multiple scrape configs with job name "kubelet"`}},
	{"prometheus", prometheusConfig, "prometheus.yml", `"region": "eu-central-1"`, `"port": 9200`, []string{"line 356: ec2_sd_configs names no region"}},
	{"prometheus", prometheusConfig, "prometheus.yml", `serviceaccount/ca.crt`, `serviceaccount/ca.pem`, []string{"line @: ca_file is /var/run/secrets/kubernetes.io/serviceaccount/ca.pem", "has no such file"}},
	{"prometheus", prometheusConfig, "prometheus.yml", `"cluster": "dev"`, `"cluster": "${CLUSTER}"`, []string{"line @: label cluster takes the variable CLUSTER"}},
	{"prometheus", prometheusConfig, "prometheus.yml", `"https"
        ]`, `"http"
        ]`, []string{"line @: no blackbox exporter of the cluster has a module http"}},
	{"prometheus", prometheusConfig, "prometheus.yml", `/etc/prometheus/rules/*.yml`, `/etc/prometheus/rules/*.yaml`, []string{"line @: ", "no file in the container matches"}},
	{"prometheus", prometheusConfig, "prometheus.yml", `"rule_files": [`, `"rule_files": {`, []string{"line 23", "did not find expected"}},
	{"prometheus", prometheusPods, "", `--config.file=/etc/prometheus/config/prometheus.yml`, `--config.file=/etc/prometheus/prometheus.yml`, []string{".args", "no volume is mounted there"}},
	{"prometheus", prometheusPods, "", `--config.file=/etc/prometheus/config/prometheus.yml`, `--config.file=/etc/prometheus/config/prometheus.yaml`, []string{".args", "ConfigMap monitoring-prometheus, which is mounted there, has no such file"}},

	{"prometheus", prometheusRules, "node.yml", `== 0"`, `= 0"`, []string{`data["node.yml"]`, "line @: ", "NodeDown", "could not parse expression"}},
	{"prometheus", prometheusRules, "node.yml", `{{ $labels.instance }} does not answer`, `{{ $label.instance }} does not answer`, []string{"line 14: ", "NodeDown", "undefined variable"}},
	{"prometheus", prometheusRules, "node.yml", `"for": "5m"`, `"for": "5 m"`, []string{`line @: unknown unit " m"`}},
	{"prometheus", prometheusRules, "node.yml", `"expr": "up{`, `"expression": "up{`, []string{"there is no field expression here"}},
	{"prometheus", prometheusRules, "node.yml", `"severity": "critical"`, `"severity": "fatal"`, []string{"line @: ", `alert NodeDown has severity "fatal"`}},
	{"prometheus", prometheusRules, "node.yml", `"severity": "critical"`, `"team": "platform"`, []string{"alert NodeDown has no label severity"}},
	{"prometheus", prometheusRules, "node.yml", `"summary": "Machine`, `"description": "Machine`, []string{"alert NodeDown has no annotation summary"}},
	{"prometheus", prometheusRules, "node.yml", `"runbook_url": "https://git.example.net/platform/platform/src/branch/main/docs/runbooks.md#nodedown",`, ``, []string{"alert NodeDown has no annotation runbook_url"}},
	{"prometheus", prometheusRules, "node.yml", `runbooks.md#nodedown`, `runbooks.md#machinedown`, []string{"alert NodeDown links to a runbook that isn't there: docs/runbooks.md has no section #machinedown"}},
	{"prometheus", blackboxConfig, "blackbox.yml", `"valid_status_codes"`, `"valid_statuses"`, []string{`data["blackbox.yml"]`, "there is no field valid_statuses"}},
	{"prometheus", blackboxConfig, "blackbox.yml", `"prober": "tcp"`, `"prober": "udp"`, []string{`module tcp has prober "udp"`}},

	{"alertmanager", alertmanagerConfig, "alertmanager.yml", `"group_by"`, `"groupby"`, []string{`data["alertmanager.yml"]`, "there is no field groupby here"}},
	{"alertmanager", alertmanagerConfig, "alertmanager.yml", `"receiver": "team"`, `"receiver": "taem"`, []string{"line @: ", `undefined receiver "taem" used in route`}},
	{"alertmanager", alertmanagerConfig, "alertmanager.yml", `"alertname=\"Watchdog\""`, `"alertname=\"Watchdog"`, []string{"line @: ", "expected label value"}},
	{"alertmanager", alertmanagerConfig, "alertmanager.yml", `email.default.subject`, `email.standard.subject`, []string{"line @: ", `"email.standard.subject" not defined`}},
	{"alertmanager", alertmanagerConfig, "alertmanager.yml", `"[dev] {{ template`, `"[dev] {{ template }}`, []string{"line @: ", "template:"}},
	{"alertmanager", alertmanagerConfig, "alertmanager.yml", `"smtp_from": "platform@example.net",`, ``, []string{"no global SMTP from set"}},
	{"alertmanager", alertmanagerConfig, "alertmanager.yml", `      "name": "nobody"
    },`, `      "name": "nobody"
    }, { "name": "somebody" },`, []string{"no route leads to receiver somebody"}},
	{"alertmanager", alertmanagerPods, "", "--config.file=/etc/alertmanager/config/", "--config.file=/etc/alertmanager/", []string{".args", "no volume is mounted there"}},
	{"alertmanager", alertmanagerPods, "", "utf8-strict-mode", "utf9-strict-mode", []string{".args", "--enable-feature"}},

	{"fluentd", fluentdConfig, "fluent.conf", "</label>\n\n<label @LINES>", "</lable>\n\n<label @LINES>", []string{`data["fluent.conf"]`, "line @: </lable> where </label> should end the section of line 49"}},
	{"fluentd", fluentdConfig, "fluent.conf", "  @type tail\n", "", []string{"line 9: <source> has no @type"}},
	{"fluentd", fluentdConfig, "fluent.conf", "  @label @CONTAINERS", "  @label @CONTAINER", []string{"line @: @label is @CONTAINER, but there is no <label @CONTAINER>"}},
	{"fluentd", fluentdConfig, "fluent.conf", `"#{ENV['BUFFER_SIZE']}"`, `"#{ENV['BUFFERSIZE']}"`, []string{"line @: the container has no variable BUFFERSIZE"}},
	{"fluentd", fluentdConfig, "fluent.conf", `"#{ENV['BUFFER_SIZE']}"`, `"#{ENV['BUFFER_SIZE']"`, []string{"embedded code #{…} doesn't end"}},
	{"fluentd", fluentdConfig, "fluent.conf", `separator ""`, `separator "`, []string{"line @: a string in \"…\" doesn't end"}},
	{"fluentd", fluentdConfig, "fluent.conf", "<buffer>", "<bufer>", []string{"</buffer> where </bufer> should end"}},
	{"fluentd", fluentdConfig, "fluent.conf", "      timekey 1d\n", "", []string{"<buffer tag,time> needs the parameter timekey"}},
	{"fluentd", fluentdConfig, "fluent.conf", "<buffer tag,time>", "<buffer time>", []string{"line 149: path has ${tag[0]}, but <buffer> doesn't name tag"}},
	{"fluentd", fluentdConfig, "fluent.conf", "  @id json\n", "  @id metadata\n", []string{"@id metadata is there twice"}},
	{"fluentd", fluentdPods, "", `"mountPath":"/fluentd/etc"`, `"mountPath":"/fluentd/etc/fluent.conf","subPath":"fluentd.conf"`, []string{".volumeMounts", "has no such file"}},

	{"nginx", backendConfig, "nginx.conf", "server_tokens off;", "server_token off;", []string{`data["nginx.conf"]`, "line @: ", `unknown directive "server_token"`}},
	{"nginx", backendConfig, "nginx.conf", "server_tokens off;", "server_tokens off", []string{"line @: ", `"server_tokens" is not terminated by ";"`}},
	{"nginx", backendConfig, "nginx.conf", "access_log off;", "listen 80;", []string{"line @: ", `"listen" directive is not allowed here`}},
	{"nginx", backendConfig, "nginx.conf", "location / { return 404; }", "location / { return 404;", []string{`unexpected end of file, expecting "}"`}},
	{"nginx", backendConfig, "nginx.conf", "types { text/html html; }", "include mime.types;", []string{"line @: include /etc/default-backend/"}},
	{"nginx", backendPods, "", `/etc/default-backend/nginx.conf`, `/etc/default-backend/default.conf`, []string{".command", "has no such file"}},
	{"nginx", nginxConfig, "ssl-protocols", "TLSv1.2 TLSv1.3", "TLSv1.2,TLSv1.3", []string{"data.ssl-protocols", "versions such as TLSv1.2 TLSv1.3"}},
	{"nginx", nginxConfig, "hsts", "True", "yes", []string{"data.hsts", `"yes", and not a boolean`}},
	{"nginx", nginxConfig, "", `"server-tokens"`, `"server-token"`, []string{"data.server-token", "no setting server-token; it has server-tokens"}},
	{"nginx", nginxConfig, "", `"server-tokens":"False"`, `"http-snippets":"map $a $b {\n  default 1;\n}\nproxy_pass http://a;"`, []string{"data.http-snippets", "line 4", `"proxy_pass" directive is not allowed here`}},
	{"nginx", nginxConfig, "", `"server-tokens":"False"`, `"server-snippets":"location /a { return 200; }\n}\nserver {"`, []string{"data.server-snippets", "line 2", `unexpected "}"`}},
	{"nginx", nginxPods, "", `-nginx-configmaps=$(POD_NAMESPACE)/nginx`, `-nginx-configmaps=$(POD_NAMESPACE)/nginx-config`, []string{".args", "ConfigMap nginx-ingress/nginx-config, which isn't declared"}},
	{"nginx", "Ingress jenkins/jenkins", "", `"nginx.org/proxy-read-timeout"`, `"nginx.ingress.kubernetes.io/proxy-read-timeout"`, []string{"metadata.annotations", "ignores annotations nginx.ingress.kubernetes.io/"}},
	{"nginx", "Ingress jenkins/jenkins", "", `"nginx.org/proxy-read-timeout":"90s"`, `"nginx.org/location-snippets":"proxy_read_timeout"`, []string{"metadata.annotations", "line 1"}},

	{"jcasc", jenkinsConfig, "jenkins.yaml", `"unclassified"`, `"unclasified"`, []string{`data["jenkins.yaml"]`, "Jenkins has no part unclasified"}},
	{"jcasc", jenkinsConfig, "jenkins.yaml", `"numExecutors": 0`, `"numExecutors": 2`, []string{"line @: numExecutors is 2"}},
	{"jcasc", jenkinsConfig, "jenkins.yaml", `"numExecutors": 0,`, ``, []string{"numExecutors isn't set"}},
	{"jcasc", jenkinsConfig, "jenkins.yaml", `"disableRememberMe"`, `"disableRemeberMe"`, []string{"line @: jenkins has no disableRemeberMe; it has disableRememberMe"}},
	{"jcasc", jenkinsConfig, "jenkins.yaml", `"containerCapStr"`, `"containerCapString"`, []string{"it has containerCapStr"}},
	{"jcasc", jenkinsConfig, "jenkins.yaml", `${JENKINS_ADMIN_PASSWORD}`, `${ADMIN_PASSWORD}`, []string{"line @: nothing provides the variable ADMIN_PASSWORD"}},
	{"jcasc", jenkinsConfig, "jenkins.yaml", `${FORGE_TOKEN:-}`, `${FORGE_TOKEN}`, []string{"nothing provides the variable FORGE_TOKEN"}},
	{"jcasc", jenkinsConfig, "jenkins.yaml", `${JENKINS_ADMIN_PASSWORD}`, `admin`, []string{"line @: password is in the clear"}},
	{"jcasc", jenkinsConfig, "jenkins.yaml", `"mode": "EXCLUSIVE",`, `"mode": "EXCLUSIVE", "mode": "NORMAL",`, []string{"line @: ", `"mode" already defined`}},
	{"jcasc", jenkinsConfig, "jenkins.yaml", `displayName('Platform')`, `displayName('Platform)`, []string{"line 10 of the script: a string '…' doesn't end in its line"}},
	{"jcasc", jenkinsConfig, "jenkins.yaml", `displayName('Platform')`, `displayName('Platform'`, []string{"of the script", "should be closed"}},
	{"jcasc", jenkinsConfig, "jenkins.yaml", `displayName('Platform')`, `displayName(\"${name}\")`, []string{"nothing provides the variable name"}},
	{"jcasc", jenkinsConfig, "jenkins.yaml", `\"kind\": \"Pod\",`, `\"kind\": \"Pods\",`, []string{"the kind is Pods, and not Pod"}},
	{"jcasc", jenkinsPluginList, "plugins.txt", "job-dsl:", "job-ds:", []string{"jobs needs the plugin job-dsl"}},
	{"jcasc", jenkinsPluginList, "plugins.txt", "kubernetes:4540.v612369217f87\n", "", []string{"jenkins.clouds.kubernetes needs the plugin kubernetes"}},
	{"jcasc", jenkinsPluginList, "plugins.txt", "git:5.10.1", "git:latest", []string{`data["plugins.txt"]`, "line @: plugin git has no exact version"}},
	{"jcasc", jenkinsPluginList, "plugins.txt", "git:5.10.1", "junit:5.10.1", []string{"line 5", "plugin junit is there twice, before in line 2"}},
	{"jcasc", jenkinsPods, "", `"value":"/etc/jenkins/config"`, `"value":"/etc/jenkins/casc"`, []string{".env", "CASC_JENKINS_CONFIG is /etc/jenkins/casc, where there is no file"}},
}

// Every rule finds what is spoilt in the real configuration, and nothing else.
func TestMutations(t *testing.T) {
	r := load(t)
	bare := t.TempDir() // without tests of rules, which take their time
	if err := os.MkdirAll(filepath.Join(bare, "docs"), 0o755); err != nil {
		t.Fatal(err)
	}
	book, err := os.ReadFile(filepath.Join(root, "docs", "runbooks.md"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bare, "docs", "runbooks.md"), book, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, m := range mutations {
		t.Run(m.rule+"/"+m.new, func(t *testing.T) {
			t.Parallel()
			c := mutate(t, r.Clusters[0], m)
			spoilt := &check.Repository{Config: &config.Config{Root: bare, Clusters: r.Config.Clusters}, Clusters: []*render.Cluster{c}}
			var lines []string
			for _, rule := range Rules() {
				if rule.Name != m.rule {
					continue
				}
				found, err := rule.Find(t.Context(), spoilt)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range found {
					if !strings.Contains(f.Message, "has no test") && !strings.Contains(f.Message, "no test looks") {
						lines = append(lines, f.Object+": "+f.Path+": "+f.Message)
					}
				}
			}
			if len(lines) != 1 {
				t.Fatalf("found %d:\n%s", len(lines), strings.Join(lines, "\n"))
			}
			for _, want := range m.want {
				want = strings.Replace(want, "line @", "line "+strconv.Itoa(m.line(r.Clusters[0])), 1)
				if !strings.Contains(lines[0], want) {
					t.Errorf("found %s\nwant %s", lines[0], want)
				}
			}
		})
	}
}

// line is that of the text which is spoilt.
func (m mutation) line(c *render.Cluster) int {
	for _, file := range c.Files {
		for _, object := range file.Objects {
			if m.key != "" && check.Describe(object) == m.object {
				before, _, _ := strings.Cut(object.Object["data"].(map[string]any)[m.key].(string), m.old)
				return strings.Count(before, "\n") + 1
			}
		}
	}
	return 0
}

// mutate gives a cluster with one object changed.
func mutate(t *testing.T, c *render.Cluster, m mutation) *render.Cluster {
	t.Helper()
	out := *c
	out.Files = nil
	changed := false
	for _, file := range c.Files {
		objects := file.Objects
		file.Objects = nil
		for _, object := range objects {
			if check.Describe(object) == m.object {
				object.Unstructured = object.DeepCopy()
				changed = true
				if m.key == "" {
					data, err := object.MarshalJSON()
					if err != nil {
						t.Fatal(err)
					}
					if err := object.UnmarshalJSON([]byte(replace(t, string(data), m))); err != nil {
						t.Fatal(err)
					}
				} else {
					data := object.Object["data"].(map[string]any)
					data[m.key] = replace(t, data[m.key].(string), m)
				}
			}
			file.Objects = append(file.Objects, object)
		}
		out.Files = append(out.Files, file)
	}
	if !changed {
		t.Fatalf("there is no %s", m.object)
	}
	return &out
}

func replace(t *testing.T, s string, m mutation) string {
	t.Helper()
	if !strings.Contains(s, m.old) {
		t.Fatalf("%s has no %s", m.object, m.old)
	}
	return strings.Replace(s, m.old, m.new, 1)
}

// A rule that no longer does what its test says is found, at the test's line.
func TestMutatedRulesFailTheirTests(t *testing.T) {
	r := load(t)
	for _, m := range []mutation{
		{"prometheus", prometheusRules, "node.yml", `== 0"`, `== 2"`, []string{"addons/monitoring/rules/node_test.yaml:", "alert NodeDown at", "fires"}},
		{"prometheus", prometheusRules, "node.yml", `does not answer.`, `doesn't answer.`, []string{"addons/monitoring/rules/node_test.yaml:", "has annotations"}},
		{"prometheus", prometheusRules, "node.yml", `"alert": "NodeDown"`, `"alert": "MachineDown"`, []string{"there is no alert NodeDown in the rules"}},
		{"prometheus", prometheusRules, "node.yml", `"alert": "NodeDown"`, `"alert": "MachineDown"`, []string{"alert MachineDown has no test"}},
		{"prometheus", prometheusRules, "node.yml", `"record": "instance:node_cpu_utilisation:rate5m"`, `"record": "instance:cpu:rate5m"`, []string{"no test looks at what instance:cpu:rate5m gives"}},
	} {
		spoilt := &check.Repository{Config: r.Config, Sources: r.Sources, Clusters: []*render.Cluster{mutate(t, r.Clusters[0], m)}}
		found, err := findPrometheus(t.Context(), spoilt)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		ok := false
		for _, f := range found {
			line := f.File + ":" + f.Message
			lines = append(lines, line)
			all := true
			for _, want := range m.want {
				all = all && strings.Contains(line, want)
			}
			ok = ok || all
		}
		if !ok {
			t.Errorf("%s: found\n%s\nwant %q", m.new, strings.Join(lines, "\n"), m.want)
		}
	}
}
