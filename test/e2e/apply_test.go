//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestApply is the inner loop: a file that isn't in git, edited and looked at,
// and put back by the next up. The steps build on each other.
func TestApply(t *testing.T) {
	s := newSite(t)
	s.must(0, "up", "dev", "--yes")
	for _, step := range []struct {
		name string
		run  func(*testing.T, *site)
	}{
		{"a scratch file", applyScratch},
		{"an edit takes something away", applyEdit},
		{"a file of git's alone", applyGitFile},
		{"what is wrong has a place", applyWrong},
		{"deployments are paused", applyPaused},
		{"a container's reason", applyFailing},
		{"every save", applyWatch},
		{"up puts back", upPutsBack},
	} {
		ok := t.Run(step.name, func(t *testing.T) {
			s.t = t
			step.run(t, s)
		})
		s.t = t
		if !ok {
			t.FailNow()
		}
	}
}

const scratchFile = "try/web.jsonnet"

// write writes a file of the site.
func (s *site) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

const scratchText = `local lib = import 'lib.libsonnet';
{
  namespace: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'try' } },
  web: lib.deployment('web', {}),
  config: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'try' }, data: { key: std.extVar('value') } },
  other: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other', namespace: 'try' } },
}
`

const scratchLib = `{
  deployment(name, labels):: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: name, namespace: 'try' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } + labels },
        spec: { containers: [{ name: 'main', image: 'registry.example.net/web:1' }] },
      },
    },
  },
}
`

// tryout is apply's JSON, written anew here because scripts rely on its names.
type tryout struct {
	Cluster string `json:"cluster"`
	File    string `json:"file"`
	Set     string `json:"set"`
	Plan    struct {
		Changes []change       `json:"changes"`
		Summary map[string]int `json:"summary"`
	} `json:"plan"`
	Steps []struct {
		Layer   string   `json:"layer"`
		Changes []change `json:"changes"`
	} `json:"steps"`
	Health []resourceHealth `json:"health"`
	Events []struct {
		Resource string `json:"resource"`
		About    string `json:"about"`
		Type     string `json:"type"`
		Reason   string `json:"reason"`
		Count    int    `json:"count"`
	} `json:"events"`
	Containers []struct {
		Resource  string `json:"resource"`
		Pod       string `json:"pod"`
		Container string `json:"container"`
		Reason    string `json:"reason"`
		Message   string `json:"message"`
	} `json:"containers"`
	Seconds struct {
		Applied float64 `json:"applied"`
		Ready   float64 `json:"ready"`
	} `json:"seconds"`
}

type resourceHealth struct {
	Resource string `json:"resource"`
	State    string `json:"state"`
	Reason   string `json:"reason"`
}

// apply applies a file and gives its JSON.
func (s *site) apply(code int, args ...string) (tryout, result) {
	s.t.Helper()
	r := s.must(code, append([]string{"apply", "--cluster", "dev", "--output", "json"}, args...)...)
	var out tryout
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		s.t.Fatalf("%v in\n%s", err, r)
	}
	return out, r
}

func applyScratch(t *testing.T, s *site) {
	s.write(scratchFile, scratchText)
	s.write("try/lib.libsonnet", scratchLib)
	r := s.must(2, "apply", scratchFile, "--cluster", "dev", "--ext-str", "value=one", "--dry-run")
	for _, want := range []string{"+ Namespace try", "+ Deployment try/web", "dev: 4 to create"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("the dry run doesn't say %q:\n%s", want, r)
		}
	}
	if got := s.kubectl("get", "namespaces", "-o", "name"); strings.Contains(got, "namespace/try\n") {
		t.Error("the dry run made the namespace")
	}
	got, r := s.apply(0, scratchFile, "--ext-str", "value=one", "--yes")
	if got.Cluster != "dev" || got.File != scratchFile || got.Set != "./"+scratchFile || got.Plan.Summary["create"] != 4 {
		t.Errorf("%s", r)
	}
	if len(got.Steps) != 1 || len(got.Steps[0].Changes) != 4 || len(got.Health) != 4 || slices.ContainsFunc(got.Health, func(h resourceHealth) bool { return h.State != "ready" }) {
		t.Errorf("%s", r)
	}
	reasons := map[string]string{}
	for _, e := range got.Events {
		reasons[e.Reason] = e.Resource
	}
	if reasons["ScalingReplicaSet"] != "Deployment try/web" || reasons["SuccessfulCreate"] != "Deployment try/web" || reasons["Scheduled"] != "Deployment try/web" {
		t.Errorf("the events are %+v", got.Events)
	}
	r = s.must(0, "apply", scratchFile, "--cluster", "dev", "--ext-str", "value=one", "--yes")
	if !strings.Contains(r.stdout, "nothing to do") {
		t.Errorf("again:\n%s", r)
	}
	s.must(0, "apply", scratchFile, "--cluster", "dev", "--ext-str", "value=one", "--dry-run")
}

