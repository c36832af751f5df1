//go:build e2e

package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"platform/test/pipeline/declarative"
	"platform/test/pipeline/forgetest"
)

// notYet are the commands of the pipeline that the tool doesn't have yet, by
// trigger. The test fails when one is there and still in this list.
var notYet = map[string]string{"sync": "sync", "rebuild": "rebuild"}

// workspace is an agent: a checkout of the repository as it is in the working
// tree, with a sandbox of its own, in which steps are run as Jenkins runs them.
type workspace struct {
	t     *testing.T
	root  string
	forge *forgetest.Server
	// pushgateway keeps what is pushed, by its path.
	pushgateway *httptest.Server
	pushed      map[string]string

	// env is what this build has besides, and timeout what it grants objects to
	// become ready.
	env     []string
	timeout string
	// before is called before each script, with the test's own hands.
	before func(script string)

	mu sync.Mutex
	// said is what each script has printed.
	said map[string]string
	// findings are the failures in test results.
	findings int
}

func newWorkspace(t *testing.T) *workspace {
	t.Helper()
	project, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	w := &workspace{t: t, root: t.TempDir(), forge: forgetest.New(t, "Looks good."), pushed: map[string]string{}, said: map[string]string{}}
	w.pushgateway = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.pushed[r.Method+" "+r.URL.Path] = string(body)
	}))
	t.Cleanup(w.pushgateway.Close)
	list, err := exec.Command("git", "-C", project, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		if err := copyFile(filepath.Join(project, name), filepath.Join(w.root, name)); err != nil {
			t.Fatal(err)
		}
	}
	// What takes long to build is shared. The tool itself is built by the pipeline.
	for _, name := range []string{"bin/kubectl", ".sandbox/bin", ".sandbox/venv", ".sandbox/kwok"} {
		target := filepath.Join(project, name)
		if _, err := os.Stat(target); err != nil {
			t.Fatalf("%s isn't built: run `make sandbox`", name)
		}
		link := filepath.Join(w.root, name)
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	w.git("init", "--quiet", "--initial-branch", "main")
	w.commit("the beginning")
	t.Cleanup(func() {
		w.tool("sandbox", "down", "--purge")
	})
	return w
}

func copyFile(from, to string) error {
	info, err := os.Lstat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted, and not committed yet
	}
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}

// environ is an agent's environment.
func (w *workspace) environ(extra ...string) []string {
	var env []string
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		switch {
		case slices.ContainsFunc([]string{"AWS_", "S3_", "KOPS_", "PLATFORM_", "SOAK"}, func(prefix string) bool { return strings.HasPrefix(name, prefix) }),
			name == "KUBECONFIG", name == "HTTPS_PROXY":
		default:
			env = append(env, pair)
		}
	}
	env = append(env, "PLATFORM_SANDBOX=1", "PUSHGATEWAY="+w.pushgateway.URL, "SOAK_SECONDS=4", "SOAK_INTERVAL=1", "SOAK_GRACE=20", "BUILD_URL=https://jenkins.example.net/job/7/")
	if w.timeout != "" {
		env = append(env, "PLATFORM_TIMEOUT="+w.timeout)
	}
	return append(env, extra...)
}

func (w *workspace) execute(env []string, program string, args ...string) (string, int) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = w.root
	cmd.Env = env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return out.String(), 0
	case errors.As(err, &exit):
		return out.String(), exit.ExitCode()
	}
	return err.Error(), -1
}

// tool runs the tool that the pipeline has built.
func (w *workspace) tool(args ...string) (string, int) {
	return w.execute(w.environ(), "bin/platform", args...)
}

func (w *workspace) must(program string, args ...string) string {
	w.t.Helper()
	out, code := w.execute(w.environ(), program, args...)
	if code != 0 {
		w.t.Fatalf("%s %s: exit code %d\n%s", program, strings.Join(args, " "), code, out)
	}
	return out
}

func (w *workspace) git(args ...string) {
	w.t.Helper()
	w.must("git", append([]string{"-c", "user.name=test", "-c", "user.email=test@example.net", "-c", "commit.gpgsign=false"}, args...)...)
}

