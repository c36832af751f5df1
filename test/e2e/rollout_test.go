//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// git runs git in the site's repository.
func (s *site) git(args ...string) string {
	s.t.Helper()
	return strings.TrimSpace(s.tool("git", append([]string{"-c", "user.name=Jane Doe", "-c", "user.email=jane@example.net"}, args...)...))
}

// commit renders, commits everything and gives the commit as it is printed.
func (s *site) commit(message string) string {
	s.t.Helper()
	s.must(0, "render")
	s.git("add", "--all")
	s.git("commit", "--quiet", "--message", message)
	return s.git("rev-parse", "--short=10", "HEAD")
}

// deployed is the tool's JSON of a deployment.
type deployed struct {
	Commit, Subject, From, Result, Reason string
	Dirty, WhilePaused                    bool
	Changes                               map[string]int
	By                                    struct{ Name, ARN string }
	Seconds                               float64
}

func (s *site) history(cluster string, more ...string) []deployed {
	s.t.Helper()
	r := s.must(0, append([]string{"history", cluster, "--output", "json"}, more...)...)
	var list struct{ Deployments []deployed }
	if err := json.Unmarshal([]byte(r.stdout), &list); err != nil {
		s.t.Fatalf("%v in\n%s", err, r)
	}
	return list.Deployments
}

// badRollout has a commit that can't be rolled out. It expects that the rollout
// stops there, who brought it, that both ways back lead back, and what is on
// record of it all.
func badRollout(t *testing.T, s *site) {
	if newest := s.history("dev")[0]; newest.Commit != "" || newest.Result != "succeeded" {
		t.Errorf("without git: %+v", newest)
	}
	if err := os.WriteFile(filepath.Join(s.root, ".gitignore"), []byte("/.sandbox\n/bin\n/sandbox\n/Makefile\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.git("init", "--quiet", "--initial-branch", "main")
	good := s.commit("All is well")
	s.must(0, "up", "dev", "--yes")
	s.must(0, "up", "dev", "--yes")
	list := s.history("dev")
	if newest := list[0]; !strings.HasPrefix(newest.Commit, good) || newest.Result != "succeeded" || len(newest.Changes) > 0 || list[1].Commit != "" {
		t.Errorf("a commit that changes nothing, deployed twice: %+v", list[:2])
	}

	const file = "clusters/dev/web-proxy.jsonnet"
	s.edit(file, "cacheSize: '1Gi' }),", `cacheSize: '1Gi', resources: { cpu: '5000', memory: '256Mi' } }) {
    deployment+: { spec+: { progressDeadlineSeconds: 20 } },
    // Of a stage behind that of the Deployment.
    later: { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration', metadata: { name: 'later' } },
  },`)
	bad := s.commit("squid gets all the CPUs")
	s.edit("clusters/dev/this.libsonnet", "// dev:", "// Of no consequence.\n// dev:")
	innocent := s.commit("Nothing to do with it")

	stopped := make(chan result, 1)
	go func() { stopped <- s.run("up", "dev", "--yes") }()
	s.waitForLock()
	r := s.must(1, "up", "dev", "--yes")
	if !strings.Contains(r.stderr, "error: up dev: a deployment to the cluster is under way, by ") || !strings.Contains(r.stderr, "platform history dev") {
		t.Errorf("a second up:\n%s", r)
	}
	r = <-stopped
	t.Logf("%s", r)
	if r.code != 1 || strings.Contains(r.stderr, innocent+",") {
		t.Errorf("%s", r)
	}
	for _, want := range []string{
		"Deployment web-proxy/proxy: failed: ", "can't be scheduled: ", "not touched, in addons: 1 to create\n",
		"Deployment web-proxy/proxy came with commit " + bad + `, "squid gets all the CPUs" (Jane Doe, `,
		"two ways back:\n", "platform up dev --from " + good + " ",
	} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("the error doesn't say %q", want)
		}
	}
	if out := s.kubectl("get", "validatingwebhookconfigurations", "--output", "name"); strings.Contains(out, "later") {
		t.Errorf("what comes after it was applied:\n%s", out)
	}
	undo := regexp.MustCompile(`kubectl (rollout undo deployment/proxy -n web-proxy --context dev\.example\.net --kubeconfig \S+)`).FindStringSubmatch(r.stderr)
	if undo == nil {
		t.Fatal("the error doesn't say how to undo the rollout")
	}
	// Again: the verdict is there, nobody has to wait for it.
	if r := s.must(1, "up", "dev", "--yes"); r.took > 30*time.Second || !strings.Contains(r.stderr, bad) {
		t.Errorf("up again:\n%s", r)
	}

	s.kubectl(strings.Fields(undo[1])...)
	s.kubectl("rollout", "status", "deployment/proxy", "-n", "web-proxy", "--timeout", "60s")
	// What is being edited doesn't count.
	s.edit(file, "replicas: 1", "replicas: error 'not yet'")
	s.must(0, "up", "dev", "--from", good, "--yes")
	s.must(0, "plan", "dev", "--from", good)
	if out := s.git("status", "--porcelain"); out != "M "+file {
		t.Errorf("the working tree is\n%s", out)
	}
	s.git("checkout", "--quiet", good, "--", ".")
	s.commit("Back")
	s.must(0, "up", "dev", "--yes")
	s.must(0, "status", "dev")

	list = s.history("dev", "--limit", "4")
	if len(list) != 4 {
		t.Fatalf("%d deployments, want 4", len(list))
	}
	back, from, again, failed := list[0], list[1], list[2], list[3]
	switch {
	case back.Subject != "Back" || back.Result != "succeeded" || len(back.Changes) > 0:
		t.Errorf("the new commit: %+v", back)
	case from.From != good || !strings.HasPrefix(from.Commit, good) || from.Dirty || from.Result != "succeeded" || from.Changes["update"] == 0:
		t.Errorf("the way back: %+v", from)
	case again.Result != "failed" || again.Changes["create"] != 0:
		t.Errorf("up again: %+v", again)
	case failed.Subject != "Nothing to do with it" || failed.Result != "failed" || failed.Changes["update"] != 1 || failed.Seconds < 20 ||
		!strings.Contains(failed.Reason, "web-proxy/proxy") || failed.By.Name == "" || !strings.HasPrefix(failed.By.ARN, "arn:aws:"):
		t.Errorf("the bad rollout: %+v", failed)
	}
	text := s.must(0, "history", "dev").stdout
	if !strings.Contains(text, good+" (main)") || !strings.Contains(text, "failed") {
		t.Errorf("the history:\n%s", text)
	}
}

