//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLife is a cluster's life: up from nothing, used, changed, interrupted,
// restarted, deleted. The steps build on each other.
func TestLife(t *testing.T) {
	s := newSite(t)
	steps := []struct {
		name string
		run  func(*testing.T, *site)
	}{
		{"up from nothing", upFromNothing},
		{"nothing to do", nothingToDo},
		{"stock kubectl and kops", stockTools},
		{"exactly the edit", exactlyTheEdit},
		{"rolling update", rollingUpdate},
		{"drift is corrected", driftIsCorrected},
		{"drift is reported", driftIsReported},
		{"saved plans", savedPlans},
		{"state survives a restart", survivesRestart},
		{"not becoming ready", notBecomingReady},
		{"a bad rollout and the ways back", badRollout},
		{"paused", paused},
		{"bad input changes nothing", badInput},
		{"what the documentation shows works", docsWork},
		{"down leaves nothing", downLeavesNothing},
		{"the policy file allows what was asked", policyIsEnough},
		{"what the documentation takes away", docsEnd},
	}
	for _, step := range steps {
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

func upFromNothing(t *testing.T, s *site) {
	changes := s.plan("dev")
	if !slices.ContainsFunc(changes, func(c change) bool {
		return c.Layer == "kops" && strings.HasPrefix(c.Resource, "VPC/") && c.Op == "create"
	}) {
		t.Errorf("the plan of a new cluster has no VPC:\n%s", describe(changes))
	}
	r := s.must(1, "up", "dev")
	if !strings.Contains(r.stderr, "there is no terminal to ask on; give --yes") {
		t.Errorf("without --yes:\n%s", r)
	}
	r = s.must(0, "up", "dev", "--yes")
	for _, want := range []string{
		"dev is healthy", "https://api-dev-example-net-", "dev.example.net in .sandbox/kubeconfig",
		"dev-example-net-ingress-", "*.k.dev.example.net", "nginx-ingress", "cert-manager", "Next",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("up doesn't say %q:\n%s", want, r)
		}
	}
}

func nothingToDo(t *testing.T, s *site) {
	r := s.must(0, "up", "dev", "--yes")
	if !strings.Contains(r.stdout, "nothing to do") {
		t.Errorf("the second up:\n%s", r)
	}
	if changes := s.plan("dev"); len(changes) > 0 {
		t.Errorf("after up there is still\n%s", describe(changes))
	}
	s.must(0, "status", "dev")
}

func stockTools(t *testing.T, s *site) {
	nodes := s.kubectl("get", "nodes", "-o", "jsonpath={.items[*].status.nodeInfo.kubeletVersion}")
	if versions := strings.Fields(nodes); len(versions) != 3 || versions[0] != "v1.36.1" {
		t.Errorf("kubectl sees nodes of versions %q, want three of v1.36.1", nodes)
	}
	kops := filepath.Join(project(t), ".sandbox", "bin", "kops")
	if out := s.tool(kops, "get", "cluster"); !strings.Contains(out, "dev.example.net") {
		t.Errorf("kops get cluster:\n%s", out)
	}
	kubeconfig := filepath.Join(s.root, "kops-kubeconfig")
	s.tool("env", "KUBECONFIG="+kubeconfig, kops, "export", "kubeconfig", "dev.example.net", "--admin")
	var proxy string
	for _, pair := range s.sandboxEnv() {
		if value, ok := strings.CutPrefix(pair, "PLATFORM_API_PROXY="); ok {
			proxy = value
		}
	}
	if out := s.tool("env", "HTTPS_PROXY="+proxy, kops, "validate", "cluster", "dev.example.net"); !strings.Contains(out, "is ready") {
		t.Errorf("kops validate cluster:\n%s", out)
	}
	out := s.tool("env", "KUBECONFIG="+kubeconfig, "HTTPS_PROXY="+proxy, filepath.Join(project(t), "bin", "kubectl"), "version")
	if !strings.Contains(out, "Server Version: v1.36.1") {
		t.Errorf("kubectl with kops' own kubeconfig:\n%s", out)
	}
}

// exactlyTheEdit edits one thing of each layer and expects the plan to name
// that thing and nothing else.
func exactlyTheEdit(t *testing.T, s *site) {
	const file = "clusters/dev/zz-edit.jsonnet"
	path := filepath.Join(s.root, file)
	if err := os.WriteFile(path, []byte(`{
  namespace: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'edit' } },
  config: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'edit' }, data: { key: 'one' } },
}`), 0o644); err != nil {
		t.Fatal(err)
	}
	changes := s.plan("dev")
	if got := describe(withoutSets(changes)); !strings.Contains(got, "addons create ConfigMap edit/a") || !strings.Contains(got, "addons create Namespace edit") || len(withoutSets(changes)) != 2 {
		t.Errorf("a new file:\n%s", got)
	}
	s.must(0, "up", "dev", "--yes")
	s.edit(file, "'one'", "'two'")
	changes = s.plan("dev")
	if len(changes) != 1 || changes[0].Op != "update" || changes[0].Resource != "ConfigMap edit/a" ||
		len(changes[0].Diff) != 1 || changes[0].Diff[0] != (field{"data.key", "one", "two"}) {
		t.Errorf("one value edited:\n%s", describe(changes))
	}
	s.must(0, "up", "dev", "--yes")
	if got := s.kubectl("get", "configmap", "-n", "edit", "a", "-o", "jsonpath={.data.key}"); got != "two" {
		t.Errorf("the cluster has %q, want two", got)
	}
	// Gone from git: pruned, but the namespace stays until data may go.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	changes = withoutSets(s.plan("dev"))
	if len(changes) != 1 || changes[0].Op != "delete" || changes[0].Resource != "ConfigMap edit/a" {
		t.Errorf("the file removed:\n%s", describe(changes))
	}
	s.must(0, "up", "dev", "--yes", "--prune-data")
	if got := s.kubectl("get", "namespaces", "-o", "name"); strings.Contains(got, "namespace/edit\n") {
		t.Errorf("--prune-data left the namespace:\n%s", got)
	}
	if changes := s.plan("dev"); len(changes) > 0 {
		t.Errorf("after pruning:\n%s", describe(changes))
	}
}

// withoutSets leaves out the apply sets' own records.
func withoutSets(changes []change) []change {
	return slices.DeleteFunc(slices.Clone(changes), func(c change) bool {
		return strings.HasPrefix(c.Resource, "ConfigMap kube-system/") || strings.HasPrefix(c.Resource, "ApplySet")
	})
}

type node struct {
	Metadata struct {
		Name   string            `json:"name"`
		Labels map[string]string `json:"labels"`
	} `json:"metadata"`
}

// nodes gives the instance type of each node by its name, which is its
// instance's ID.
func nodes(s *site, selector string) map[string]string {
	s.t.Helper()
	var list struct{ Items []node }
	if err := json.Unmarshal([]byte(s.kubectl("get", "nodes", "-l", selector, "-o", "json")), &list); err != nil {
		s.t.Fatal(err)
	}
	out := map[string]string{}
	for _, n := range list.Items {
		out[n.Metadata.Name] = n.Metadata.Labels["node.kubernetes.io/instance-type"]
	}
	return out
}

// rollingUpdate is the control without which every upgrade is vacuous: after a
// launch template changes, exactly the instances of the older version need an
// update, and each of them is replaced.
func rollingUpdate(t *testing.T, s *site) {
	workers, controlPlane := nodes(s, "node-role.kubernetes.io/node"), nodes(s, "node-role.kubernetes.io/control-plane")
	if len(workers) == 0 || len(controlPlane) != 1 {
		t.Fatalf("nodes %v, control plane %v", workers, controlPlane)
	}
	wanted := "m5.xlarge"
	s.edit("clusters/dev/this.libsonnet", "t3.xlarge", wanted)
	changes := s.plan("dev")
	rolls := 0
	for _, c := range changes {
		switch {
		case c.Op == "roll":
			rolls++
			if !strings.Contains(c.Resource, "nodes-") || !strings.Contains(c.Reason, "InstanceType") {
				t.Errorf("rolls %s (%s)", c.Resource, c.Reason)
			}
		case c.Op != "update" || c.Layer != "kops" || len(c.Diff) != 1:
			t.Errorf("beside the edit: %s", describe([]change{c}))
		}
	}
	if rolls != len(workers) {
		t.Errorf("%d groups to roll, want %d:\n%s", rolls, len(workers), describe(changes))
	}
	s.must(0, "up", "dev", "--yes")
	after := nodes(s, "node-role.kubernetes.io/node")
	for name, kind := range after {
		if _, old := workers[name]; old || kind != wanted {
			t.Errorf("node %s of type %s wasn't replaced", name, kind)
		}
	}
	if len(after) != len(workers) {
		t.Errorf("%d nodes, before %d", len(after), len(workers))
	}
	if now := nodes(s, "node-role.kubernetes.io/control-plane"); len(now) != 1 || !sameKeys(now, controlPlane) {
		t.Errorf("the control plane was %v and is %v", controlPlane, now)
	}
	if changes := s.plan("dev"); len(changes) > 0 {
		t.Errorf("after rolling:\n%s", describe(changes))
	}
}

func sameKeys(a, b map[string]string) bool {
	for key := range a {
		if _, ok := b[key]; !ok {
			return false
		}
	}
	return len(a) == len(b)
}

func driftIsCorrected(t *testing.T, s *site) {
	s.kubectl("-n", "nginx-ingress", "delete", "service", "--all")
	changes := s.plan("dev")
	if len(changes) == 0 || slices.ContainsFunc(changes, func(c change) bool {
		return c.Op != "create" || !strings.HasPrefix(c.Resource, "Service nginx-ingress/")
	}) {
		t.Errorf("deleted Services:\n%s", describe(changes))
	}
	// An operator's pause is no drift and survives.
	deployment := strings.TrimSpace(s.kubectl("-n", "cert-manager", "get", "deployments", "-o", "jsonpath={.items[0].metadata.name}"))
	s.kubectl("-n", "cert-manager", "rollout", "pause", "deployment", deployment)
	s.must(0, "up", "dev", "--yes")
	if got := s.kubectl("-n", "cert-manager", "get", "deployment", deployment, "-o", "jsonpath={.spec.paused}"); got != "true" {
		t.Errorf("up undid a pause: spec.paused is %q", got)
	}
	s.kubectl("-n", "cert-manager", "rollout", "resume", "deployment", deployment)
	if changes := s.plan("dev"); len(changes) > 0 {
		t.Errorf("after correcting:\n%s", describe(changes))
	}
}

func survivesRestart(t *testing.T, s *site) {
	before := nodes(s, "")
	s.must(0, "sandbox", "down")
	s.must(0, "status", "dev")
	if after := nodes(s, ""); !sameKeys(before, after) {
		t.Errorf("nodes were %v and are %v", before, after)
	}
	if changes := s.plan("dev"); len(changes) > 0 {
		t.Errorf("after a restart:\n%s", describe(changes))
	}
}

// notBecomingReady expects the container's own reason, and that going back is
// another up.
func notBecomingReady(t *testing.T, s *site) {
	path := filepath.Join(s.root, "clusters/dev/zz-broken.jsonnet")
	if err := os.WriteFile(path, []byte(`{
  namespace: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'broken' } },
  deployment: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'broken' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web', 'sandbox.platform/fail': 'ErrImagePull' } },
        spec: { containers: [{ name: 'web', image: 'registry.example.net/web:does-not-exist' }] },
      },
    },
  },
}`), 0o644); err != nil {
		t.Fatal(err)
	}
	r := s.must(1, "up", "dev", "--yes", "--timeout", "10s")
	for _, want := range []string{"up dev: addons: Deployment broken/web: not ready after", "0/1 replicas", "ErrImagePull"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("the error doesn't say %q:\n%s", want, r)
		}
	}
	r = s.must(1, "status", "dev")
	if !strings.Contains(r.stdout, "ErrImagePull") {
		t.Errorf("status doesn't say why:\n%s", r)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s.must(0, "up", "dev", "--yes", "--prune-data")
	s.must(0, "status", "dev")
}

// badInput expects one clear sentence each, and nothing changed.
func badInput(t *testing.T, s *site) {
	for _, test := range []struct{ name, file, old, new, want string }{
		{"kops refuses a version", "clusters/versions.json", `"dev": "1.36.1"`, `"dev": "1.20.0"`, "kubernetes upgrade is required"},
		{"kops refuses a network", "clusters/dev/this.libsonnet", "10.10.0.0/16", "10.10.0.0/99", "10.10.0.0/99"},
		{"a field that kops doesn't know", "lib/kops.libsonnet", "metricsServer: {", "metricServer: {", "spec.metricServer: kops knows no such field"},
		{"a hosted zone that isn't there", "clusters/org.libsonnet", "hostedZone: 'example.net'", "hostedZone: 'k.dev.example.net'", "hosted zone"},
		{"another account", "clusters/org.libsonnet", "account: '123456789012'", "account: '210987654321'", "the credentials are of account 123456789012"},
		{"an access list that is none", "clusters/dev/this.libsonnet", "api: [org.networks.office", "api: ['office'", "office"},
		{"an object that the API refuses", "clusters/dev/web-proxy.jsonnet", "namespace: platform.Namespace(", "bad: { apiVersion: 'v1', kind: 'Nonesuch', metadata: { name: 'x' } }, namespace: platform.Namespace(", "Nonesuch"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.t = t
			s.edit(test.file, test.old, test.new)
			defer s.edit(test.file, test.new, test.old)
			r := s.must(1, "up", "dev", "--yes")
			if !strings.Contains(r.stderr, "error: up dev: ") || !strings.Contains(r.stderr, test.want) || r.stdout != "" {
				t.Errorf("the error doesn't say %q:\n%s", test.want, r)
			}
			t.Log(strings.TrimSpace(r.stderr))
		})
	}
	s.t = t
	if changes := s.plan("dev"); len(changes) > 0 {
		t.Errorf("bad input has changed something:\n%s", describe(changes))
	}
}