func (w *workspace) commit(message string) {
	w.t.Helper()
	w.git("add", "--all")
	w.git("commit", "--quiet", "--message", message)
}

// edit changes a text that is in a file once.
func (w *workspace) edit(file, old, new string) {
	w.t.Helper()
	path := filepath.Join(w.root, file)
	data, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	if n := bytes.Count(data, []byte(old)); n != 1 {
		w.t.Fatalf("%s has %q %d times", file, old, n)
	}
	if err := os.WriteFile(path, bytes.Replace(data, []byte(old), []byte(new), 1), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// render is what comes before a commit.
func (w *workspace) render() {
	w.t.Helper()
	w.must("bin/platform", "render")
}

// kubectl asks a cluster.
func (w *workspace) kubectl(cluster string, args ...string) string {
	w.t.Helper()
	return w.must("bin/kubectl", append([]string{"--kubeconfig", ".sandbox/kubeconfig", "--context", cluster + ".example.net"}, args...)...)
}

// Sh runs a script as Jenkins' step does: the first command that fails ends it.
func (w *workspace) Sh(c declarative.Command) int {
	if w.before != nil {
		w.before(c.Script)
	}
	env := w.environ(w.env...)
	for name, value := range c.Params {
		env = append(env, name+"="+value)
	}
	for name, part := range c.Secrets {
		env = append(env, name+"="+map[string]string{"forge/username": "platform", "forge/password": forgetest.Token}[part])
	}
	start := time.Now()
	out, code := w.execute(env, "sh", "-e", "-c", c.Script)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said[c.Script] = out
	w.t.Logf("%-10s %6.1f s  exit code %d  %s", c.Stage, time.Since(start).Seconds(), code, c.Script)
	return code
}

// JUnit reads test results as Jenkins does, which refuses files without any.
func (w *workspace) JUnit(pattern string) error {
	files, err := filepath.Glob(filepath.Join(w.root, pattern))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no test results in %s", pattern)
	}
	w.findings = 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		cases := 0
		decoder := xml.NewDecoder(bytes.NewReader(data))
		for {
			token, err := decoder.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			if start, ok := token.(xml.StartElement); ok {
				switch start.Name.Local {
				case "testcase":
					cases++
				case "failure":
					w.findings++
				}
			}
		}
		if cases == 0 {
			return fmt.Errorf("no test results in %s", file)
		}
	}
	return nil
}

// Archive looks for the files to keep.
func (w *workspace) Archive(pattern string, allowEmpty bool) error {
	files, err := filepath.Glob(filepath.Join(w.root, pattern))
	if err == nil && len(files) == 0 && !allowEmpty {
		err = fmt.Errorf("no files match %s", pattern)
	}
	return err
}

// run runs the pipeline for a trigger, and expects how it ends and which of our
// commands it runs until then.
func (w *workspace) run(name string, status declarative.Status, want ...string) {
	w.t.Helper()
	tr := triggers()[name]
	tr.build.Host = w
	w.env = []string{"BRANCH_NAME=" + tr.build.Branch, "CHANGE_ID=" + tr.build.Change}
	if tr.build.Change != "" {
		w.env = append(w.env, "CHANGE_URL="+w.forge.PullRequest())
	}
	result := jenkinsfile(w.t).Run(tr.build)
	var got []string
	for _, script := range result.Scripts() {
		got = append(got, normal(script, tr.build.Params)...)
	}
	if result.Status == status && slices.Equal(got, want) {
		return
	}
	var trace strings.Builder
	for _, e := range result.Ran {
		fmt.Fprintf(&trace, "--- %s: %s %s: exit code %d\n", e.Stage, e.Step, e.What, e.Code)
		if e.Code != 0 {
			trace.WriteString(w.said[e.What])
		}
	}
	w.t.Fatalf("%s: %s after %q,\nwant %s after %q\n%s", name, result.Status, got, status, want, trace.String())
}

