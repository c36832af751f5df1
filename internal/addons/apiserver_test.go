package addons

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	sigsyaml "sigs.k8s.io/yaml"

	"platform/internal/plan"
	"platform/test/apiserver"
)

func TestMain(m *testing.M) { apiserver.Main(m) }

// world is one test's part of the shared API server.
type world struct {
	t       testing.TB
	server  *apiserver.Server
	client  kubernetes.Interface
	ns      string
	options Options

	mu     sync.Mutex
	events []plan.Event
}

// record is a Report that keeps the events; seen gives them.
func (w *world) record(e plan.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

func (w *world) seen() []plan.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

var worlds atomic.Int64

// newWorld gives a test a namespace's name of its own, which is put for NS in
// the objects that it reads.
func newWorld(t testing.TB) *world {
	t.Helper()
	server := apiserver.Shared(t)
	client, err := kubernetes.NewForConfig(server.Config)
	if err != nil {
		t.Fatal(err)
	}
	ns := fmt.Sprintf("w%d", worlds.Add(1))
	w := &world{t: t, server: server, client: client, ns: ns}
	w.options = Options{
		Repository: "tests", Cluster: ns, Timeout: 10 * time.Second,
		Connect: func(context.Context) (*rest.Config, error) { return server.Config, nil },
	}
	return w
}

// parse reads objects from YAML.
func parse(t testing.TB, text string) []*unstructured.Unstructured {
	t.Helper()
	reader := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	var out []*unstructured.Unstructured
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := sigsyaml.YAMLToJSON(document)
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
			continue
		}
		u := &unstructured.Unstructured{}
		if err := json.Unmarshal(data, &u.Object); err != nil {
			t.Fatal(err)
		}
		out = append(out, u)
	}
}

func (w *world) parse(text string) []*unstructured.Unstructured {
	return parse(w.t, strings.ReplaceAll(text, "NS", w.ns))
}

func readTree(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "tree", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// files makes one file of the given objects.
func files(name string, objects []*unstructured.Unstructured) []File {
	return []File{{Name: name, Source: "clusters/test/" + name + ".jsonnet", Objects: objects}}
}

// layer makes a Layer of the world with the given files.
func (w *world) layer(files []File) *Layer {
	o := w.options
	o.Files = files
	return New(o)
}

func (w *world) plan(files []File) []plan.Change {
	w.t.Helper()
	changes, err := w.layer(files).Plan(w.t.Context())
	if err != nil {
		w.t.Fatalf("plan: %v", err)
	}
	return changes
}

func (w *world) apply(files []File) []plan.Change {
	w.t.Helper()
	changes, err := w.layer(files).Apply(w.t.Context())
	if err != nil {
		w.t.Fatalf("apply: %v", err)
	}
	return changes
}

// wantEmpty fails unless there is nothing to do.
func (w *world) wantEmpty(files []File) {
	w.t.Helper()
	if changes := w.plan(files); len(changes) > 0 {
		w.t.Errorf("want an empty plan, got\n%s", describe(changes))
	}
}

// hashes matches the hashes of secret values, which no two runs share.
var hashes = regexp.MustCompile(`hash [0-9a-f]{12}`)

// describe prints a plan as text, to compare and to read.
func describe(changes []plan.Change) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%s %s", c.Op, c.Resource)
		if c.Reason != "" {
			fmt.Fprintf(&b, " (%s)", c.Reason)
		}
		b.WriteByte('\n')
		for _, f := range c.Diff {
			fmt.Fprintf(&b, "  %s: %s -> %s\n", f.Path, text(f.From), text(f.To))
		}
	}
	return b.String()
}

// namespace makes the world's namespace, for tests that don't declare it.
func (w *world) namespace() {
	w.t.Helper()
	ns := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": w.ns}}}
	s := w.connect()
	if _, err := s.dynamic.Resource(namespaces.gvr).Create(w.t.Context(), ns, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) connect() *api {
	w.t.Helper()
	s, err := w.layer(nil).connect(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}
