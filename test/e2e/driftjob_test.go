//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// TestDriftJob makes the nightly report by the Job of the monitoring stack. Pods are
// simulated on the sandbox: that the Job's are made and end is seen there, what
// they run is run here, exactly as the cluster has it.
func TestDriftJob(t *testing.T) {
	s := newSite(t)
	s.edit("clusters/dev/monitoring.jsonnet", "driftReports: ['dev'],", "driftReports: cluster.reportsOn,\n    driftJob: { shards: 2 },")
	s.edit("clusters/dev/this.libsonnet", "  name: 'dev',", "  name: 'dev',\n  reportsOn: ['dev', 'int', 'web'],")
	s.must(0, "up", "dev", "--yes")

	var cron batchv1.CronJob
	if err := json.Unmarshal([]byte(s.kubectl("get", "cronjob", "-n", "monitoring", "monitoring-drift", "-o", "json")), &cron); err != nil {
		t.Fatal(err)
	}
	s.kubectl("create", "job", "-n", "monitoring", "--from", "cronjob/monitoring-drift", "tonight")
	s.kubectl("wait", "-n", "monitoring", "--for", "condition=Complete", "--timeout", "60s", "job/tonight")
	if got := s.kubectl("get", "job", "-n", "monitoring", "tonight", "-o", "jsonpath={.status.completedIndexes}"); got != "0,1" {
		t.Errorf("the Job has completed %q, want the pods 0,1", got)
	}

	night := newNight(s, cron.Spec.JobTemplate.Spec)
	before := night.requests()
	night.all(0)
	after := night.requests()

	pushed := map[string]string{}
	for where, body := range night.pushed {
		metrics := parseMetrics(t, body)
		for _, cluster := range slices.Sorted(maps.Keys(metrics["platform_drift_changes"])) {
			if other, twice := pushed[cluster]; twice {
				t.Errorf("%s is reported to %s and to %s", cluster, other, where)
			}
			pushed[cluster] = where
		}
	}
	if got, want := slices.Sorted(maps.Keys(pushed)), []string{"dev", "int", "web"}; !slices.Equal(got, want) {
		t.Errorf("the shards report on %v, want %v", got, want)
	}
	for i := range 2 {
		if where := fmt.Sprintf("PUT /metrics/job/platform-drift/shard/%d", i+1); night.pushed[where] == "" {
			t.Errorf("nothing was pushed by %s, only by %v", where, slices.Sorted(maps.Keys(night.pushed)))
		}
	}
	dev := parseMetrics(t, night.pushed[pushed["dev"]])
	if changes, reachable := dev["platform_drift_changes"]["dev"], dev["platform_drift_reachable"]["dev"]; changes != 0 || reachable != 1 {
		t.Errorf("dev is as git says, and the report has %v changes, reachable: %v", changes, reachable)
	}

	// Each shard kept its part. The clusters that aren't there are drift.
	last := s.must(2, "drift", "--last", "--format", "json")
	var report struct {
		Clusters []struct{ Name, Error string }
	}
	if err := json.Unmarshal([]byte(last.stdout), &report); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range report.Clusters {
		names = append(names, c.Name)
		if c.Error != "" {
			t.Errorf("%s couldn't be read: %s", c.Name, c.Error)
		}
	}
	if want := []string{"dev", "int", "web"}; !slices.Equal(names, want) {
		t.Errorf("the last report is on %v, want %v", names, want)
	}

	night.permitted(before, after)

	// A cluster that can't be read, in a shard without drift, is a failure; but what
	// is known of it is pushed.
	shard := int(pushed["dev"][len(pushed["dev"])-1] - '1')
	night.commit("clusters/dev/monitoring.jsonnet", "{ broken")
	if out, code := night.pod(shard); code != 1 {
		t.Errorf("of a cluster that can't be read: exit code %d, want 1\n%s", code, out)
	}
	broken := parseMetrics(t, night.pushed[pushed["dev"]])
	if reachable, ok := broken["platform_drift_reachable"]["dev"]; !ok || reachable != 0 ||
		broken["platform_drift_report_timestamp_seconds"]["dev"] != dev["platform_drift_report_timestamp_seconds"]["dev"] {
		t.Errorf("of a cluster that can't be read was pushed:\n%s", night.pushed[pushed["dev"]])
	}

	// The repository is for those who have the Secret.
	night.login = t.TempDir()
	if out, code := night.pod(0); code == 0 || !strings.Contains(out, "could not read Username") {
		t.Errorf("without a login: exit code %d\n%s", code, out)
	}
}