func applyEdit(t *testing.T, s *site) {
	s.edit(scratchFile, "  other: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other', namespace: 'try' } },\n", "")
	r := s.must(0, "apply", filepath.Join(s.root, scratchFile), "--cluster", "dev", "--ext-str", "value=two", "--yes")
	shown, _, _ := strings.Cut(r.stderr, "event")
	for _, want := range []string{"~ ConfigMap try/c", "data.key: one → two", "- ConfigMap try/other", "./try/web.jsonnet no longer has it", "1 to update, 1 to delete"} {
		if !strings.Contains(shown, want) {
			t.Errorf("what is going to happen isn't named as %q:\n%s", want, r)
		}
	}
	if !strings.Contains(r.stdout, "1 updated, 1 deleted, applied in ") {
		t.Errorf("%s", r)
	}
	if got := s.kubectl("-n", "try", "get", "configmaps", "-o", "name"); strings.Contains(got, "other") || !strings.Contains(got, "configmap/c\n") {
		t.Errorf("there are %s", got)
	}
}

// applyGitFile applies one of git's files and expects drift elsewhere to stay.
func applyGitFile(t *testing.T, s *site) {
	s.kubectl("-n", "nginx-ingress", "delete", "service", "--all")
	const file = "clusters/dev/web-proxy.jsonnet"
	s.must(0, "apply", file, "--cluster", "dev", "--dry-run")
	s.kubectl("-n", "web-proxy", "delete", "service", "--all")
	got, r := s.apply(0, file, "--yes")
	if got.Set != "web-proxy" || len(got.Plan.Changes) == 0 || slices.ContainsFunc(got.Plan.Changes, func(c change) bool {
		return !strings.HasPrefix(c.Resource, "Service web-proxy/")
	}) {
		t.Errorf("%s", r)
	}
	if got := s.kubectl("-n", "nginx-ingress", "get", "services", "-o", "name"); got != "" {
		t.Errorf("another file's Services were made: %s", got)
	}
	r = s.must(1, "apply", "clusters/int/web-proxy.jsonnet", "--cluster", "dev", "--yes")
	if !strings.Contains(r.stderr, "one of cluster int's files and the cluster is dev") {
		t.Errorf("%s", r)
	}
	r = s.must(1, "apply", "clusters/int/web-proxy.jsonnet", "--cluster", "int", "--yes")
	if !strings.Contains(r.stderr, "cluster int changes by git alone") {
		t.Errorf("%s", r)
	}
}

func applyWrong(t *testing.T, s *site) {
	for name, test := range map[string]struct{ text, want string }{
		"no namespace": {"{\n  a: 1,\n  c: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } },\n}", "planning ConfigMap c (try/wrong.jsonnet:3): it has no metadata.namespace"},
		"jsonnet":      {"{\n  a: b,\n}", "try/wrong.jsonnet:2:6-7: Unknown variable: b"},
		"somebody's":   {"{\n\n  n: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'web-proxy' } },\n}", "Namespace web-proxy (try/wrong.jsonnet:3): it is there already, and isn't this file's"},
		"a field":      {"{ c: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'try' }, dta: {} } }", "ConfigMap try/x (try/wrong.jsonnet:1)"},
	} {
		s.write("try/wrong.jsonnet", test.text)
		r := s.must(1, "apply", "try/wrong.jsonnet", "--cluster", "dev", "--yes")
		if !strings.Contains(r.stderr, "error: apply dev: ") || !strings.Contains(r.stderr, test.want) || r.stdout != "" {
			t.Errorf("%s: the error doesn't say %q:\n%s", name, test.want, r)
		}
	}
}

func applyPaused(t *testing.T, s *site) {
	pause := []string{"-n", "kube-system", "create", "configmap", "platform-pause", "--from-literal=by=Ada", "--from-literal=reason=an incident"}
	s.kubectl(pause...)
	s.kubectl("-n", "kube-system", "label", "configmap", "platform-pause", "platform/record=pause")
	r := s.must(1, "apply", scratchFile, "--cluster", "dev", "--ext-str", "value=paused", "--yes")
	if !strings.Contains(r.stderr, "deployments to the cluster are paused by Ada: an incident; `platform resume dev` releases them") {
		t.Errorf("%s", r)
	}
	s.must(2, "apply", scratchFile, "--cluster", "dev", "--ext-str", "value=paused", "--dry-run")
	s.kubectl("-n", "kube-system", "delete", "configmap", "platform-pause")
}

