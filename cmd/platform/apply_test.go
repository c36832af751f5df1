package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"platform/internal/addons"
	"platform/internal/declaration"
	"platform/internal/record"
	"platform/internal/render"
	"platform/internal/ui"
	"platform/test/apiserver"
)

// screen is what somebody at a terminal sees.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// count is how often a text is on the screen.
func (s *screen) count(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.text.String(), text)
}

func (s *screen) await(t *testing.T, text string, times int) {
	t.Helper()
	for range 500 {
		if s.count(text) >= times {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%q isn't there %d times:\n%s", text, times, s.text.String())
}

const question = "Only 'yes' will be accepted"

// TestWatchAsks has somebody at a terminal who is asked for the first round and
// for what is destructive, and for nothing else.
func TestWatchAsks(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a real API server")
	}
	server, err := apiserver.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	root := t.TempDir()
	save := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, "x.jsonnet"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const object = "{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'NAME', namespace: 'default' }, data: { key: 'VALUE' } }"
	file := func(a, b string) string {
		text := "{ "
		for name, value := range map[string]string{"a": a, "b": b} {
			if value != "" {
				text += name + ": " + strings.NewReplacer("NAME", name, "VALUE", value).Replace(object) + ", "
			}
		}
		return text + "}"
	}

	answers, in := io.Pipe()
	answer := func(text string) {
		if _, err := io.WriteString(in, text+"\n"); err != nil {
			t.Error(err)
		}
	}
	var s screen
	f := newFactory(ui.Streams{In: answers, Out: &s, Err: &s, InTerminal: true})
	w := &way{declaration: declaration.Declaration{Name: "dev"}, config: server.Config, expires: time.Now().Add(time.Hour)}
	if w.records, err = record.Open(server.Config); err != nil {
		t.Fatal(err)
	}
	progress := ui.NewProgress(f.Streams, false)
	defer progress.Close()
	a := &applying{
		f: f, o: applyOptions{cluster: "dev"}, file: chosenFile{source: "x.jsonnet", set: "./x.jsonnet"},
		options: render.Options{Root: root}, way: w, progress: progress, name: "dev.example.net",
	}
	a.session = addons.NewSession(addons.Options{
		Repository: "tests", Cluster: "dev", Report: a.report,
		Connect: func(ctx context.Context) (*rest.Config, error) { return w.connect(ctx) },
	})
	client, err := kubernetes.NewForConfig(server.Config)
	if err != nil {
		t.Fatal(err)
	}
	has := func(name, value string) {
		t.Helper()
		got := ""
		if c, err := client.CoreV1().ConfigMaps("default").Get(t.Context(), name, metav1.GetOptions{}); err == nil {
			got = c.Data["key"]
		}
		if got != value {
			t.Errorf("%s has %q, want %q", name, got, value)
		}
	}

	save(file("1", "1"))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.watch(ctx) }()
	s.await(t, question, 1)
	has("a", "")
	answer("yes")
	s.await(t, "2 created, applied in", 1)

	save(file("2", "1"))
	s.await(t, "1 updated, applied in", 1)
	has("a", "2")
	if n := s.count(question); n != 1 {
		t.Errorf("asked %d times", n)
	}

	save(file("2", ""))
	s.await(t, question, 2)
	answer("no")
	s.await(t, "Nothing was changed", 1)
	has("b", "1")

	// While it asks the file is saved: the answer is to what was shown.
	save(file("3", ""))
	s.await(t, question, 3)
	save(file("4", "1"))
	time.Sleep(200 * time.Millisecond)
	answer("yes")
	s.await(t, "saved meanwhile: looking again", 1)
	s.await(t, "1 updated, applied in", 2)
	has("a", "4")
	has("b", "1")

	save(file("4", ""))
	s.await(t, question, 4)
	answer("yes")
	s.await(t, "1 deleted, applied in", 1)
	has("b", "")

	// The end comes in the middle of a question, too.
	save("{}")
	s.await(t, question, 5)
	stop()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	has("a", "4")
}
