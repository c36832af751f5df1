package addons

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
)

func TestFailingContainers(t *testing.T) {
	waiting := func(reason, message string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
	ended := func(code int32, reason, message string) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message}}
	}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	for _, test := range []struct {
		name   string
		status corev1.ContainerStatus
		want   string
	}{
		{"not yet", corev1.ContainerStatus{State: waiting("ContainerCreating", "")}, ""},
		{"no state at all", corev1.ContainerStatus{}, ""},
		{"runs", corev1.ContainerStatus{State: running, Ready: true, RestartCount: 2, LastTerminationState: ended(1, "Error", "")}, ""},
		{"starts slowly", corev1.ContainerStatus{State: running}, ""},
		{"has ended well", corev1.ContainerStatus{State: ended(0, "Completed", "")}, ""},
		{"image", corev1.ContainerStatus{Image: "a:1", State: waiting("ErrImagePull", "manifest unknown")}, "Pod ns/p: container c: ErrImagePull: a:1: manifest unknown"},
		{"image, no message", corev1.ContainerStatus{Image: "a:1", State: waiting("ImagePullBackOff", "")}, "Pod ns/p: container c: ImagePullBackOff: a:1"},
		{"configuration", corev1.ContainerStatus{State: waiting("CreateContainerConfigError", `secret "x" not found`)}, `Pod ns/p: container c: CreateContainerConfigError: secret "x" not found`},
		{
			"crashes", corev1.ContainerStatus{State: waiting("CrashLoopBackOff", "back-off 10s"), RestartCount: 3, LastTerminationState: ended(2, "Error", "no such file\n")},
			"Pod ns/p: container c: CrashLoopBackOff, exit code 2, 3 restarts: no such file",
		},
		{"memory", corev1.ContainerStatus{State: ended(137, "OOMKilled", "")}, "Pod ns/p: container c: OOMKilled, exit code 137"},
		{"between two crashes", corev1.ContainerStatus{State: running, RestartCount: 1, LastTerminationState: ended(1, "Error", "")}, "Pod ns/p: container c: Error, exit code 1, 1 restarts"},
	} {
		test.status.Name = "c"
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p"}}
		for _, init := range []bool{false, true} {
			want := test.want
			pod.Status = corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{test.status}}
			if init {
				pod.Status = corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{test.status}}
				want = strings.Replace(want, "container c", "init container c", 1)
			}
			var got string
			if found := failingContainers(pod); len(found) > 0 {
				got = found[0].String()
			}
			if got != want {
				t.Errorf("%s: %q, want %q", test.name, got, want)
			}
		}
	}
}

func TestContainersThatFailAlike(t *testing.T) {
	one, two := int32(1), int32(2)
	a := FailingContainer{Resource: "r", Container: "c", Reason: "ErrImagePull"}
	b := FailingContainer{Resource: "r", Container: "c", Reason: "ImagePullBackOff"}
	c := FailingContainer{Resource: "r", Container: "c", Reason: "Error", ExitCode: &one}
	d := FailingContainer{Resource: "r", Container: "c", Reason: "CrashLoopBackOff", ExitCode: &one}
	e := FailingContainer{Resource: "r", Container: "c", Reason: "CrashLoopBackOff", ExitCode: &two}
	if a.alike() != b.alike() || c.alike() != d.alike() || d.alike() == e.alike() || a.alike() == c.alike() {
		t.Errorf("%q %q %q %q %q", a.alike(), b.alike(), c.alike(), d.alike(), e.alike())
	}
}

// TestReadLog asks a server that answers as an API server does, since that of
// the other tests has no kubelet to ask.
func TestReadLog(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/namespaces/ns/pods/p/log" {
			http.Error(w, "dial tcp 10.0.0.1:10250: connect: no route to host", http.StatusInternalServerError)
			return
		}
		q := r.URL.Query()
		fmt.Fprintf(w, "container %s, previous %s\n\x1b[31mred\x1b[0m\tétage\r\n", q.Get("container"), q.Get("previous"))
	}))
	defer server.Close()
	client, err := discovery.NewDiscoveryClientForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	s := &api{discovery: client.RESTClient()}
	got := s.readLog(t.Context(), &FailingContainer{Pod: "ns/p", Container: "c", restarted: true})
	if want := []string{"container c, previous true", "[31mred[0m\tétage"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := s.readLog(t.Context(), &FailingContainer{Pod: "ns/other", Container: "c"}); got != nil {
		t.Errorf("of a log that can't be had: %q", got)
	}
	if got := lastLines(strings.Repeat("x\n", 30)); len(got) != logLines {
		t.Errorf("%d lines", len(got))
	}
}