func applyFailing(t *testing.T, s *site) {
	s.edit(scratchFile, "lib.deployment('web', {})", "lib.deployment('web', { 'sandbox.platform/fail': 'ErrImagePull' })")
	got, r := s.apply(1, scratchFile, "--ext-str", "value=two", "--yes", "--timeout", "4s")
	if !strings.Contains(r.stderr, "Deployment try/web: ") || !strings.Contains(r.stderr, "ErrImagePull") {
		t.Errorf("the error doesn't say why:\n%s", r)
	}
	if len(got.Containers) != 1 || got.Containers[0].Resource != "Deployment try/web" || got.Containers[0].Container != "main" ||
		got.Containers[0].Reason != "ErrImagePull" || !strings.HasPrefix(got.Containers[0].Message, "registry.example.net/web:1") {
		t.Errorf("the failing containers are %+v", got.Containers)
	}
	s.edit(scratchFile, "{ 'sandbox.platform/fail': 'ErrImagePull' }", "{}")
	s.must(0, "apply", scratchFile, "--cluster", "dev", "--ext-str", "value=two", "--yes")
}

// applyWatch saves while the tool watches.
func applyWatch(t *testing.T, s *site) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := s.command(ctx, "apply", scratchFile, "--cluster", "dev", "--ext-str", "value=two", "--yes", "--watch")
	var stdout, stderr lockedBuffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	await := func(what string, buffer *lockedBuffer, has func(string) bool) {
		t.Helper()
		for range 750 {
			if has(buffer.String()) {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		_ = cmd.Process.Kill()
		t.Fatalf("%s: not in\n--- stdout\n%s--- stderr\n%s", what, stdout.String(), stderr.String())
	}
	contains := func(text string) func(string) bool {
		return func(s string) bool { return strings.Contains(s, text) }
	}
	lines := func(n int) func(string) bool { return func(s string) bool { return strings.Count(s, "\n") == n } }
	await("the first round", &stdout, contains("nothing to do"))

	// An edit, and how long it takes until it is there.
	saved := time.Now()
	s.edit(scratchFile, "std.extVar('value')", "'three'")
	await("an edit", &stdout, lines(2))
	took := time.Since(saved)
	if got := s.kubectl("-n", "try", "get", "configmap", "c", "-o", "jsonpath={.data.key}"); got != "three" {
		t.Errorf("the cluster has %q", got)
	}
	times := regexp.MustCompile(`1 updated, applied in ([0-9.]+) s, ready in ([0-9.]+) s`).FindStringSubmatch(stdout.String())
	if times == nil {
		t.Fatalf("no times in %s", stdout.String())
	}
	t.Logf("from the save until it was ready: %s; by its own account applied in %s s, ready in %s s", took.Round(10*time.Millisecond), times[1], times[2])
	if took > 5*time.Second {
		t.Errorf("it took %s from the save until it was ready", took)
	}

	// A broken save is said and got over.
	s.edit(scratchFile, "'three'", "'three")
	await("a broken save", &stderr, contains("Unterminated String"))
	s.edit(scratchFile, "'three", "'four'")
	await("a mended save", &stdout, lines(3))

	// A file that it imports; and a save ends the wait for what it replaces.
	s.edit("try/lib.libsonnet", "app: name } + labels", "app: name, 'sandbox.platform/fail': 'CreateContainerConfigError' } + labels")
	await("a save of an import", &stderr, contains("try/lib.libsonnet saved"))
	await("the failing container", &stderr, contains("failing"))
	if !strings.Contains(stderr.String(), "container main: CreateContainerConfigError") {
		t.Errorf("no reason in\n%s", stderr.String())
	}
	s.edit("try/lib.libsonnet", ", 'sandbox.platform/fail': 'CreateContainerConfigError'", "")
	await("a save that mends it", &stdout, lines(4))

	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Ctrl-C ends it with %v:\n%s", err, stderr.String())
	}
}

func upPutsBack(t *testing.T, s *site) {
	changes := s.plan("dev")
	var got []string
	for _, c := range withoutSets(changes) {
		got = append(got, c.Op+" "+c.Resource)
	}
	for _, want := range []string{"delete Deployment try/web", "delete ConfigMap try/c"} {
		if !slices.Contains(got, want) {
			t.Errorf("the plan lacks %q:\n%s", want, describe(changes))
		}
	}
	s.must(0, "up", "dev", "--yes")
	if got := s.kubectl("-n", "try", "get", "deployments,configmaps", "-o", "name"); strings.Contains(got, "web") || strings.Contains(got, "configmap/c\n") {
		t.Errorf("left are %s", got)
	}
	// Its namespace may hold what others put there.
	s.must(0, "up", "dev", "--yes", "--prune-data")
	if got := s.kubectl("get", "namespaces", "-o", "name"); strings.Contains(got, "namespace/try\n") {
		t.Error("--prune-data leaves the namespace")
	}
	if changes := s.plan("dev"); len(changes) > 0 {
		t.Errorf("after that:\n%s", describe(changes))
	}
}
