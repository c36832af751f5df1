package addons

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	pods   = kind{gvr: schema.GroupVersionResource{Version: "v1", Resource: "pods"}, namespaced: true}
	events = kind{gvr: schema.GroupVersionResource{Version: "v1", Resource: "events"}, namespaced: true}
)

// diagnosis is why an object isn't ready.
type diagnosis struct {
	reason string
	// lasting says that one of its pods is in a state which seldom passes by
	// itself.
	lasting bool
}

// diagnose finds out why an object isn't ready: what it says itself, and the
// most telling of its pods' states and of the warnings about it.
func (s *api) diagnose(ctx context.Context, c *condition) (diagnosis, error) {
	u := c.live
	d := diagnosis{reason: c.reason}
	if u == nil || u.GetNamespace() == "" || u.GetDeletionTimestamp() != nil || isPaused(u) {
		return d, nil
	}
	names := map[string]bool{u.GetName(): true}
	var trouble string
	if selector := podSelector(u); selector != "" {
		list, err := s.resource(pods, u.GetNamespace()).List(ctx, metav1.ListOptions{LabelSelector: selector, Limit: pageSize})
		if err != nil {
			return d, explain(s.server, fmt.Errorf("listing the pods of %s: %w", refOf(u), err))
		}
		for i := range list.Items {
			var pod corev1.Pod
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[i].Object, &pod); err != nil {
				return d, fmt.Errorf("reading pod %s: %w", list.Items[i].GetName(), err)
			}
			names[pod.Name] = true
			for _, owner := range pod.OwnerReferences {
				names[owner.Name] = true
			}
			if pod.DeletionTimestamp != nil {
				continue
			}
			if trouble == "" {
				trouble = podTrouble(&pod)
			}
			if hopeless(&pod) && !d.lasting {
				// It is what to tell, whatever else there is.
				trouble, d.lasting = podTrouble(&pod), true
			}
		}
	}
	if trouble == "" {
		list, err := s.resource(events, u.GetNamespace()).List(ctx, metav1.ListOptions{FieldSelector: "type=Warning", Limit: pageSize})
		if err != nil {
			return d, explain(s.server, fmt.Errorf("listing the events in %s: %w", u.GetNamespace(), err))
		}
		warnings := make([]corev1.Event, len(list.Items))
		for i := range list.Items {
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[i].Object, &warnings[i]); err != nil {
				return d, fmt.Errorf("reading event %s: %w", list.Items[i].GetName(), err)
			}
		}
		trouble = newestWarning(warnings, u.GetName(), names)
	}
	switch {
	case trouble == "":
	case d.reason == "":
		d.reason = trouble
	default:
		d.reason += ": " + trouble
	}
	return d, nil
}

// podSelector is how a workload selects its pods.
func podSelector(u *unstructured.Unstructured) string {
	group := u.GroupVersionKind().Group
	if group != "apps" && group != "batch" {
		return ""
	}
	fields, found, _ := unstructured.NestedMap(u.Object, "spec", "selector")
	if !found {
		return ""
	}
	var selector metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, &selector); err != nil {
		return ""
	}
	return metav1.FormatLabelSelector(&selector)
}

// pullFailures are the reasons for which an image isn't there.
var pullFailures = []string{"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}

// podTrouble says what keeps a pod from being ready; nothing if it is, or is
// on its way.
func podTrouble(pod *corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return fmt.Sprintf("pod %s can't be scheduled: %s", pod.Name, c.Message)
		}
	}
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if text := containerTrouble(c); text != "" {
			return text
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return fmt.Sprintf("pod %s failed: %s", pod.Name, firstOf(pod.Status.Message, pod.Status.Reason, "it doesn't say why"))
	}
	return ""
}

// hopeless reports whether an image of a pod can't be had or a container of it
// keeps crashing. The pods of a Job may crash until what they need is there:
// how often is for the Job to say.
func hopeless(pod *corev1.Pod) bool {
	owner := metav1.GetControllerOf(pod)
	return slices.ContainsFunc(slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses), func(c corev1.ContainerStatus) bool {
		w := c.State.Waiting
		switch {
		case w == nil:
			return false
		case w.Reason == "CrashLoopBackOff":
			return owner == nil || owner.Kind != "Job"
		}
		return slices.Contains(pullFailures, w.Reason)
	})
}

func containerTrouble(c corev1.ContainerStatus) string {
	if w := c.State.Waiting; w != nil && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" && w.Reason != "" {
		switch {
		case slices.Contains(pullFailures, w.Reason):
			return fmt.Sprintf("image pull failed (%s): %s", w.Reason, c.Image)
		case w.Reason == "CrashLoopBackOff":
			text := fmt.Sprintf("container %s keeps crashing (CrashLoopBackOff)", c.Name)
			if last := c.LastTerminationState.Terminated; last != nil {
				text += ", last " + terminated(last)
			}
			return text
		}
		return fmt.Sprintf("container %s waits (%s): %s", c.Name, w.Reason, w.Message)
	}
	if t := c.State.Terminated; t != nil && t.ExitCode != 0 {
		return fmt.Sprintf("container %s ended: %s", c.Name, terminated(t))
	}
	return ""
}

func terminated(t *corev1.ContainerStateTerminated) string {
	text := fmt.Sprintf("with exit code %d", t.ExitCode)
	if t.Reason != "" && t.Reason != "Error" {
		text += " (" + t.Reason + ")"
	}
	if message := strings.TrimSpace(t.Message); message != "" {
		text += ": " + message
	}
	return text
}

// newestWarning is the latest warning about an object, its pods or what stands
// between the two, whose names begin with the object's.
func newestWarning(warnings []corev1.Event, name string, names map[string]bool) string {
	var newest *corev1.Event
	for i := range warnings {
		e := &warnings[i]
		about := e.InvolvedObject.Name
		between := e.InvolvedObject.Kind == "ReplicaSet" || e.InvolvedObject.Kind == "Job" || e.InvolvedObject.Kind == "PersistentVolumeClaim"
		if !names[about] && !(between && strings.Contains(about, name+"-")) && !(between && strings.HasSuffix(about, "-"+name)) {
			continue
		}
		if newest == nil || eventTime(e).After(eventTime(newest)) {
			newest = e
		}
	}
	if newest == nil {
		return ""
	}
	return fmt.Sprintf("%s: %s", newest.Reason, strings.TrimSpace(newest.Message))
}

func eventTime(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil:
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	case !e.EventTime.IsZero():
		return e.EventTime.Time
	}
	return e.CreationTimestamp.Time
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
