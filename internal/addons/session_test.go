package addons

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"platform/internal/plan"
)

// scratch makes a scratch file of the given objects.
func scratch(path string, objects []*unstructured.Unstructured) File {
	return File{Name: ScratchName(path), Source: path, Objects: objects}
}

// session makes a session of the world.
func (w *world) session() *Session { return NewSession(w.options) }

// try compares a file, applies it and gives what it showed.
func (w *world) try(s *Session, file File) string {
	w.t.Helper()
	trial, err := s.Compare(w.t.Context(), file)
	if err != nil {
		w.t.Fatalf("comparing %s: %v", file.Source, err)
	}
	shown := describe(trial.Changes())
	done, err := trial.Apply(w.t.Context())
	if err != nil {
		w.t.Fatalf("applying %s: %v", file.Source, err)
	}
	if got := describe(done); got != shown {
		w.t.Errorf("%s: shown was\n%sbut done was\n%s", file.Source, shown, got)
	}
	return shown
}

func TestSessionTouchesOneSetOnly(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	shop := files("shop", w.parse(twoConfigs))
	till := files("till", w.parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: t, namespace: NS}}"))
	gone := files("gone", w.parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: g, namespace: NS}}"))
	w.apply(append(append(shop, till...), gone...))
	// Drift of another file's, which isn't the session's business.
	if err := w.client.CoreV1().ConfigMaps(w.ns).Delete(t.Context(), "t", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}

	s := w.session()
	if got := w.try(s, shop[0]); got != "" {
		t.Errorf("nothing was edited, but\n%s", got)
	}
	edited := File{Name: "shop", Source: shop[0].Source, Objects: without(shop[0].Objects, "b")}
	edited.Objects[0].Object["data"] = map[string]any{"k": "new"}
	got := w.try(s, edited)
	if !strings.HasPrefix(got, "update ConfigMap "+w.ns+"/a\n") || !strings.HasSuffix(got, "delete ConfigMap "+w.ns+"/b (git no longer has it in shop)\n") {
		t.Errorf("plan\n%s", got)
	}
	if got := w.configs(); got != "a g" {
		t.Errorf("there are %q", got)
	}
	if w.parent("gone") == nil {
		t.Error("the set of another file is gone")
	}
	// It is the set that all of git's files have, too.
	all := []File{edited, till[0], gone[0]}
	if got := describe(w.plan(all)); got != "create ConfigMap "+w.ns+"/t\n" {
		t.Errorf("for all files there is left\n%s", got)
	}
}

func TestScratchFileIsPutBack(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	git := files("shop", w.parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: s, namespace: NS}}"))
	w.apply(git)

	s := w.session()
	// Of the same name as git's file, and still another set.
	try := func(objects []*unstructured.Unstructured) string { return w.try(s, scratch("shop.jsonnet", objects)) }
	if got, want := try(w.parse(twoConfigs)), "create ConfigMap NS/a\ncreate ConfigMap NS/b\n"; got != strings.ReplaceAll(want, "NS", w.ns) {
		t.Errorf("first\n%s", got)
	}
	if got, want := try(without(w.parse(twoConfigs), "a")), "delete ConfigMap NS/a (./shop.jsonnet no longer has it)\n"; got != strings.ReplaceAll(want, "NS", w.ns) {
		t.Errorf("then\n%s", got)
	}
	if got := w.configs(); got != "b s" {
		t.Errorf("there are %q", got)
	}

	want := "delete ConfigMap " + w.ns + "/b (it was applied from ./shop.jsonnet, which is none of git's files for the cluster)\n"
	if got := describe(w.plan(git)); got != want {
		t.Errorf("git's plan\n%s\nwant\n%s", got, want)
	}
	w.apply(git)
	if got := w.configs(); got != "s" {
		t.Errorf("left are %q", got)
	}
	if w.parent("./shop.jsonnet") != nil {
		t.Error("the scratch file's parent is still there")
	}
	w.wantEmpty(git)
}

func TestScratchFileTakesNothingOver(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	git := files("shop", w.parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: NS}, data: {k: git}}"))
	w.apply(git)
	w.mustKubectl("{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: NS}}", "apply", "-f", "-")

	s := w.session()
	_, err := s.Compare(t.Context(), scratch("try/x.jsonnet", w.parse(twoConfigs)))
	for _, name := range []string{"a", "b"} {
		if want := "planning ConfigMap " + w.ns + "/" + name + " (try/x.jsonnet): it is there already, and isn't this file's"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	var object *ObjectError
	if !errors.As(err, &object) || object.Source != "try/x.jsonnet" {
		t.Errorf("error %#v has no source", err)
	}
	w.wantEmpty(git)

	// The other way round it is how something becomes git's.
	c := w.parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: NS}}")
	w.try(s, scratch("try/x.jsonnet", c))
	if got := w.try(s, files("new", c)[0]); !strings.HasPrefix(got, "update ConfigMap "+w.ns+"/c\n") {
		t.Errorf("plan\n%s", got)
	}
	if got := describe(w.plan(append(git, files("new", c)...))); strings.Contains(got, "/c ") {
		t.Errorf("what became git's is still the scratch file's:\n%s", got)
	}
}

