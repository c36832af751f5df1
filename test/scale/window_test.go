package scale

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"platform/test/apiserver"
)

// window is a cluster's way to the API server. It makes a cluster of one
// namespace: what is asked of all namespaces is asked of that one. It counts
// the requests, and how many are under way until their answers have been read.
type window struct {
	namespace string
	// everywhere are the paths that ask for a kind in all namespaces.
	everywhere map[string]bool
	gauge
}

// pane is one connection through a window.
type pane struct {
	*window
	next http.RoundTripper
}

// gauge counts what is under way.
type gauge struct {
	mu                sync.Mutex
	now, most, counts int
}

func (g *gauge) enter() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now++
	g.counts++
	g.most = max(g.most, g.now)
}

func (g *gauge) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now--
}

// read gives how many there have been, and how many at once, since the last read.
func (g *gauge) read() (counts, most int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	counts, most = g.counts, g.most
	g.counts, g.most = 0, g.now
	return counts, most
}

func (w *pane) RoundTrip(r *http.Request) (*http.Response, error) {
	// The records of sets are found in kube-system, by a label.
	if w.everywhere[r.URL.Path] && !strings.HasPrefix(r.URL.Query().Get("labelSelector"), "applyset.kubernetes.io/id") {
		r = r.Clone(r.Context())
		at := strings.LastIndex(r.URL.Path, "/")
		r.URL.Path = r.URL.Path[:at] + "/namespaces/" + w.namespace + r.URL.Path[at:]
	}
	w.enter()
	response, err := w.next.RoundTrip(r)
	if err != nil {
		w.leave()
		return nil, err
	}
	response.Body = &body{ReadCloser: response.Body, done: sync.OnceFunc(w.leave)}
	return response, nil
}

// body is an answer that is under way until it is closed.
type body struct {
	io.ReadCloser
	done func()
}

func (b *body) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}

// config connects through the window.
func (w *window) config(server *apiserver.Server) *rest.Config {
	config := rest.CopyConfig(server.Config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &pane{window: w, next: next} })
	return config
}

// everywhere gives the paths that ask for a kind in all namespaces.
func everywhere(t *testing.T, server *apiserver.Server) map[string]bool {
	t.Helper()
	client, err := kubernetes.NewForConfig(server.Config)
	if err != nil {
		t.Fatal(err)
	}
	_, lists, err := client.Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, list := range lists {
		root := "/apis/"
		if list.GroupVersion == "v1" {
			root = "/api/"
		}
		for _, resource := range list.APIResources {
			if resource.Namespaced {
				out[root+list.GroupVersion+"/"+resource.Name] = true
			}
		}
	}
	return out
}
