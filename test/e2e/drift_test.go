//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// drifted is the part of a drift report that tests look at.
type drifted struct {
	Clusters []struct {
		Name, State, Error string
		Requests           int
		Versions           map[string]struct{ Wanted, Running string }
		Findings           []struct {
			Layer, Op, Resource, Reason, Status string
			Diff                                []struct{ Path, Manager, Written string }
		}
	}
}

func (s *site) drift(code int, args ...string) drifted {
	s.t.Helper()
	r := s.must(code, append([]string{"drift", "--format", "json"}, args...)...)
	var report drifted
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
		s.t.Fatalf("%v in\n%s", err, r)
	}
	return report
}

// findings are a cluster's, each as "status layer op resource".
func (d drifted) findings(cluster string) []string {
	var out []string
	for _, c := range d.Clusters {
		for _, f := range c.Findings {
			if c.Name == cluster {
				out = append(out, fmt.Sprintf("%s %s %s %s", f.Status, f.Layer, f.Op, f.Resource))
			}
		}
	}
	return out
}

// driftIsReported lets a cluster leave git in every layer and expects the report
// to say so, exactly, from one report to the next.
func driftIsReported(t *testing.T, s *site) {
	report := s.drift(0, "dev")
	c := report.Clusters[0]
	if c.State != "clean" || c.Requests == 0 || c.Versions["kubernetes"].Running != c.Versions["kubernetes"].Wanted || c.Versions["prometheus"].Running == "" {
		t.Errorf("as git says: %+v", c)
	}

	s.kubectl("--namespace", "storage", "set", "image", "deployment/storage-controller", "*=registry.example.net/other:1")
	s.kubectl("--namespace", "storage", "create", "configmap", "by-hand", "--from-literal=a=b")
	want := []string{
		"new addons update Deployment storage/storage-controller",
		"new undeclared none ConfigMap storage/by-hand",
	}
	report = s.drift(2, "dev")
	if got := report.findings("dev"); !contains(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	field := report.Clusters[0].Findings[0].Diff[0]
	if !strings.HasPrefix(field.Manager, "kubectl") || field.Written == "" {
		t.Errorf("who wrote it: %+v", field)
	}

	// A field of a Deployment, its object gone, is no longer what it was; what was
	// made by hand still is.
	s.kubectl("--namespace", "storage", "delete", "deployment", "storage-controller", "--wait")
	want = []string{
		"new addons create Deployment storage/storage-controller",
		"resolved addons update Deployment storage/storage-controller",
		"open undeclared none ConfigMap storage/by-hand",
	}
	if got := s.drift(2, "dev").findings("dev"); !contains(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	// Known, and left alone for a time.
	config := filepath.Join(s.root, "platform.yaml")
	before, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	rule := "\ndrift:\n  ignore:\n    - resource: ConfigMap storage/by-hand\n      reason: an experiment\n      expires: 2999-01-01\n"
	if err := os.WriteFile(config, append(slices.Clone(before), rule...), 0o644); err != nil {
		t.Fatal(err)
	}
	s.must(0, "up", "dev", "--yes")
	s.must(0, "drift", "dev")
	if err := os.WriteFile(config, before, 0o644); err != nil {
		t.Fatal(err)
	}
	page := s.must(0, "drift", "--last", "dev", "--format", "html").stdout
	if !strings.Contains(page, "an experiment") || !strings.Contains(page, "<svg") {
		t.Error("the page has no ignored finding, or no sparkline")
	}
	metrics := s.must(0, "drift", "--last", "dev", "--format", "prometheus").stdout
	if !strings.Contains(metrics, `platform_drift_report_timestamp_seconds{cluster="dev"}`) {
		t.Errorf("the measurements: %s", metrics)
	}
	s.kubectl("--namespace", "storage", "delete", "configmap", "by-hand")

	// A cluster that can't be read doesn't spoil the report, and what was known
	// of it isn't resolved.
	r := s.run("drift", "dev", "--format", "json", "--api-proxy", "http://127.0.0.1:1")
	if r.code != 1 || !strings.Contains(r.stdout, `"state": "unreachable"`) {
		t.Errorf("an API out of reach:\n%s", r)
	}
	s.drift(0, "dev")
}

// contains reports whether a list has all of some items, and no other one of the
// layers that these are of.
func contains(got, want []string) bool {
	return slices.Equal(slices.DeleteFunc(slices.Clone(got), func(f string) bool {
		return strings.Contains(f, " versions ") // which follow from the others
	}), want)
}

// savedPlans expects a plan that was kept to be applied as it is, or not at all.
func savedPlans(t *testing.T, s *site) {
	const file = "clusters/dev/web-proxy.jsonnet"
	s.edit(file, "cacheSize: '1Gi'", "cacheSize: '2Gi'")
	s.must(2, "plan", "dev", "--out", "dev.plan")
	refused := func(why string) {
		t.Helper()
		if r := s.must(1, "up", "--plan", "dev.plan"); !strings.Contains(r.stderr, why) || !strings.Contains(r.stderr, "platform plan dev --out dev.plan") {
			t.Errorf("want %q:\n%s", why, r)
		}
	}
	// Reality moves.
	s.kubectl("--namespace", "web-proxy", "label", "service", "proxy", "app.kubernetes.io/name=other", "--overwrite")
	refused("reality has changed")
	s.kubectl("--namespace", "web-proxy", "label", "service", "proxy", "app.kubernetes.io/name=web-proxy", "--overwrite")
	// Git moves.
	s.edit(file, "cacheSize: '2Gi'", "cacheSize: '3Gi'")
	refused("what git declares has changed")
	s.edit(file, "cacheSize: '3Gi'", "cacheSize: '2Gi'")

	s.must(0, "up", "--plan", "dev.plan")
	if changes := s.plan("dev"); len(changes) > 0 {
		t.Errorf("after the saved plan there is still\n%s", describe(changes))
	}
	refused("reality has changed")
	s.edit(file, "cacheSize: '2Gi'", "cacheSize: '1Gi'")
	s.must(0, "up", "dev", "--yes")
	if r := s.must(0, "plan", "dev", "--show-unchanged"); !strings.Contains(r.stdout, "= Deployment web-proxy/proxy") || !strings.Contains(r.stdout, "= LoadBalancer/") {
		t.Errorf("what is unchanged:\n%s", r)
	}
}