// sightings collects what an observer tells.
type sightings struct{ seen chan Sighting }

func newSightings() *sightings { return &sightings{seen: make(chan Sighting, 100)} }

func (s *sightings) tell(sighting Sighting) { s.seen <- sighting }

// await waits for a sighting.
func (s *sightings) await(t *testing.T, what string, is func(Sighting) bool) Sighting {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case sighting := <-s.seen:
			if is(sighting) {
				return sighting
			}
		case <-late:
			t.Fatalf("no %s", what)
		}
	}
}

func TestObserver(t *testing.T) {
	w := newWorld(t)
	w.runPods()
	w.namespace()
	w.options.Timeout = time.Minute
	s := w.session()
	deployment := func(image string) File {
		return scratch("x.jsonnet", w.parse(stuck("web", image, ", replicas: 2")+stuck("web-proxy", "web:1", "")))
	}
	trial, err := s.Compare(t.Context(), deployment("crashing:1"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first := newSightings()
	o := trial.Observe(ctx, first.tell)
	applied := make(chan error, 1)
	go func() {
		_, err := trial.Apply(ctx)
		applied <- err
	}()
	crash := first.await(t, "failing container", func(s Sighting) bool { return s.Container != nil }).Container
	if crash.Resource != "Deployment "+w.ns+"/web" || crash.Container != "main" || crash.Reason != "CrashLoopBackOff" ||
		crash.ExitCode == nil || *crash.ExitCode != 3 || crash.Message != "no such file: /etc/shop" {
		t.Errorf("the failing container is %+v", crash)
	}
	cancel()
	if err := <-applied; !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled apply ended with %v", err)
	}
	events, containers := o.Stop(t.Context())
	if len(containers) != 1 || containers[0].Pods != 2 {
		t.Errorf("two pods fail alike, but there are %+v", containers)
	}
	count := map[string]int{}
	for _, e := range events {
		count[e.Resource+" "+e.Reason] += e.Count
		if strings.HasPrefix(e.About, "Pod "+w.ns+"/web-proxy-") != (e.Resource == "Deployment "+w.ns+"/web-proxy") && strings.HasPrefix(e.About, "Pod") {
			t.Errorf("%s is said to be of %s", e.About, e.Resource)
		}
	}
	if count["Deployment "+w.ns+"/web ScalingReplicaSet"] != 1 || count["Deployment "+w.ns+"/web SuccessfulCreate"] != 2 ||
		count["Deployment "+w.ns+"/web-proxy SuccessfulCreate"] != 1 {
		t.Errorf("the events are %v", count)
	}

	// The next save mends it: neither the old pods nor the old events count.
	if trial, err = s.Compare(t.Context(), deployment("web:2")); err != nil {
		t.Fatal(err)
	}
	second := newSightings()
	o = trial.Observe(t.Context(), second.tell)
	if _, err := trial.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, containers = o.Stop(t.Context())
	if len(containers) > 0 {
		t.Errorf("mended, but failing: %+v", containers)
	}
	for _, e := range events {
		if strings.HasPrefix(e.Resource, "Deployment "+w.ns+"/web-proxy") || e.Warning() {
			t.Errorf("an event of before: %+v", e)
		}
	}
	healths, err := trial.Health(t.Context())
	if err != nil || len(healths) != 2 || healths[0].State != plan.Ready || healths[0].Stack != "./x.jsonnet" {
		t.Errorf("%+v, %v", healths, err)
	}
}

// TestObserverKnowsReplicaSetsWithoutPods has pods refused by a quota, which
// only an event about their ReplicaSet tells.
func TestObserverKnowsReplicaSetsWithoutPods(t *testing.T) {
	w := newWorld(t)
	w.runPods()
	w.namespace()
	w.apply(files("quota", w.parse("{apiVersion: v1, kind: ResourceQuota, metadata: {name: none, namespace: NS}, spec: {hard: {pods: '0'}}}")))
	time.Sleep(500 * time.Millisecond) // the quota has to be in force before the first pod
	w.options.Timeout = time.Minute
	trial, err := w.session().Compare(t.Context(), scratch("x.jsonnet", w.parse(stuck("web", "web:1", ""))))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := newSightings()
	o := trial.Observe(ctx, seen.tell)
	go func() { _, _ = trial.Apply(ctx) }()
	e := seen.await(t, "warning", func(s Sighting) bool { return s.Event != nil && s.Event.Warning() }).Event
	if e.Resource != "Deployment "+w.ns+"/web" || e.Reason != "FailedCreate" || !strings.Contains(e.Message, "exceeded quota") {
		t.Errorf("%+v", e)
	}
	cancel()
	o.Stop(ctx)
}