// waitForLock waits until somebody deploys to dev.
func (s *site) waitForLock() {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if s.kubectl("-n", "kube-system", "get", "lease", "platform-deployment", "--output", "jsonpath={.spec.holderIdentity}") != "" {
			return
		}
	}
	s.t.Fatal("nobody holds the lock")
}

func paused(t *testing.T, s *site) {
	s.must(0, "pause", "dev", "--reason", "INC-42: the disks are full")
	if r := s.must(0, "pause", "dev", "--reason", "another"); !strings.Contains(r.stdout, "paused already, by ") || !strings.Contains(r.stdout, "INC-42") {
		t.Errorf("pausing again:\n%s", r)
	}
	r := s.must(1, "up", "dev", "--yes")
	for _, want := range []string{"error: up dev: deployments to the cluster are paused by ", ": INC-42: the disks are full", "platform resume dev", "--even-if-paused"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("the refusal doesn't say %q:\n%s", want, r)
		}
	}
	var status struct {
		Paused *struct{ By, Reason string }
	}
	if err := json.Unmarshal([]byte(s.must(0, "status", "dev", "--output", "json").stdout), &status); err != nil {
		t.Fatal(err)
	}
	if status.Paused == nil || status.Paused.Reason != "INC-42: the disks are full" || status.Paused.By == "" {
		t.Errorf("status: %+v", status.Paused)
	}
	if r := s.must(0, "status", "dev"); !strings.Contains(r.stdout, "paused  by ") {
		t.Errorf("status:\n%s", r)
	}
	// It is no drift, and isn't pruned.
	if changes := s.plan("dev"); len(changes) > 0 {
		t.Errorf("a pause is planned away:\n%s", describe(changes))
	}
	s.kubectl("-n", "web-proxy", "delete", "service", "proxy")
	s.must(0, "up", "dev", "--yes", "--even-if-paused")
	if newest := s.history("dev")[0]; !newest.WhilePaused || newest.Changes["create"] != 1 {
		t.Errorf("a deployment while paused: %+v", newest)
	}
	s.must(0, "resume", "dev")
	if r := s.must(0, "resume", "dev"); !strings.Contains(r.stdout, "aren't paused") {
		t.Errorf("resuming again:\n%s", r)
	}
	s.must(0, "up", "dev", "--yes")
}