// night is what the Job's pods have around them: a repository that wants a login,
// a Pushgateway, and what Kubernetes gives a pod.
type night struct {
	*site
	job batchv1.JobSpec
	env []string
	// work is a checkout of the repository, login what a pod has of the Secret, pods
	// where each has a folder.
	work, login, pods string

	repository *httptest.Server
	gateway    *httptest.Server

	mu     sync.Mutex
	pushed map[string]string
}

func newNight(s *site, job batchv1.JobSpec) *night {
	n := &night{site: s, job: job, env: s.environ(s.sandboxEnv()...), work: s.t.TempDir(), login: s.t.TempDir(), pods: s.t.TempDir(), pushed: map[string]string{}}
	for file, text := range map[string]string{"username": "platform-bot", "password": "from the \"Secret\""} {
		if err := os.WriteFile(filepath.Join(n.login, file), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, name := range copied {
		if err := copyTree(filepath.Join(s.root, name), filepath.Join(n.work, name)); err != nil {
			s.t.Fatal(err)
		}
	}
	n.git("init", "--quiet", "--initial-branch", "main")
	n.commit("README.md", "# Example\n")

	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(n.git("--exec-path")), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + n.work, "GIT_HTTP_EXPORT_ALL=1"},
	}
	n.repository = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "platform-bot" || password != "from the \"Secret\"" {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	s.t.Cleanup(n.repository.Close)
	n.gateway = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		n.pushed[r.Method+" "+r.URL.Path] = string(body)
	}))
	s.t.Cleanup(n.gateway.Close)
	return n
}

func (n *night) git(args ...string) string {
	n.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", n.work, "-c", "user.name=test", "-c", "user.email=test@example.net", "-c", "commit.gpgsign=false"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		n.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// commit writes a file and lets it reach main.
func (n *night) commit(file, text string) {
	n.t.Helper()
	if err := os.WriteFile(filepath.Join(n.work, file), []byte(text), 0o644); err != nil {
		n.t.Fatal(err)
	}
	n.git("add", "--all")
	n.git("commit", "--quiet", "--message", file)
}

// all runs all of the Job's pods at once.
func (n *night) all(want int) {
	n.t.Helper()
	var group sync.WaitGroup
	for i := range int(*n.job.Completions) {
		group.Go(func() {
			if out, code := n.pod(i); code != want {
				n.t.Errorf("pod %d: exit code %d, want %d\n%s", i, code, want, out)
			}
		})
	}
	group.Wait()
}

// pod runs the containers of one of the Job's pods, and gives what they say and how
// they end. Of the environment that the manifest gives them, what is a place or an
// address is another one here.
func (n *night) pod(index int) (string, int) {
	own, err := os.MkdirTemp(n.pods, "pod-")
	if err != nil {
		return err.Error(), -1
	}
	here := map[string]string{
		"HOME": own, "TMPDIR": own, "PLATFORM_CACHE_DIR": filepath.Join(own, "cache"), "GIT_LOGIN": n.login,
		"REPOSITORY": n.repository.URL + "/.git", "PUSHGATEWAY": n.gateway.URL,
		"PATH":                 filepath.Join(project(n.t), "bin") + ":" + os.Getenv("PATH"),
		"JOB_COMPLETION_INDEX": strconv.Itoa(index),
	}
	var out bytes.Buffer
	spec := n.job.Template.Spec
	for _, container := range slices.Concat(spec.InitContainers, spec.Containers) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		command := append(slices.Clone(container.Command), container.Args...)
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Dir = own
		cmd.Env = append(slices.Clone(n.env), environment(container, here)...)
		cmd.Stdout, cmd.Stderr = &out, &out
		start := time.Now()
		err := cmd.Run()
		if cmd.ProcessState == nil {
			return err.Error(), -1
		}
		n.t.Logf("pod %d, %s: exit code %d after %.1f s", index, container.Name, cmd.ProcessState.ExitCode(), time.Since(start).Seconds())
		if err != nil {
			return out.String(), cmd.ProcessState.ExitCode()
		}
	}
	return out.String(), 0
}

