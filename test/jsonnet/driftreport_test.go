package jsonnet

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"platform/internal/drift"
	"platform/internal/render"
	"platform/test/apiserver"
)

// driftStack is jsonnet of the monitoring stack, in a namespace of its own name,
// whose drift reports are made by a Job.
func driftStack(name, params string) string {
	return fmt.Sprintf(`
		local cluster = import 'clusters/dev/this.libsonnet';
		local platform = import 'lib/platform.libsonnet';
		local monitoring = import 'addons/monitoring/monitoring.libsonnet';
		{
		  namespace: platform.Namespace('%s'),
		  monitoring: monitoring(cluster.params('%[1]s') { name: '%[1]s', driftReports: ['dev', 'int', 'web'], driftJob: { %[2]s } }),
		}`, name, params)
}

// cronJob gives the CronJob that makes the reports.
func cronJob(t *testing.T, all []render.Object) batchv1.CronJob {
	t.Helper()
	for _, o := range all {
		if o.GetKind() != "CronJob" || !strings.HasSuffix(o.GetName(), "-drift") {
			continue
		}
		var c batchv1.CronJob
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, &c, true); err != nil {
			t.Fatal(err)
		}
		return c
	}
	t.Fatal("there is no CronJob")
	return batchv1.CronJob{}
}

// The Job has a pod for each share of the clusters, and a real API server takes
// its every field.
func TestDriftReportJob(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a real API server")
	}
	s := connect(t, apiserver.Shared(t).Config)
	s.applyAll(order(slices.DeleteFunc(objects(t, "dev"), func(o render.Object) bool { return o.GetKind() != "PriorityClass" })))
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, shards := range []int{1, 3} {
		name := "shards-" + strconv.Itoa(shards)
		t.Run(name, func(t *testing.T) {
			all := snippet(t, driftStack(name, fmt.Sprintf("shards: %d", shards)))
			s.t = t
			live := s.applyAll(order(all))
			taken := cronJob(t, reread(live))
			job := taken.Spec.JobTemplate.Spec
			if *job.Completions != int32(shards) || *job.Parallelism != int32(shards) || *job.CompletionMode != batchv1.IndexedCompletion {
				t.Errorf("the Job is %s, with %d completions, %d of them at once", *job.CompletionMode, *job.Completions, *job.Parallelism)
			}
			if taken.Spec.ConcurrencyPolicy != batchv1.ForbidConcurrent || taken.Spec.StartingDeadlineSeconds == nil || job.ActiveDeadlineSeconds == nil {
				t.Errorf("what doesn't end would go on beside the next one: %+v", taken.Spec)
			}
			template := job.Template
			result := policy.AggregateCheckResults(evaluator.EvaluatePod(
				api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &template.ObjectMeta, &template.Spec))
			if !result.Allowed {
				t.Errorf("its pods aren't restricted: %s: %s", result.ForbiddenReason(), result.ForbiddenDetail())
			}
			// Each cluster is some shard's, of as many as there are pods.
			var seen []string
			container := template.Spec.Containers[0]
			for i := range shards {
				share, err := drift.Shard(container.Args, i+1, shards)
				if err != nil {
					t.Fatal(err)
				}
				seen = append(seen, share...)
			}
			slices.Sort(seen)
			if want := []string{"dev", "int", "web"}; !slices.Equal(seen, want) {
				t.Errorf("the shards look at %v, want %v", seen, want)
			}
			for _, e := range container.Env {
				if e.Name == "SHARDS" && e.Value != strconv.Itoa(shards) {
					t.Errorf("SHARDS is %s, want %d", e.Value, shards)
				}
			}
		})
	}
}

func reread(live []*unstructured.Unstructured) []render.Object {
	var out []render.Object
	for _, o := range live {
		if o != nil {
			out = append(out, render.Object{Unstructured: o})
		}
	}
	return out
}

