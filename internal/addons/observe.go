package addons

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// ClusterEvent is an Event of Kubernetes about a declared object or what
// belongs to it. Those that say the same of several pods, or say it again, are
// one.
type ClusterEvent struct {
	// Resource is the declared object, About what the event is about, which
	// may be a pod of it.
	Resource string `json:"resource"`
	About    string `json:"about"`
	// Type is Normal or Warning.
	Type    string    `json:"type"`
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Count   int       `json:"count"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

// Warning tells what may need somebody from what is as it should be.
func (e *ClusterEvent) Warning() bool { return e.Type == corev1.EventTypeWarning }

// String says it in one line.
func (e *ClusterEvent) String() string {
	return fmt.Sprintf("%s: %s: %s", e.About, e.Reason, e.Message)
}

// Sighting is one of the two that an Observer sees.
type Sighting struct {
	Event     *ClusterEvent
	Container *FailingContainer
}

// Observer watches what becomes of a file's objects, from before they are
// applied. Events come by a watch in each of their namespaces, so that none is
// missed and no clocks are compared; what belongs to which object, and how the
// containers are, takes a look at the pods now and then.
type Observer struct {
	api  *api
	tell func(Sighting)

	// makers are the declared objects that make pods.
	makers   []*object
	incoming chan *corev1.Event
	resting  atomic.Bool
	stop     context.CancelFunc
	looking  sync.WaitGroup
	watching sync.WaitGroup

	// All of this is the looking goroutine's, and afterwards Stop's.

	began time.Time
	// belongs says to which declared object something belongs.
	belongs map[ref]string
	// before are the pods that were there before.
	before map[types.UID]bool
	// unclear are events of which it isn't known to whom they belong.
	unclear []*corev1.Event
	// counts are how often an event had happened when it was last seen.
	counts     map[types.UID]int32
	events     []*ClusterEvent
	sameEvent  map[string]*ClusterEvent
	containers []*FailingContainer
	alike      map[string]*FailingContainer
	// failed are the pods that have been counted, by what they have in common.
	failed map[string]map[types.UID]bool
}

const (
	// lookAfter an event, since events come in bursts.
	lookAfter = 200 * time.Millisecond
	// lookOften and lookSeldom bound the time between two looks while
	// something is awaited: not everything is an event.
	lookOften, lookSeldom = 500 * time.Millisecond, 3 * time.Second
	// oldPods may fail for so long before they count: what is applied may be
	// the end of them.
	oldPods = 3 * time.Second
	// maxUnclear bounds the events of others' objects that are kept.
	maxUnclear = 500
)

// Observe begins to watch, and calls tell, from one goroutine, with what is
// new. Stop ends it.
func (t *Trial) Observe(ctx context.Context, tell func(Sighting)) *Observer {
	o := &Observer{
		api: t.session.api, tell: tell, incoming: make(chan *corev1.Event, 100), began: time.Now(),
		belongs: map[ref]string{}, before: map[types.UID]bool{}, counts: map[types.UID]int32{},
		sameEvent: map[string]*ClusterEvent{}, alike: map[string]*FailingContainer{}, failed: map[string]map[types.UID]bool{},
	}
	var namespaces []string
	for _, st := range t.found.steps {
		o.belongs[st.ref] = st.String()
		if st.Namespace != "" && !slices.Contains(namespaces, st.Namespace) {
			namespaces = append(namespaces, st.Namespace)
		}
		if podsOf(st.object) != "" {
			o.makers = append(o.makers, st.object)
		}
	}
	ctx, o.stop = context.WithCancel(ctx)
	versions := make([]string, len(namespaces))
	errs := each(ctx, o.api.parallel, len(namespaces), func(i int) (err error) {
		versions[i], err = o.api.eventsVersion(ctx, namespaces[i])
		return err
	})
	for _, pod := range o.pods(ctx) {
		o.before[pod.pod.UID] = true
	}
	for i, namespace := range namespaces {
		if errs[i] != nil {
			t.session.layer.report("", "warning", fmt.Sprintf("events in %s can't be read: %v", namespace, errs[i]), false)
			continue
		}
		o.watching.Go(func() { o.watch(ctx, namespace, versions[i]) })
	}
	o.looking.Go(func() { o.run(ctx) })
	return o
}

// Rest makes the observer look only when there is an event: nothing is awaited
// any more.
func (o *Observer) Rest() { o.resting.Store(true) }

// Stop ends the watch, after a last look if ctx still allows one.
func (o *Observer) Stop(ctx context.Context) ([]ClusterEvent, []FailingContainer) {
	o.stop()
	o.watching.Wait()
	o.looking.Wait()
	for len(o.incoming) > 0 {
		o.take(<-o.incoming)
	}
	if ctx.Err() == nil {
		o.look(ctx, true)
	}
	events := make([]ClusterEvent, len(o.events))
	for i, e := range o.events {
		events[i] = *e
	}
	containers := make([]FailingContainer, len(o.containers))
	for i, c := range o.containers {
		containers[i] = *c
	}
	return events, containers
}

// run looks now and then.
func (o *Observer) run(ctx context.Context) {
	wait := lookOften
	timer := time.NewTimer(wait)
	defer timer.Stop()
	due := time.Now().Add(wait) // zero if there is nothing to look for
	within := func(d time.Duration) {
		if at := time.Now().Add(d); due.IsZero() || at.Before(due) {
			due = at
			timer.Reset(d)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-o.incoming:
			o.take(e)
			within(lookAfter)
		case <-timer.C:
			due = time.Time{}
			o.look(ctx, false)
			if !o.resting.Load() {
				within(wait)
				wait = min(2*wait, lookSeldom)
			}
		}
	}
}

// eventsVersion is the version from which on a watch sees what is new.
func (s *api) eventsVersion(ctx context.Context, namespace string) (string, error) {
	list, err := s.resource(events, namespace).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return "", explain(s.server, err)
	}
	return list.GetResourceVersion(), nil
}

// watch passes on a namespace's events, through broken connections.
func (o *Observer) watch(ctx context.Context, namespace, version string) {
	for ctx.Err() == nil {
		var err error
		if version == "" {
			version, err = o.api.eventsVersion(ctx, namespace)
		}
		if err == nil {
			version, err = o.watchFrom(ctx, namespace, version)
		}
		if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
			version = "" // what happened meanwhile is lost
		}
		if err != nil && sleep(ctx, time.Second) != nil {
			return
		}
	}
}

// watchFrom watches until the connection ends, as each does after a while, and
// gives the version to go on from.
func (o *Observer) watchFrom(ctx context.Context, namespace, version string) (string, error) {
	stream, err := o.api.resource(events, namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: version, AllowWatchBookmarks: true})
	if err != nil {
		return version, err
	}
	defer stream.Stop()
	for change := range stream.ResultChan() {
		if change.Type == watch.Error {
			return version, apierrors.FromObject(change.Object)
		}
		u, ok := change.Object.(*unstructured.Unstructured)
		if !ok {
			continue
		}
		version = u.GetResourceVersion()
		if change.Type != watch.Added && change.Type != watch.Modified {
			continue
		}
		e := &corev1.Event{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, e); err != nil {
			continue // nothing that anybody could read
		}
		select {
		case o.incoming <- e:
		case <-ctx.Done():
			return version, nil
		}
	}
	return version, nil
}

// take keeps an event until the next look.
func (o *Observer) take(e *corev1.Event) {
	o.unclear = append(o.unclear, e)
	if extra := len(o.unclear) - maxUnclear; extra > 0 {
		o.unclear = slices.Delete(o.unclear, 0, extra)
	}
}

// look finds out to whom the events belong and which containers fail.
func (o *Observer) look(ctx context.Context, last bool) {
	pods := o.pods(ctx)
	for _, p := range pods {
		o.learn(p.maker, &p.pod)
	}
	o.learnReplicaSets(ctx)
	o.unclear = slices.DeleteFunc(o.unclear, func(e *corev1.Event) bool {
		resource, ours := o.belongs[aboutOf(e)]
		if ours {
			o.happened(resource, e)
		}
		return ours
	})
	for _, p := range pods {
		if p.pod.DeletionTimestamp != nil || o.before[p.pod.UID] && !last && time.Since(o.began) < oldPods {
			continue
		}
		for _, c := range failingContainers(&p.pod) {
			c.Resource = p.maker.String()
			o.fails(ctx, &c, &p.pod)
		}
	}
}

// makersPod is a pod and the declared object that made it.
type makersPod struct {
	maker *object
	pod   corev1.Pod
}

// pods reads the pods of all declared objects. What can't be read now can at
// the next look.
func (o *Observer) pods(ctx context.Context) []makersPod {
	found := make([][]makersPod, len(o.makers))
	each(ctx, o.api.parallel, len(o.makers), func(i int) error {
		maker := o.makers[i]
		list, err := o.api.resource(pods, maker.Namespace).List(ctx, metav1.ListOptions{LabelSelector: podsOf(maker), Limit: pageSize})
		if err != nil {
			return err
		}
		for j := range list.Items {
			var pod corev1.Pod
			if runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[j].Object, &pod) == nil && (maker.Kind != "Pod" || pod.Name == maker.Name) {
				found[i] = append(found[i], makersPod{maker, pod})
			}
		}
		return nil
	})
	return slices.Concat(found...)
}

// podsOf is how the pods of a declared object are found; empty if it makes
// none.
func podsOf(o *object) string {
	switch {
	case o.Group == "" && o.Kind == "Pod": // one of the set's
		return labelMember + "=" + o.set.id
	case o.Group == "batch" && o.Kind == "Job":
		// Its selector is the server's to choose.
		return "batch.kubernetes.io/job-name=" + o.Name
	}
	return podSelector(o.body)
}

// learn notes that a pod, and what it was made by and uses, is a declared
// object's.
func (o *Observer) learn(maker *object, pod *corev1.Pod) {
	note := func(kind schema.GroupKind, name string) {
		at := ref{kind, pod.Namespace, name}
		if _, known := o.belongs[at]; !known {
			o.belongs[at] = maker.String()
		}
	}
	note(schema.GroupKind{Kind: "Pod"}, pod.Name)
	for _, owner := range pod.OwnerReferences {
		if gv, err := schema.ParseGroupVersion(owner.APIVersion); err == nil {
			note(gv.WithKind(owner.Kind).GroupKind(), owner.Name)
		}
	}
	if maker.Kind == "StatefulSet" {
		for _, volume := range pod.Spec.Volumes {
			if claim := volume.PersistentVolumeClaim; claim != nil {
				note(claims, claim.ClaimName)
			}
		}
	}
}

var replicaSets = schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}

// learnReplicaSets finds the makers of ReplicaSets that have no pod to tell,
// which is just when an event about one matters: it isn't allowed to make any.
func (o *Observer) learnReplicaSets(ctx context.Context) {
	if !slices.ContainsFunc(o.unclear, func(e *corev1.Event) bool {
		_, known := o.belongs[aboutOf(e)]
		return !known && aboutOf(e).GroupKind == replicaSets
	}) {
		return
	}
	for _, maker := range o.makers {
		if maker.Kind != "Deployment" {
			continue
		}
		resource := o.api.metadata.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"})
		list, err := resource.Namespace(maker.Namespace).List(ctx, metav1.ListOptions{LabelSelector: podsOf(maker), Limit: pageSize})
		if err != nil {
			continue
		}
		for i := range list.Items {
			o.belongs[ref{replicaSets, maker.Namespace, list.Items[i].Name}] = maker.String()
		}
	}
}

// aboutOf is what an event is about.
func aboutOf(e *corev1.Event) ref {
	about := e.InvolvedObject
	gv, err := schema.ParseGroupVersion(about.APIVersion)
	if err != nil {
		gv = schema.GroupVersion{}
	}
	return ref{gv.WithKind(about.Kind).GroupKind(), about.Namespace, about.Name}
}

// happened counts an event, and tells of the first of its kind.
func (o *Observer) happened(resource string, e *corev1.Event) {
	times := max(1, e.Count)
	if e.Series != nil {
		times = max(times, e.Series.Count)
	}
	more := 1
	if before, again := o.counts[e.UID]; again {
		more = max(0, int(times-before))
	}
	o.counts[e.UID] = times

	about := aboutOf(e)
	message := strings.Join(strings.Fields(e.Message), " ")
	// Messages about different pods differ in nothing but their names.
	key := strings.Join([]string{resource, about.Kind, e.Type, e.Reason, strings.ReplaceAll(message, e.InvolvedObject.Name, "")}, "\n")
	at := eventTime(e)
	if same := o.sameEvent[key]; same != nil {
		same.Count += more
		if at.After(same.Last) {
			same.Last = at
		}
		return
	}
	seen := &ClusterEvent{
		Resource: resource, About: about.String(), Type: e.Type, Reason: e.Reason, Message: message, Count: more, First: at, Last: at,
	}
	o.sameEvent[key] = seen
	o.events = append(o.events, seen)
	o.tell(Sighting{Event: seen})
}

// fails notes a failing container, and tells of the first that fails so.
func (o *Observer) fails(ctx context.Context, c *FailingContainer, pod *corev1.Pod) {
	key := c.alike()
	if o.failed[key] == nil {
		o.failed[key] = map[types.UID]bool{}
	}
	o.failed[key][pod.UID] = true
	if known := o.alike[key]; known != nil {
		known.Pods = len(o.failed[key])
		if known.Pod == c.Pod {
			known.Restarts, known.Message = c.Restarts, firstOf(c.Message, known.Message)
		}
		return
	}
	if c.crashed() {
		c.Log = o.api.readLog(ctx, c)
	}
	o.alike[key] = c
	o.containers = append(o.containers, c)
	o.tell(Sighting{Container: c})
}