// environment is that of a container, but for what is another one here.
func environment(container corev1.Container, here map[string]string) []string {
	var out []string
	for _, e := range container.Env {
		// The sandbox gives out no tokens for roles.
		if _, ok := here[e.Name]; !ok && !strings.HasPrefix(e.Name, "AWS_") {
			out = append(out, e.Name+"="+e.Value)
		}
	}
	for name, value := range here {
		out = append(out, name+"="+value)
	}
	return out
}

// parseMetrics reads what was pushed as the Pushgateway does, which refuses times,
// and gives the values by metric and cluster.
func parseMetrics(t *testing.T, text string) map[string]map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	out := map[string]map[string]float64{}
	for name, family := range families {
		out[name] = map[string]float64{}
		for _, m := range family.Metric {
			if m.TimestampMs != nil {
				t.Errorf("%s has a time", name)
			}
			for _, l := range m.Label {
				if l.GetName() == "cluster" {
					out[name][l.GetValue()] += m.GetGauge().GetValue()
				}
			}
		}
	}
	return out
}

// requests counts what the sandbox's AWS was asked for.
func (n *night) requests() map[string]int {
	n.t.Helper()
	response, err := http.Get(n.endpoint() + "/sandbox/requests")
	if err != nil {
		n.t.Fatal(err)
	}
	defer response.Body.Close()
	asked := map[string]int{}
	if err := json.NewDecoder(response.Body).Decode(&asked); err != nil {
		n.t.Fatal(err)
	}
	return asked
}

// permitted compares what was asked for in between with the permissions that the
// Job's pods have. S3 and Route 53 name no operations in their requests.
func (n *night) permitted(before, after map[string]int) {
	n.t.Helper()
	var cluster struct {
		Spec struct {
			IAM struct {
				ServiceAccountExternalPermissions []struct {
					Name string
					AWS  struct{ InlinePolicy string }
				}
			}
		}
	}
	n.must(0, "render", "dev")
	data, err := os.ReadFile(filepath.Join(n.root, "generated", "dev", "cluster", "kops.cluster.json"))
	if err != nil {
		n.t.Fatal(err)
	}
	if err := json.Unmarshal(data, &cluster); err != nil {
		n.t.Fatal(err)
	}
	var allowed []string
	for _, account := range cluster.Spec.IAM.ServiceAccountExternalPermissions {
		if account.Name != n.job.Template.Spec.ServiceAccountName {
			continue
		}
		var statements []struct{ Action []string }
		if err := json.Unmarshal([]byte(account.AWS.InlinePolicy), &statements); err != nil {
			n.t.Fatal(err)
		}
		for _, statement := range statements {
			allowed = append(allowed, statement.Action...)
		}
	}
	checked := 0
	for action, count := range after {
		service, operation, _ := strings.Cut(action, ":")
		if count == before[action] || service == "s3" || service == "route53" || operation == strings.ToUpper(operation) {
			continue
		}
		checked++
		if !slices.ContainsFunc(allowed, func(pattern string) bool { match, _ := path.Match(pattern, action); return match }) {
			n.t.Errorf("the Job's pods may not %s, which they asked for %d times", action, count-before[action])
		}
	}
	if checked < 5 {
		n.t.Errorf("only %d operations were seen", checked)
	}
}
