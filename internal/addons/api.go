package addons

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

const (
	// requestTimeout bounds each request; the slowest is a page of large
	// objects over a slow line.
	requestTimeout = time.Minute
	// pageSize bounds how much of a LIST is in memory at once.
	pageSize = 500
	// writeGrace is how long a write that has begun may go on after an
	// interrupt, so that it is known whether it happened.
	writeGrace = 10 * time.Second
)

// api is the connection to one API server for the time of one verb.
type api struct {
	server    string
	dynamic   dynamic.Interface
	metadata  metadata.Interface
	discovery rest.Interface
	parallel  int
	places    places
	kinds     *kinds
}

// connect makes the connection, or gives nil while there is no cluster.
func (l *Layer) connect(ctx context.Context) (*api, error) {
	given, err := l.opts.Connect(ctx)
	if errors.Is(err, ErrNoCluster) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	config := rest.CopyConfig(given)
	// The server has priority and fairness; a limit here as well would only
	// be slow.
	config.QPS = -1
	config.UserAgent = Manager
	if config.Timeout == 0 {
		config.Timeout = requestTimeout
	}
	config.WarningHandlerWithContext = &l.warnings
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &counter{next: next, n: &l.requests} })
	s := &api{server: config.Host, parallel: l.opts.Parallel, places: make(places, l.opts.Parallel)}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to API server %s: %w", config.Host, err)
	}
	if s.dynamic, err = dynamic.NewForConfigAndClient(config, client); err != nil {
		return nil, fmt.Errorf("connecting to API server %s: %w", config.Host, err)
	}
	if s.metadata, err = metadata.NewForConfigAndClient(config, client); err != nil {
		return nil, fmt.Errorf("connecting to API server %s: %w", config.Host, err)
	}
	d, err := discovery.NewDiscoveryClientForConfigAndClient(config, client)
	if err != nil {
		return nil, fmt.Errorf("connecting to API server %s: %w", config.Host, err)
	}
	s.discovery = d.RESTClient()
	return s, s.discover(ctx)
}

// counter counts requests.
type counter struct {
	next http.RoundTripper
	n    *atomic.Int64
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.next.RoundTrip(r)
}

// warnings turns the API server's warnings into events, each text once: a dry
// run and the apply after it get the same.
type warnings struct {
	report func(resource, action, detail string, transient bool)
	seen   sync.Map
}

func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, code int, _ string, text string) {
	if code != 299 || text == "" {
		return
	}
	if _, before := w.seen.LoadOrStore(text, true); !before {
		w.report("", "warning", text, false)
	}
}

func (s *api) resource(k kind, namespace string) dynamic.ResourceInterface {
	if k.namespaced && namespace != "" {
		return s.dynamic.Resource(k.gvr).Namespace(namespace)
	}
	return s.dynamic.Resource(k.gvr)
}

// list visits all objects of a kind that a selector selects, page by page.
// An object may be visited twice if it changes meanwhile; the last counts.
func (s *api) list(ctx context.Context, k kind, selector string, visit func(*unstructured.Unstructured)) error {
	return s.listPages(ctx, k, selector, func(page []*unstructured.Unstructured) error {
		for _, u := range page {
			visit(u)
		}
		return nil
	})
}

// listPages is list by the page. The next is read once a page has been visited,
// so that whoever lets go of its objects holds one at a time.
func (s *api) listPages(ctx context.Context, k kind, selector string, visit func([]*unstructured.Unstructured) error) error {
	opts := metav1.ListOptions{LabelSelector: selector, Limit: pageSize}
	for restarts := 0; ; {
		var page *unstructured.UnstructuredList
		err := s.retry(ctx, func() (err error) {
			page, err = s.resource(k, "").List(ctx, opts)
			return err
		})
		if apierrors.IsResourceExpired(err) && opts.Continue != "" && restarts < 3 {
			// The cluster's history was compacted under a slow reader.
			restarts++
			opts.Continue = ""
			continue
		}
		if apierrors.IsNotFound(err) {
			return nil // no longer served, since its definition is gone
		}
		if err != nil {
			return explain(s.server, fmt.Errorf("listing %s: %w", k.gvr.GroupResource(), err))
		}
		// A pointer into the list would keep all of it as long as any one object
		// is kept.
		objects := make([]*unstructured.Unstructured, len(page.Items))
		for i := range page.Items {
			objects[i] = &unstructured.Unstructured{Object: page.Items[i].Object}
		}
		if err := visit(objects); err != nil {
			return err
		}
		if opts.Continue = page.GetContinue(); opts.Continue == "" {
			return nil
		}
	}
}