func downLeavesNothing(t *testing.T, s *site) {
	r := s.must(1, "down", "dev")
	if !strings.Contains(r.stderr, "give --yes") {
		t.Errorf("down without a terminal:\n%s", r)
	}
	s.must(0, "down", "dev", "--yes")
	if left := resources(t, s); len(left) > 0 {
		t.Errorf("left in AWS: %s", strings.Join(left, ", "))
	}
	config, err := os.ReadFile(filepath.Join(s.root, ".sandbox", "kubeconfig"))
	if err != nil || strings.Contains(string(config), "dev.example.net") {
		t.Errorf("the kubeconfig still has the cluster: %v", err)
	}
	r = s.must(0, "down", "dev", "--yes")
	if !strings.Contains(r.stdout, "nothing to delete") {
		t.Errorf("down again:\n%s", r)
	}
}

// TestEveryCluster brings up the clusters that TestLife doesn't, side by side
// in one account, and takes one away without touching the other.
func TestEveryCluster(t *testing.T) {
	if os.Getenv("SOAK") == "" {
		t.Skip("takes minutes and much memory: make soak")
	}
	s := newSite(t)
	for _, cluster := range []string{"int", "web"} {
		s.must(0, "up", cluster, "--yes")
		if changes := s.plan(cluster); len(changes) > 0 {
			t.Errorf("%s:\n%s", cluster, describe(changes))
		}
	}
	s.must(0, "down", "int", "--yes", "--force-protected", "int")
	s.must(0, "status", "web")
	if changes := s.plan("web"); len(changes) > 0 {
		t.Errorf("after its neighbour went:\n%s", describe(changes))
	}
	s.must(0, "down", "web", "--yes", "--force-protected", "web")
	if left := resources(t, s); len(left) > 0 {
		t.Errorf("left in AWS: %s", strings.Join(left, ", "))
	}
}

