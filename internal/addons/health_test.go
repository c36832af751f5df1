package addons

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"platform/internal/plan"
)

func TestHealthOf(t *testing.T) {
	for _, c := range []struct {
		object string
		state  plan.State
		reason string
	}{
		{"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", plan.Ready, ""},
		{"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, deletionTimestamp: '2026-11-25T00:00:00Z'}}", plan.Progressing, "it is being deleted"},
		{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, generation: 2}, spec: {replicas: 2}, status: {observedGeneration: 1, readyReplicas: 1}}", plan.Progressing, "1/2 replicas"},
		{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 2}, status: {replicas: 2, readyReplicas: 2, updatedReplicas: 1}}", plan.Progressing, "1/2 replicas updated"},
		{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 2, paused: true}, status: {replicas: 2, readyReplicas: 2, updatedReplicas: 1}}", plan.Ready, pausedText},
		{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 2, paused: true}, status: {replicas: 2, readyReplicas: 1}}", plan.Progressing, pausedText},
		{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 1}, status: {conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded}]}}", plan.Failed, "0/1 replicas"},
		{"{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a, generation: 1}, status: {observedGeneration: 1, desiredNumberScheduled: 3, currentNumberScheduled: 3, updatedNumberScheduled: 3, numberReady: 2, numberAvailable: 2}}", plan.Progressing, "2/3 pods"},
		{"{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: a}}", plan.Progressing, "the API server hasn't tried it yet"},
		{"{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: a}, status: {conditions: [{type: Available, status: 'False', message: no endpoints}]}}", plan.Progressing, "no endpoints"},
		{"{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: a}, status: {conditions: [{type: Available, status: 'True'}]}}", plan.Ready, ""},
		{"{apiVersion: cert-manager.io/v1, kind: ClusterIssuer, metadata: {name: a}}", plan.Ready, ""},
		{"{apiVersion: cert-manager.io/v1, kind: ClusterIssuer, metadata: {name: a}, status: {conditions: [{type: Ready, status: 'False', message: no account}]}}", plan.Progressing, "no account"},
	} {
		state, reason := healthOf(parse(t, c.object)[0])
		if state != c.state || reason != c.reason {
			t.Errorf("%s: %s %q, want %s %q", c.object, state, reason, c.state, c.reason)
		}
	}
}

func TestPodTrouble(t *testing.T) {
	container := func(state corev1.ContainerState) *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "main", Image: "a:1", State: state}}}}
	}
	waiting := func(reason, message string) *corev1.Pod {
		return container(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}})
	}
	for want, pod := range map[string]*corev1.Pod{
		"": waiting("ContainerCreating", ""),
		"image pull failed (ImagePullBackOff): a:1":                    waiting("ImagePullBackOff", "Back-off"),
		"container main keeps crashing (CrashLoopBackOff)":             waiting("CrashLoopBackOff", ""),
		"container main waits (CreateContainerConfigError): no secret": waiting("CreateContainerConfigError", "no secret"),
		"container main ended: with exit code 137 (OOMKilled)":         container(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}}),
		"pod p failed: evicted":                                        {ObjectMeta: metav1.ObjectMeta{Name: "p"}, Status: corev1.PodStatus{Phase: corev1.PodFailed, Message: "evicted"}},
	} {
		if got := podTrouble(pod); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestNewestWarning(t *testing.T) {
	now := time.Now()
	event := func(kind, name, reason string, ago time.Duration) corev1.Event {
		return corev1.Event{InvolvedObject: corev1.ObjectReference{Kind: kind, Name: name}, Reason: reason, Message: "m", LastTimestamp: metav1.NewTime(now.Add(-ago))}
	}
	warnings := []corev1.Event{
		event("ReplicaSet", "web-7f9c", "Old", time.Hour),
		event("ReplicaSet", "web-8a1d", "FailedCreate", time.Minute),
		event("ReplicaSet", "other-1", "NotOurs", time.Second),
		event("Pod", "web-8a1d-x", "AnotherPod", time.Second),
	}
	if got := newestWarning(warnings, "web", map[string]bool{"web": true}); got != "FailedCreate: m" {
		t.Errorf("got %q", got)
	}
	if got := newestWarning(warnings, "nobody", map[string]bool{"nobody": true}); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestImmutable(t *testing.T) {
	invalid := func(messages ...string) error {
		var list field.ErrorList
		for _, m := range messages {
			list = append(list, field.Invalid(field.NewPath("spec"), "a value: with colons", m))
		}
		return apierrors.NewInvalid(schema.GroupKind{Kind: "X"}, "x", list)
	}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{invalid("field is immutable"), true},
		{invalid("field is immutable", "must be positive"), false},
		{invalid("must be positive"), false},
		{invalid("updates to statefulset spec for fields other than 'replicas' are forbidden"), true},
		{apierrors.NewBadRequest("field is immutable"), false},
		{nil, false},
	} {
		if got := isImmutable(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
	if got := firstCause(invalid("field is immutable")); got != "spec: field is immutable" {
		t.Errorf("cause %q", got)
	}
}

func TestNotReadyErrorSaysHowLong(t *testing.T) {
	for after, want := range map[time.Duration]string{5 * time.Minute: "after 5m:", 90 * time.Second: "after 1m30s:", 300 * time.Millisecond: "after 300ms:"} {
		if got := (&NotReadyError{Resource: "Deployment a/b", Reason: "r", After: after}).Error(); !strings.Contains(got, want) {
			t.Errorf("%q, want %q in it", got, want)
		}
	}
}
