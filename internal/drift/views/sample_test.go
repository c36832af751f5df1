package views

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"platform/internal/config"
	"platform/internal/drift"
	"platform/internal/plan"
)

// sample is the report of a night on which a bit of everything happened, made
// as reports are made: of looks, night after night.
func sample() (*drift.Report, []drift.Entry) {
	var last *drift.Report
	var entries []drift.Entry
	for night := range 31 {
		at := time.Date(2026, 10, 26, 2, 0, 0, 0, time.UTC).AddDate(0, 0, night)
		if night == 11 {
			continue // the job didn't run
		}
		last = drift.Make(drift.About{Time: at, Tool: "1.4.0", Repository: "example-platform", Commit: "5f1c0de2a94b7d3386e1b5a40f2c9d7e8a6b1c34"},
			sampleNight(night, at), last, sampleRules())
		entries = append(entries, last.Entry())
	}
	return last, entries[:len(entries)-1]
}

func sampleRules() []config.Ignore {
	day := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 0, 0, 0, 0, time.UTC) }
	return []config.Ignore{
		{Cluster: "dev", Resource: "Deployment *", Path: "spec.template.metadata.annotations*", Reason: "restarted by hand while tracing is being tried out", Expires: day(12, 15)},
		{Layer: "aws", Resource: "SecurityGroup/*", Reason: "a scanner adds its own rule until the audit is over", Expires: day(11, 20)},
		{Resource: "ConfigMap legacy/*", Reason: "left behind by the old deployment scripts", Expires: day(12, 31)},
	}
}

const nginxBefore = "worker_processes auto;\nevents {\n  worker_connections 16384;\n}\nhttp {\n  keepalive_timeout 75s;\n  client_max_body_size 64m;\n  server_tokens on;\n}\n"
const nginxInGit = "worker_processes auto;\nevents {\n  worker_connections 16384;\n}\nhttp {\n  keepalive_timeout 75s;\n  client_max_body_size 8m;\n  server_tokens off;\n}\n"