// TestPipeline runs every step of the Jenkinsfile, in order, for each trigger:
// for a change that is good and for some that aren't.
func TestPipeline(t *testing.T) {
	w := newWorkspace(t)
	for _, step := range []struct {
		name string
		run  func(*testing.T, *workspace)
	}{
		{"a merge is deployed everywhere", goodMerge},
		{"commands are not yet there", stillMissing},
		{"a pull request is planned", goodPull},
		{"a finding stops a pull request", badPull},
		{"a rollout that fails stops at the first cluster", badRollout},
		{"a cluster that isn't healthy stops the next", badSoak},
		{"the nightly report", nightly},
		{"an upgrade", upgrade},
		{"a rebuild", rebuild},
	} {
		ok := t.Run(step.name, func(t *testing.T) {
			w.t, w.before = t, nil
			step.run(t, w)
		})
		if w.t = t; !ok {
			t.FailNow()
		}
	}
}

func goodMerge(t *testing.T, w *workspace) {
	w.run("merge", declarative.Success, triggers()["merge"].want...)
	if w.findings > 0 {
		t.Errorf("%d findings in this repository", w.findings)
	}
	for _, cluster := range clusters(t) {
		if out, code := w.tool("plan", cluster); code != 0 {
			t.Errorf("after a merge %s still differs:\n%s", cluster, out)
		}
		if said := w.said["ci/soak "+cluster]; !strings.Contains(said, "soak "+cluster+": healthy after ") {
			t.Errorf("soaking %s says %q", cluster, said)
		}
	}
}

func stillMissing(t *testing.T, w *workspace) {
	for trigger, command := range notYet {
		if _, code := w.tool(command, "--help"); code == 0 {
			t.Errorf("platform %s is there now: take it out of notYet, so that what a %s build does is run", command, trigger)
		}
	}
}

// goodPull plans a change to one cluster, twice.
func goodPull(t *testing.T, w *workspace) {
	w.edit("clusters/dev/nginx-ingress.jsonnet", "max: 3", "max: 4")
	w.render()
	w.commit("dev: more room for the ingress")
	for range 2 {
		w.run("pull request", declarative.Success, triggers()["pull request"].want...)
	}
	comments := w.forge.Comments()
	if len(comments) != 2 {
		t.Fatalf("want the comment that was there and one of ours, got %q", comments)
	}
	for _, want := range []string{
		"| dev | 1 to update |", "| int | no changes |", "| web | no changes |",
		"~ HorizontalPodAutoscaler nginx-ingress/nginx", "~ spec.maxReplicas: 3 → 4",
		"of commit " + strings.TrimSpace(w.must("git", "rev-parse", "--short", "HEAD")), "https://jenkins.example.net/job/7/",
	} {
		if !strings.Contains(comments[1], want) {
			t.Errorf("the comment doesn't say %q:\n%s", want, comments[1])
		}
	}
	t.Logf("the comment:\n%s", comments[1])
	if _, code := w.tool("plan", "dev"); code != 2 {
		t.Errorf("planning has changed something: exit code %d", code)
	}
	w.git("reset", "--quiet", "--hard", "HEAD~1")
}

func badPull(t *testing.T, w *workspace) {
	before := w.forge.Comments()
	// Not as it is rendered, and not in standard form.
	w.edit("clusters/dev/nginx-ingress.jsonnet", "max: 3", "max:  5")
	w.commit("dev: in a hurry")
	w.run("pull request", declarative.Failure, "make build", "platform check")
	if w.findings == 0 {
		t.Error("the test results have no finding")
	}
	if after := w.forge.Comments(); !slices.Equal(before, after) {
		t.Errorf("what isn't planned is commented on: %q", after)
	}
	w.git("reset", "--quiet", "--hard", "HEAD~1")
}

