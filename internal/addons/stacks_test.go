package addons

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"platform/test/apiserver"
)

// stacks reads the objects of all stacks of a cluster, as they are committed.
func stacks(t *testing.T, cluster string) []File {
	t.Helper()
	root := filepath.Join("..", "..", "generated", cluster)
	folders, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var out []File
	for _, folder := range folders {
		if folder.Name() == "cluster" {
			continue
		}
		names, err := filepath.Glob(filepath.Join(root, folder.Name(), "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		file := File{Name: folder.Name(), Source: "clusters/" + cluster + "/" + folder.Name() + ".jsonnet"}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			u := &unstructured.Unstructured{}
			if err := json.Unmarshal(data, &u.Object); err != nil {
				t.Fatal(err)
			}
			answerless(u)
			file.Objects = append(file.Objects, u)
		}
		out = append(out, file)
	}
	return out
}

// answerless lets pass what a webhook would be asked about: no pod runs here
// that could answer.
func answerless(u *unstructured.Unstructured) {
	for _, kind := range []string{"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"} {
		if u.GetKind() != kind {
			continue
		}
		hooks, _ := u.Object["webhooks"].([]any)
		for _, hook := range hooks {
			hook.(map[string]any)["failurePolicy"] = "Ignore"
			hook.(map[string]any)["timeoutSeconds"] = int64(1)
		}
	}
}

// TestPlanAgreesOnAllStacks is TestPlanAgreesWithDryRuns over every object of
// every stack, and at least 500 mutations of them. It has an API server of its
// own: the guardrails would refuse what other tests make.
func TestPlanAgreesOnAllStacks(t *testing.T) {
	if testing.Short() {
		t.Skip("it asks the API server thousands of times")
	}
	server, err := apiserver.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	client, err := kubernetes.NewForConfig(server.Config)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, server: server, client: client, ns: "stacks"}
	w.options = Options{
		Repository: "tests", Cluster: "int", Timeout: 10 * time.Second,
		Connect: func(context.Context) (*rest.Config, error) { return server.Config, nil },
	}
	fs := stacks(t, "int")
	_, objects, err := w.layer(fs).declared()
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) < 200 || !slices.ContainsFunc(objects, func(o *object) bool { return o.Kind == "StatefulSet" }) {
		t.Fatalf("only %d objects", len(objects))
	}
	counts := w.agree(fs, objects, max(500, *mutations))
	if counts[same] == 0 || counts[differs] == 0 || counts[refused] == 0 {
		t.Errorf("the verdicts are one-sided: %v", counts)
	}
}
