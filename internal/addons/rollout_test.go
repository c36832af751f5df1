package addons

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// failure applies files and gives the one object because of which that stopped.
func (w *world) failure(fs []File) *NotReadyError {
	w.t.Helper()
	_, err := w.layer(fs).Apply(w.t.Context())
	var notReady *NotReadyError
	if !errors.As(err, &notReady) {
		w.t.Fatalf("error %v, want a NotReadyError", err)
	}
	return notReady
}

// afterWorkloads is an object of a stage behind the workloads.
const afterWorkloads = `
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: NS}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
`

// TestBadRolloutAndBack walks the way of a bad image: Kubernetes' verdict ends
// the rollout before the next stage, and the verdict that is still there when
// git goes back isn't taken for one on the way back.
func TestBadRolloutAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.runPods()
	w.namespace()
	w.options.Timeout = time.Minute
	at := func(image string) string { return stuck("web", image, ", progressDeadlineSeconds: 2") }
	good := files("shop", w.parse(at("web:1")))
	w.apply(good)

	bad := files("shop", w.parse(at("example.net/missing:2")+afterWorkloads))
	stopped := w.failure(bad)
	if !stopped.Final || !stopped.Undoable || stopped.Source != "clusters/test/shop.jsonnet" || !strings.Contains(stopped.Reason, "image pull failed") {
		t.Errorf("the first time: %+v", stopped)
	}
	if list, err := w.client.NetworkingV1().Ingresses(w.ns).List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) > 0 {
		t.Errorf("the next stage was begun: %v, %v", list.Items, err)
	}
	start := time.Now()
	if again := w.failure(bad); !again.Final || time.Since(start) > 20*time.Second {
		t.Errorf("the second time, after %s: %+v", time.Since(start), again)
	}
	health := w.verify(bad)[0]
	if !health.Final || !health.Undoable || health.Source != "clusters/test/shop.jsonnet" {
		t.Errorf("verify says %+v", health)
	}
	// Back to the revision that is still there, and on to a new one.
	w.apply(good)
	w.failure(bad)
	w.apply(files("shop", w.parse(at("web:3"))))
}

func TestOutdatedVerdicts(t *testing.T) {
	// Kubernetes writes the verdict with the time at which it was passed.
	deployment := func(kind, reason, at string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"kind": kind, "status": map[string]any{"conditions": []any{
			map[string]any{"type": "Available", "status": "True"},
			map[string]any{"type": "Progressing", "status": "False", "reason": reason, "lastUpdateTime": at},
		}}}}
	}
	const exceeded, before, after = "ProgressDeadlineExceeded", "2026-11-03T09:00:00Z", "2026-11-03T09:04:00Z"
	for _, c := range []struct {
		live *unstructured.Unstructured
		old  string
		want bool
	}{
		{deployment("Deployment", exceeded, before), before, true},
		{deployment("Deployment", exceeded, after), before, false},
		{deployment("Deployment", exceeded, before), "", false},
		{deployment("Deployment", "ReplicaSetUpdated", before), before, false},
		{deployment("Deployment", "ReplicaSetUpdated", before), "", false},
		{deployment("Other", exceeded, before), before, false},
		{nil, before, false},
	} {
		if got := outdated(c.live, c.old); got != c.want {
			t.Errorf("verdict of %q, before of %q: %v", deadlineVerdict(c.live), c.old, got)
		}
	}
}

// TestHopelessPods expects that a workload which has no deadline of its own is
// given up before the timeout when its pods can't start, and one that needs time
// isn't.
func TestHopelessPods(t *testing.T) {
	for name, c := range map[string]struct {
		image   string
		timeout time.Duration
		final   bool
	}{
		"image": {"example.net/missing:1", time.Minute, true}, "crash": {"crashing:1", time.Minute, true}, "schedule": {"huge:1", 5 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.runPods()
			w.namespace()
			w.options.Timeout = c.timeout
			l := w.layer(files("shop", w.parse(strings.NewReplacer("IMAGE", c.image).Replace(`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: NS}
spec: {serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: main, image: "IMAGE"}]}}}
`))))
			l.pace = waitPace{talkAfter: time.Second, talkEvery: 100 * time.Millisecond, hopelessAfter: time.Second}
			_, err := l.Apply(t.Context())
			var notReady *NotReadyError
			if !errors.As(err, &notReady) || notReady.Final != c.final || notReady.Undoable {
				t.Errorf("%+v", err)
			}
		})
	}
}

func TestJobsPodsMayCrash(t *testing.T) {
	waiting := func(reason, owner string) *corev1.Pod {
		yes := true
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{Kind: owner, Controller: &yes}}},
			Status:     corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}}}},
		}
	}
	for _, c := range []struct {
		reason, owner string
		want          bool
	}{
		{"CrashLoopBackOff", "ReplicaSet", true}, {"CrashLoopBackOff", "Job", false}, {"ImagePullBackOff", "Job", true},
		{"ContainerCreating", "ReplicaSet", false}, {"CreateContainerConfigError", "ReplicaSet", false},
	} {
		if got := hopeless(waiting(c.reason, c.owner)); got != c.want {
			t.Errorf("%s of a %s: %v", c.reason, c.owner, got)
		}
	}
}

// TestNothingIsBegunAfterARefusal expects that an object which the API server
// refuses keeps those from being applied that haven't been begun.
func TestNothingIsBegunAfterARefusal(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	w.options.Parallel = 1
	fs := files("shop", w.parse(`
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: NS}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "not_a_name", namespace: NS}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: z, namespace: NS}
`))
	done, err := w.layer(fs).Apply(t.Context())
	var refused *ObjectError
	if !errors.As(err, &refused) || !strings.Contains(refused.Resource, "not_a_name") {
		t.Fatalf("error %v", err)
	}
	if len(done) != 1 || !strings.HasSuffix(done[0].Resource, "/a") {
		t.Errorf("done:\n%s", describe(done))
	}
}