// get reads one object; it is nil if there is none.
func (s *api) get(ctx context.Context, k kind, r ref) (*unstructured.Unstructured, error) {
	var u *unstructured.Unstructured
	err := s.retry(ctx, func() (err error) {
		u, err = s.resource(k, r.Namespace).Get(ctx, r.Name, metav1.GetOptions{})
		return err
	})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(s.server, err)
	}
	return u, nil
}

// applyOptions are how an object is applied.
type applyOptions struct {
	manager string
	force   bool
	dryRun  bool
}

// apply applies an object, or has the server say what that would make of it.
func (s *api) apply(ctx context.Context, k kind, body *unstructured.Unstructured, o applyOptions) (*unstructured.Unstructured, error) {
	data, err := body.MarshalJSON()
	if err != nil {
		return nil, err
	}
	patch := metav1.PatchOptions{
		FieldManager: o.manager, Force: &o.force,
		// A misspelt field is an error, not a warning that nobody reads.
		FieldValidation: metav1.FieldValidationStrict,
	}
	if o.dryRun {
		patch.DryRun = []string{metav1.DryRunAll}
	} else {
		var done context.CancelFunc
		ctx, done = finishing(ctx)
		defer done()
	}
	var out *unstructured.Unstructured
	err = s.retry(ctx, func() (err error) {
		out, err = s.resource(k, body.GetNamespace()).Patch(ctx, body.GetName(), types.ApplyPatchType, data, patch)
		return err
	})
	return out, explain(s.server, err)
}

// delete deletes exactly the object with that uid; one that is gone already is
// as good.
func (s *api) delete(ctx context.Context, k kind, r ref, uid types.UID, how metav1.DeletionPropagation) error {
	ctx, done := finishing(ctx)
	defer done()
	err := s.retry(ctx, func() error {
		return s.resource(k, r.Namespace).Delete(ctx, r.Name, metav1.DeleteOptions{
			Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &how,
		})
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return explain(s.server, err)
}

// finishing gives a write a context that outlives an interrupt of ctx by
// writeGrace.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-out.Done():
		case <-time.After(writeGrace):
			cancel()
		}
	})
	return out, func() {
		stop()
		cancel()
	}
}

// retryFor is how long a request is retried that fails for a reason which may
// pass by itself: an API server that restarts, a webhook whose certificate
// isn't there yet.
const retryFor = 20 * time.Second

func (s *api) retry(ctx context.Context, request func() error) error {
	deadline := time.Now().Add(retryFor)
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := request()
		if err == nil || !passing(err) || time.Now().Add(wait).After(deadline) {
			return err
		}
		if sleep(ctx, wait) != nil {
			return err
		}
	}
}

// passing reports whether an error may be gone on the next try. A connection
// that is refused isn't among them, since a wrong address would take that long
// to be called wrong; nor are internal errors in general, since that is how
// the API server answers an apply with a field that it doesn't know.
func passing(err error) bool {
	return apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsServerTimeout(err) ||
		apierrors.IsInternalError(err) && strings.Contains(err.Error(), "failed calling webhook") ||
		utilnet.IsConnectionReset(err) || utilnet.IsHTTP2ConnectionLost(err)
}

// sleep waits, or gives the context's error when that is done first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// names gives the names of the objects of a kind in a namespace, without
// reading the objects.
func (s *api) names(ctx context.Context, k kind, namespace string) (map[string]bool, error) {
	out := map[string]bool{}
	err := s.listMetadata(ctx, k, namespace, func(m *metav1.PartialObjectMetadata) { out[m.Name] = true })
	return out, err
}

// listMetadata visits the metadata of all objects of a kind, page by page, in a
// namespace or, if that is empty, in all.
func (s *api) listMetadata(ctx context.Context, k kind, namespace string, visit func(*metav1.PartialObjectMetadata)) error {
	var resource metadata.ResourceInterface = s.metadata.Resource(k.gvr)
	if k.namespaced && namespace != "" {
		resource = s.metadata.Resource(k.gvr).Namespace(namespace)
	}
	opts := metav1.ListOptions{Limit: pageSize}
	for {
		var page *metav1.PartialObjectMetadataList
		err := s.retry(ctx, func() (err error) {
			page, err = resource.List(ctx, opts)
			return err
		})
		switch {
		case apierrors.IsResourceExpired(err) && opts.Continue != "":
			opts.Continue = ""
			continue
		case apierrors.IsNotFound(err): // no longer served, since its definition is gone
			return nil
		case err != nil:
			return explain(s.server, fmt.Errorf("listing %s: %w", k.gvr.GroupResource(), err))
		}
		for i := range page.Items {
			visit(&page.Items[i])
		}
		if opts.Continue = page.Continue; opts.Continue == "" {
			return nil
		}
	}
}