func sampleNight(night int, at time.Time) []drift.Look {
	held := func(path string, from, to any, manager string, ago time.Duration) plan.Field {
		written := at.Add(-ago).Truncate(time.Minute)
		return plan.Field{Path: path, From: from, To: to, Manager: manager, Written: &written}
	}
	replicas := plan.Change{Layer: plan.Addons, Op: plan.Update, Resource: "Deployment monitoring/monitoring-grafana", Source: "clusters/dev/monitoring.jsonnet",
		Diff: []plan.Field{held("spec.replicas", 4, 2, "kubectl-edit", 31*time.Hour)}}
	restarted := plan.Field{Path: `spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]`, From: "2026-11-21T16:40:11Z"}
	limits := held(`spec.template.spec.containers[name="grafana"].resources.limits.memory`, "1Gi", "512Mi", "kubectl-edit", 7*time.Hour)
	nginx := plan.Change{Layer: plan.Addons, Op: plan.Update, Resource: "ConfigMap nginx-ingress/nginx", Source: "clusters/dev/nginx-ingress.jsonnet",
		Diff: []plan.Field{held(`data["nginx.conf"]`, nginxBefore, nginxInGit, "kubectl-client-side-apply", 5*24*time.Hour)}}
	policy := plan.Change{Layer: plan.Addons, Op: plan.Create, Resource: "NetworkPolicy logging/default-deny", Source: "clusters/dev/logging.jsonnet",
		Diff: []plan.Field{{Path: "spec.podSelector", To: map[string]any{}}, {Path: "spec.policyTypes", To: []any{"Ingress", "Egress"}}}}
	secret := plan.Change{Layer: plan.Addons, Op: plan.Update, Resource: "Secret monitoring/monitoring-alertmanager-pager", Source: "clusters/int/monitoring.jsonnet",
		Diff: []plan.Field{held("data.key", "(secret, hash 9f2c11a07d3e)", "(secret, hash 41b7de90c255)", "kubectl-patch", 20*time.Hour)}}
	nodes := plan.Change{Layer: plan.Kops, Op: plan.Roll, Resource: "InstanceGroup/nodes-a.int.example.net", Reason: "2 of 3 instances run launch template version 6, the group has 7"}
	listener := plan.Change{Layer: plan.AWS, Op: plan.Update, Resource: "Listener/web-example-net-ingress:443", Source: "clusters/web/cluster.jsonnet",
		Diff: []plan.Field{{Path: "healthCheck.intervalSeconds", From: 30, To: 10}, {Path: "healthCheck.path", From: "/", To: "/nginx-health"}}}
	group := plan.Change{Layer: plan.AWS, Op: plan.Update, Resource: "SecurityGroup/ingress.dev.example.net", Source: "clusters/dev/cluster.jsonnet",
		Diff: []plan.Field{{Path: `rules["tcp 22 0.0.0.0/0"]`, From: "allowed"}}}
	job := plan.Change{Layer: drift.Undeclared, Op: drift.None, Resource: "Job jenkins/debug-shell", Reason: "in a namespace of ours, declared by nobody"}
	certificate := plan.Change{Layer: drift.Certificates, Op: drift.None, Resource: "Certificate nginx-ingress/wildcard", Reason: "expires in 6 days, on 2026-12-01; cert-manager should have renewed it"}

	matrix := func(kubernetes, running string) map[string]drift.Version {
		v := map[string]drift.Version{
			"kubernetes": {Wanted: kubernetes, Running: running}, "kops": {Wanted: "1.36.2", Running: "1.36.2"},
			"cilium": {Wanted: "1.19.4", Running: "1.19.4"}, "cert-manager": {Wanted: "v1.21.2", Running: "v1.21.2"},
			"prometheus": {Wanted: "v3.9.1", Running: "v3.9.1"}, "grafana": {Wanted: "12.4.0", Running: "12.4.0"},
			"elasticsearch": {Wanted: "9.5.5", Running: "9.5.5"}, "fluentd": {Wanted: "1.19.1", Running: "1.19.1"},
		}
		return v
	}
	dev := drift.Look{Cluster: "dev", Server: "https://api.dev.example.net", Account: "111122223333", Region: "eu-central-1", Requests: 34, Took: 1420 * time.Millisecond, Versions: matrix("1.36.1", "1.36.1")}
	dev.Versions["grafana"] = drift.Version{Wanted: "12.4.1", Running: "12.4.1"}
	integration := drift.Look{Cluster: "int", Server: "https://api.int.example.net", Account: "111122223333", Region: "eu-central-1", Requests: 31, Took: 1310 * time.Millisecond, Versions: matrix("1.36.1", "1.35.4")}
	web := drift.Look{Cluster: "web", Server: "https://api.web.example.net", Account: "444455556666", Region: "eu-central-1", Requests: 38, Took: 2050 * time.Millisecond, Versions: matrix("1.35.4", "1.35.4")}
	edge := drift.Look{Cluster: "edge", Server: "https://api.edge.example.net", Account: "444455556666", Region: "eu-west-1", Requests: 29, Took: 1880 * time.Millisecond, Versions: matrix("1.35.4", "1.35.4")}

	if night >= 24 {
		dev.Changes = append(dev.Changes, nginx)
	}
	if night >= 28 {
		replicas.Diff = append(replicas.Diff, restarted)
		dev.Changes = append(dev.Changes, replicas)
	}
	if night == 30 {
		i := len(dev.Changes) - 1
		dev.Changes[i].Diff = append(dev.Changes[i].Diff, limits)
		dev.Changes = append(dev.Changes, policy)
	}
	if night >= 2 && night < 9 || night >= 22 {
		dev.Changes = append(dev.Changes, group)
	}
	for i := range (night * 5) % 4 {
		if night < 22 {
			extra := job
			extra.Resource = fmt.Sprintf("Job jenkins/retry-%d", i)
			integration.Changes = append(integration.Changes, extra)
		}
	}
	if night >= 27 {
		since := time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
		integration.Paused = &drift.Pause{By: "ops", Since: &since, Reason: "load test until Thursday"}
		integration.Changes = append(integration.Changes, secret)
	}
	if night >= 29 {
		integration.Changes = append(integration.Changes, job)
	}
	if night >= 14 && night < 30 {
		web.Changes = append(web.Changes, listener)
	}
	if night >= 26 {
		integration.Changes = append(integration.Changes, nodes)
	}
	if night >= 25 && night < 29 {
		edge.Changes = append(edge.Changes, certificate)
	}
	if night == 5 || night == 6 || night >= 29 {
		edge.Err = errors.New("API server https://api.edge.example.net: dial tcp 10.40.0.7:443: i/o timeout; is the bastion's proxy running?")
		edge.Unread = []plan.Layer{plan.Addons, drift.Versions, drift.Certificates, drift.Undeclared}
		for name, v := range edge.Versions {
			edge.Versions[name] = drift.Version{Wanted: v.Wanted}
		}
	}
	return []drift.Look{dev, integration, web, edge}
}

// bigFleet is a report on many clusters with many findings each; alike means that
// all of them drift in the same way.
func bigFleet(clusters, findings int, alike bool) (*drift.Report, []drift.Entry) {
	random := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 11, 25, 2, 0, 0, 0, time.UTC)
	var looks []drift.Look
	for i := range clusters {
		look := drift.Look{Cluster: fmt.Sprintf("store-%03d", i), Server: fmt.Sprintf("https://api.store-%03d.example.net", i), Region: "eu-central-1", Requests: 30, Took: time.Second,
			Versions: map[string]drift.Version{"kubernetes": {Wanted: "1.36.1", Running: "1.36.1"}, "grafana": {Wanted: "12.4.0", Running: "12.4.0"}}}
		if i%9 == 3 {
			look.Versions["kubernetes"] = drift.Version{Wanted: "1.36.1", Running: "1.35.4"}
		}
		for k := range findings {
			from := fmt.Sprintf("value-%d", k)
			if !alike {
				from = fmt.Sprintf("value-%d-%d", i, random.IntN(1000))
			}
			look.Changes = append(look.Changes, plan.Change{Layer: plan.Addons, Op: plan.Update, Resource: fmt.Sprintf("Deployment namespace-%d/workload-%d", k%7, k), Source: "clusters/store/some.jsonnet",
				Diff: []plan.Field{{Path: "spec.replicas", From: 1, To: 2}, {Path: `spec.template.spec.containers[name="main"].image`, From: from, To: strings.Repeat("registry.example.net/", 3)}}})
		}
		looks = append(looks, look)
	}
	r := drift.Make(drift.About{Time: at, Tool: "1.4.0", Repository: "example-fleet", Commit: "abc"}, looks, nil, nil)
	var entries []drift.Entry
	for night := range 29 {
		e := r.Entry()
		e.Time = at.AddDate(0, 0, -night-1)
		entries = append(entries, e)
	}
	return r, entries
}