// Its pods reach the Pushgateway of their own instance, and that one lets them.
func TestDriftReportReachesPushgateway(t *testing.T) {
	all := snippet(t, driftStack("monitoring", ""))
	job := cronJob(t, all).Spec.JobTemplate.Spec.Template
	gateway := find(all, "Deployment", "monitoring", "monitoring-pushgateway")
	if gateway == nil {
		t.Fatal("there is no Pushgateway")
	}
	template, _ := podTemplate(t, *gateway)
	for _, way := range []struct {
		policy, direction, peers string
		labels                   map[string]string
	}{
		{"monitoring-drift", "egress", "to", template.Labels},
		{"monitoring-pushgateway", "ingress", "from", job.Labels},
	} {
		o := find(all, "NetworkPolicy", "monitoring", way.policy)
		if o == nil {
			t.Fatalf("there is no NetworkPolicy %s", way.policy)
		}
		rules, _, _ := unstructured.NestedSlice(o.Object, "spec", way.direction)
		open := slices.ContainsFunc(rules, func(rule any) bool {
			peers, _, _ := unstructured.NestedSlice(rule.(map[string]any), way.peers)
			return slices.ContainsFunc(peers, func(peer any) bool {
				selector, _, _ := unstructured.NestedStringMap(peer.(map[string]any), "podSelector", "matchLabels")
				return len(selector) > 0 && matches(selector, way.labels)
			})
		})
		if !open {
			t.Errorf("NetworkPolicy %s is closed %s the other", way.policy, way.peers)
		}
	}
}

// What can't work is refused when it is rendered.
func TestDriftReportRefuses(t *testing.T) {
	for params, want := range map[string]string{
		"shards: 4":                       "driftJob.shards: want 1 to the number of driftReports, which is 3, got 4",
		"shards: 0":                       "driftJob.shards: want 1 to the number",
		"repository: 'git@example.net:a'": "driftJob.repository: want an address that begins with https://",
		"scedule: '1 2 * * *'":            "driftJob: unknown parameter 'scedule'",
	} {
		if _, err := trySnippet(t, driftStack("monitoring", params)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want an error that says %q, got %v", params, want, err)
		}
	}
}

// The permissions read, but for the reports; and of the state store only the
// clusters that are reported on.
func TestDriftReportPermissions(t *testing.T) {
	reads := regexp.MustCompile(`^[a-z0-9]+:(Describe|Get|List)[A-Za-z*]*$`)
	found := 0
	for _, cluster := range clusters(t) {
		for _, account := range declared(t, cluster).Kops.Cluster.Spec.IAM.ServiceAccountExternalPermissions {
			if !strings.HasSuffix(account.Name, "-drift") {
				continue
			}
			found++
			var document struct {
				Statement []struct{ Action, Resource []string }
			}
			text := account.AWS.InlinePolicy
			if err := json.Unmarshal([]byte(`{"Statement":`+text+`}`), &document); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			for _, statement := range document.Statement {
				for _, action := range statement.Action {
					for _, resource := range statement.Resource {
						written := strings.HasSuffix(resource, "/platform/drift/*")
						if !written && !reads.MatchString(action) {
							t.Errorf("%s: %s may %s %s", cluster, account.Name, action, resource)
						}
						if action == "s3:GetObject" && !written && !strings.HasSuffix(resource, "/"+cluster+".example.net/*") {
							t.Errorf("%s: %s may read %s", cluster, account.Name, resource)
						}
					}
				}
			}
		}
	}
	if found == 0 {
		t.Error("no cluster reports on any")
	}
}

// The image of the tool is built with the Go that everything else is built with.
func TestImageOfTheTool(t *testing.T) {
	read := func(path string) []byte {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	var versions map[string]map[string]string
	if err := json.Unmarshal(read("clusters/versions.json"), &versions); err != nil {
		t.Fatal(err)
	}
	dockerfile := string(read("Dockerfile"))
	for _, cluster := range clusters(t) {
		if want := "FROM docker.io/library/golang:" + versions["golang"][cluster] + " AS build\n"; !strings.Contains(dockerfile, want) {
			t.Errorf("Dockerfile: want %q, as clusters/versions.json has it for %s", want, cluster)
		}
	}
	// What the Job's pods call besides the shell and what comes with it.
	for _, program := range []string{"ca-certificates", "curl", "git"} {
		if !strings.Contains(dockerfile, " "+program) {
			t.Errorf("Dockerfile: %s isn't installed", program)
		}
	}
}