func TestProtected(t *testing.T) {
	s := newSite(t)
	for _, cluster := range []string{"int", "web"} {
		r := s.must(1, "down", cluster, "--yes")
		if !strings.Contains(r.stderr, "the cluster is protected") || !strings.Contains(r.stderr, "--force-protected "+cluster) {
			t.Errorf("%s", r)
		}
	}
}

// TestInterrupted stops up at random moments — half of the time politely, half
// of the time not — and expects that going on finishes the job, with nothing
// left over and nothing twice. SOAK=1 makes more of them, at other moments each
// time; SEED repeats those that a failure names.
func TestInterrupted(t *testing.T) {
	rounds, seed := 1, uint64(1)
	if os.Getenv("SOAK") != "" {
		rounds, seed = 12, uint64(time.Now().UnixNano())
	}
	if text := os.Getenv("SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := newSite(t)
	s.must(0, "sandbox", "up")
	for round := range rounds {
		for attempt := 0; ; attempt++ {
			if attempt == 4 {
				s.must(0, "up", "dev", "--yes")
				break
			}
			after := time.Duration(random.IntN(12000)) * time.Millisecond
			signal := os.Signal(syscall.SIGINT)
			if random.IntN(2) == 0 {
				signal = syscall.SIGKILL
			}
			r, done := s.interrupt(after, signal, "up", "dev", "--yes")
			t.Logf("round %d: %v after %s: exit code %d", round, signal, after, r.code)
			if done {
				break
			}
			if signal == syscall.SIGINT && !strings.Contains(r.stderr, "run it again to finish") {
				t.Errorf("an interrupted up doesn't say how to go on:\n%s", r)
			}
		}
		if changes := s.plan("dev"); len(changes) > 0 {
			t.Fatalf("after the interruptions:\n%s", describe(changes))
		}
		s.must(0, "status", "dev")
		// A down that was interrupted is finished by the next as well.
		s.interrupt(time.Duration(random.IntN(3000))*time.Millisecond, syscall.SIGKILL, "down", "dev", "--yes")
		s.must(0, "down", "dev", "--yes")
		if left := resources(t, s); len(left) > 0 {
			t.Fatalf("left in AWS: %s", strings.Join(left, ", "))
		}
	}
}

// interrupt runs the tool and sends it a signal after a while, and tells
// whether it had finished by then.
func (s *site) interrupt(after time.Duration, signal os.Signal, args ...string) (result, bool) {
	s.t.Helper()
	cmd := s.command(context.Background(), args...)
	fired := make(chan bool, 1)
	timer := time.AfterFunc(after, func() {
		if cmd.Process != nil {
			_ = cmd.Process.Signal(signal)
		}
		fired <- true
	})
	r := finish(s.t, cmd)
	stopped := !timer.Stop()
	if stopped {
		<-fired
	}
	return r, r.code == 0
}
