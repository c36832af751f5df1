package addons

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

var rewrite = flag.Bool("update", false, "rewrite the golden files")

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update rewrites it). Got:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestStageOf(t *testing.T) {
	for kind, want := range map[string]Stage{
		"Namespace":             Definitions,
		"ConfigMap":             Configuration,
		"Secret":                Configuration,
		"ServiceAccount":        Configuration,
		"LimitRange":            Configuration,
		"ResourceQuota":         Configuration,
		"Service":               Workloads,
		"PersistentVolumeClaim": Workloads,
		"CustomResourceDefinition.apiextensions.k8s.io":                 Definitions,
		"PriorityClass.scheduling.k8s.io":                               Configuration,
		"StorageClass.storage.k8s.io":                                   Configuration,
		"IngressClass.networking.k8s.io":                                Configuration,
		"NetworkPolicy.networking.k8s.io":                               Configuration,
		"ClusterRole.rbac.authorization.k8s.io":                         Configuration,
		"PodDisruptionBudget.policy":                                    Configuration,
		"Deployment.apps":                                               Workloads,
		"StatefulSet.apps":                                              Workloads,
		"CronJob.batch":                                                 Workloads,
		"HorizontalPodAutoscaler.autoscaling":                           Workloads,
		"ValidatingWebhookConfiguration.admissionregistration.k8s.io":   Admission,
		"ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io": Admission,
		"APIService.apiregistration.k8s.io":                             Admission,
		"Ingress.networking.k8s.io":                                     Resources,
		"ClusterIssuer.cert-manager.io":                                 Resources,
		"Gateway.gateway.networking.k8s.io":                             Resources,
		"VolumeSnapshotClass.snapshot.storage.k8s.io":                   Resources,
	} {
		if got := StageOf(schema.ParseGroupKind(kind)); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}

// TestOrderOfTree prints the order in which a whole tree is applied.
func TestOrderOfTree(t *testing.T) {
	l := New(Options{Files: files("shop", parse(t, strings.ReplaceAll(readTree(t, "shop"), "NS", "shop")))})
	found, err := l.survey(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, stage := range Stages {
		fmt.Fprintln(&b, stage)
		for _, st := range found.at(stage) {
			fmt.Fprintf(&b, "  %s\n", st)
		}
	}
	golden(t, "order.golden", b.String())
}
