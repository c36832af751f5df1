package addons

import (
	"context"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// runPods does a kubelet's part for the pods of the world's namespace: they
// become ready, unless their image's name says that it can't be pulled
// (missing), that it crashes (crashing) or that no node has room (huge). The
// rest of the control plane is real.
func (w *world) runPods() {
	w.t.Helper()
	if err := w.server.StartControllers(); err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		for ctx.Err() == nil {
			list, err := w.client.CoreV1().Pods(w.ns).List(ctx, metav1.ListOptions{})
			if err == nil {
				for i := range list.Items {
					w.runPod(ctx, &list.Items[i])
				}
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	w.t.Cleanup(func() {
		stop()
		group.Wait()
	})
}

func (w *world) runPod(ctx context.Context, pod *corev1.Pod) {
	if pod.DeletionTimestamp != nil {
		zero := int64(0)
		w.client.CoreV1().Pods(w.ns).Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &zero})
		return
	}
	if len(pod.Status.ContainerStatuses) > 0 || len(pod.Status.Conditions) > 0 {
		return
	}
	c := pod.Spec.Containers[0]
	status := corev1.ContainerStatus{Name: c.Name, Image: c.Image}
	pod.Status.Phase = corev1.PodRunning
	ready := corev1.ConditionFalse
	switch {
	case strings.Contains(c.Image, "huge"):
		pod.Status.Phase = corev1.PodPending
		pod.Status.Conditions = []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available: 3 Insufficient cpu.",
		}}
	case strings.Contains(c.Image, "missing"):
		pod.Status.Phase = corev1.PodPending
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "manifest unknown"}
	case strings.Contains(c.Image, "crashing"):
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}
		status.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error", Message: "no such file: /etc/shop"}
	default:
		ready = corev1.ConditionTrue
		status.Ready = true
		status.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.Now()}
	}
	if len(pod.Status.Conditions) == 0 {
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: ready, LastTransitionTime: metav1.Now()}}
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{status}
	w.client.CoreV1().Pods(w.ns).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
}