// badRollout merges a change to all clusters for which no node is large enough.
func badRollout(t *testing.T, w *workspace) {
	w.edit("addons/nginx-ingress/default-backend.libsonnet", "resources_:: { cpu: '10m'", "resources_:: { cpu: '500'")
	w.render()
	w.commit("ingress: a faster page")
	before := w.generations()
	w.timeout = "20s"
	w.run("merge", declarative.Failure, "make build", "platform check", "platform up dev --yes")
	w.timeout = ""
	if said := w.said["bin/platform up dev --yes"]; !strings.Contains(said, "Insufficient cpu") {
		t.Errorf("the build doesn't say why:\n%s", said)
	}
	after := w.generations()
	for _, cluster := range clusters(t) {
		if changed := before[cluster] != after[cluster]; changed != (cluster == "dev") {
			t.Errorf("%s was changed: %t", cluster, changed)
		}
	}
	w.git("reset", "--quiet", "--hard", "HEAD~1")
}

// generations has the state of what runs on each cluster: the generation of each
// workload changes with its specification.
func (w *workspace) generations() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	for _, cluster := range clusters(w.t) {
		out[cluster] = w.kubectl(cluster, "get", "deployments,statefulsets,daemonsets", "--all-namespaces",
			"--output", `jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.metadata.generation}{"\n"}{end}`)
	}
	return out
}

// badSoak lets something break between a deployment and the look at it. The
// deployment itself mends what the last one has left.
func badSoak(t *testing.T, w *workspace) {
	label := func(value string) {
		patch, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{
			"metadata": map[string]any{"labels": map[string]any{"sandbox.platform/fail": value}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		w.kubectl("dev", "--namespace", "nginx-ingress", "patch", "deployment", "nginx-default-backend", "--patch", string(patch))
	}
	w.before = func(script string) {
		if script == "ci/soak dev" {
			label("OOMKilled")
		}
	}
	w.run("merge", declarative.Failure, "make build", "platform check", "platform up dev --yes", "ci/soak dev")
	if said := w.said["ci/soak dev"]; !strings.Contains(said, "nginx-default-backend") || !strings.Contains(said, "it hasn't been healthy for 20 seconds") {
		t.Errorf("the build doesn't say why:\n%s", said)
	}
	w.kubectl("dev", "--namespace", "nginx-ingress", "rollout", "undo", "deployment", "nginx-default-backend")
	w.kubectl("dev", "--namespace", "nginx-ingress", "rollout", "status", "deployment", "nginx-default-backend", "--timeout", "2m")
}

// skipUnlessThere skips what the tool can't do yet.
func skipUnlessThere(t *testing.T, trigger string) {
	if command, missing := notYet[trigger]; missing {
		t.Skipf("there is no platform %s yet", command)
	}
}

func nightly(t *testing.T, w *workspace) {
	want := triggers()["nightly"].want
	w.run("nightly", declarative.Success, want...)
	w.kubectl("web", "--namespace", "nginx-ingress", "delete", "service", "--all")
	w.run("nightly", declarative.Unstable, want...)
	for _, report := range []string{"drift.html", "drift.json"} {
		if info, err := os.Stat(filepath.Join(w.root, "reports", report)); err != nil || info.Size() == 0 {
			t.Errorf("there is no report %s: %v", report, err)
		}
	}
	if pushed := w.pushed["PUT /metrics/job/platform-drift"]; !strings.Contains(pushed, `platform_drift_changes{cluster="web"} `) || strings.Contains(pushed, `platform_drift_changes{cluster="web"} 0`) {
		t.Errorf("what is pushed doesn't have the drift of web: %v", w.pushed)
	}
	w.must("bin/platform", "up", "web", "--yes")
}

func upgrade(t *testing.T, w *workspace) {
	skipUnlessThere(t, "sync")
	w.run("sync", declarative.Success, triggers()["sync"].want...)
}

func rebuild(t *testing.T, w *workspace) {
	skipUnlessThere(t, "rebuild")
	w.git("tag", "v1.2")
	w.must("bin/platform", "down", "web", "--yes", "--force-protected", "web")
	w.run("rebuild", declarative.Success, triggers()["rebuild"].want...)
	if out, code := w.tool("plan", "web"); code != 0 {
		t.Errorf("after the rebuild:\n%s", out)
	}
}
