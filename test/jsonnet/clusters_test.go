package jsonnet

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// declaration is what these tests need of a cluster's own file.
type declaration struct {
	Kops struct {
		Cluster struct {
			Metadata struct{ Name string }
			Spec     struct {
				NetworkCIDR string
				IAM         struct {
					ServiceAccountExternalPermissions []struct {
						Namespace, Name string
						AWS             struct{ InlinePolicy string }
					}
				}
			}
		}
	}
	AWS struct{ Wildcard string }
}

func declared(t *testing.T, cluster string) declaration {
	t.Helper()
	var d declaration
	if err := json.Unmarshal(renderCluster(t, cluster).Declaration, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// A pod that acts as an AWS role needs kops to have made it, and a role that no
// pod uses should not be there.
func TestRolesAreDeclared(t *testing.T) {
	for _, cluster := range clusters(t) {
		t.Run(cluster, func(t *testing.T) {
			d := declared(t, cluster)
			made := map[string]bool{}
			for _, account := range d.Kops.Cluster.Spec.IAM.ServiceAccountExternalPermissions {
				made[fmt.Sprintf("%s.%s.sa.%s", account.Name, account.Namespace, d.Kops.Cluster.Metadata.Name)] = true
			}
			used := map[string]bool{}
			role := regexp.MustCompile(`arn:aws:iam::[0-9]+:role/([^"\\\s]+\.sa\.[^"\\\s]+)`)
			for _, o := range objects(t, cluster) {
				text, err := json.Marshal(o.Object)
				if err != nil {
					t.Fatal(err)
				}
				for _, found := range role.FindAllStringSubmatch(string(text), -1) {
					used[found[1]] = true
					if !made[found[1]] {
						t.Errorf("%s acts as %s, for which cluster.jsonnet has no permissions", describe(o), found[1])
					}
				}
			}
			for name := range made {
				if !used[name] {
					t.Errorf("nothing acts as %s", name)
				}
			}
		})
	}
}

// nginx serves the oldest Ingress of a host name only, and no certificate fits a
// name that isn't directly below the wildcard.
func TestIngressHosts(t *testing.T) {
	for _, cluster := range clusters(t) {
		t.Run(cluster, func(t *testing.T) {
			suffix := strings.TrimPrefix(declared(t, cluster).AWS.Wildcard, "*")
			taken := map[string]string{}
			for _, o := range objects(t, cluster) {
				if o.GetKind() != "Ingress" {
					continue
				}
				rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "rules")
				for _, rule := range rules {
					host, _, _ := unstructured.NestedString(rule.(map[string]any), "host")
					if label, ok := strings.CutSuffix(host, suffix); !ok || strings.Contains(label, ".") {
						t.Errorf("%s: host %q isn't directly below *%s", describe(o), host, suffix)
					}
					if other, ok := taken[host]; ok {
						t.Errorf("%s and %s have the host %s", other, describe(o), host)
					}
					taken[host] = describe(o)
				}
			}
		})
	}
}

// Networks that overlap can't be connected.
func TestNetworksDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, cluster := range clusters(t) {
		network := declared(t, cluster).Kops.Cluster.Spec.NetworkCIDR
		if other, ok := seen[network]; ok {
			t.Errorf("%s and %s both have the network %s", other, cluster, network)
		}
		seen[network] = cluster
	}
}

// No two files of a cluster declare the same object: the second would take it
// from the first.
func TestObjectsAreDeclaredOnce(t *testing.T) {
	for _, cluster := range clusters(t) {
		t.Run(cluster, func(t *testing.T) {
			seen := map[string]string{}
			for _, file := range renderCluster(t, cluster).Files {
				for _, o := range file.Objects {
					if other, ok := seen[describe(o)]; ok {
						t.Errorf("%s and %s both declare %s", other, file.Source, describe(o))
					}
					seen[describe(o)] = file.Source
				}
			}
		})
	}
}

// A namespace enforces the strictest level that its pods fit.
func TestPodSecurityIsStrictest(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	levels := []api.Level{api.LevelRestricted, api.LevelBaseline, api.LevelPrivileged}
	for _, cluster := range clusters(t) {
		t.Run(cluster, func(t *testing.T) {
			all := objects(t, cluster)
			needed := map[string]int{}
			for _, o := range all {
				template, ok := podTemplate(t, o)
				if !ok {
					continue
				}
				for i, level := range levels {
					result := policy.AggregateCheckResults(evaluator.EvaluatePod(
						api.LevelVersion{Level: level, Version: api.LatestVersion()}, &template.ObjectMeta, &template.Spec))
					if result.Allowed {
						needed[o.GetNamespace()] = max(needed[o.GetNamespace()], i)
						break
					}
				}
			}
			for _, o := range all {
				if o.GetKind() != "Namespace" {
					continue
				}
				level, want := o.GetLabels()[api.EnforceLevelLabel], levels[needed[o.GetName()]]
				if level != string(want) {
					t.Errorf("%s enforces %s, its pods fit %s", describe(o), level, want)
				}
			}
		})
	}
}

// Every alert says what to do about it.
func TestAlertsHaveRunbooks(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "runbooks.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]bool{}
	for _, line := range strings.Split(string(text), "\n") {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			sections[strings.ToLower(heading)] = false
		}
	}
	for _, cluster := range clusters(t) {
		for _, o := range objects(t, cluster) {
			if o.GetKind() != "ConfigMap" || !strings.HasSuffix(o.GetName(), "-prometheus-rules") {
				continue
			}
			data, _, _ := unstructured.NestedStringMap(o.Object, "data")
			for file, text := range data {
				var rules struct {
					Groups []struct {
						Rules []struct {
							Alert       string
							Annotations struct {
								Summary string
								Runbook string `json:"runbook_url"`
							}
						}
					}
				}
				if err := json.Unmarshal([]byte(text), &rules); err != nil {
					t.Fatalf("%s %s: %v", describe(o), file, err)
				}
				for _, group := range rules.Groups {
					for _, rule := range group.Rules {
						if rule.Alert == "" {
							continue
						}
						_, anchor, _ := strings.Cut(rule.Annotations.Runbook, "#")
						if _, ok := sections[anchor]; !ok {
							t.Errorf("alert %s links to %s, which docs/runbooks.md doesn't have", rule.Alert, rule.Annotations.Runbook)
						}
						sections[anchor] = true
					}
				}
			}
		}
	}
	for section, used := range sections {
		if !used {
			t.Errorf("docs/runbooks.md has a section %s, but there is no such alert", section)
		}
	}
}
