package addons

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// deadlineVerdict is Kubernetes' verdict that a Deployment's rollout doesn't
// progress, by the time at which it was passed; empty if there is none.
//
// It outlives the rollout that it is about: when a Deployment goes back to a
// revision that is still there, it stands until the first pod has moved, and
// must not be taken for one on the way back.
func deadlineVerdict(u *unstructured.Unstructured) string {
	if u == nil || u.GetKind() != "Deployment" {
		return ""
	}
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if condition["type"] == "Progressing" && condition["reason"] == "ProgressDeadlineExceeded" {
			at, _ := condition["lastUpdateTime"].(string)
			return at
		}
	}
	return ""
}

// outdated reports whether the verdict on a Deployment is the one that was there
// before it was applied.
func outdated(u *unstructured.Unstructured, before string) bool {
	return before != "" && deadlineVerdict(u) == before
}

// undoable reports whether `kubectl rollout undo` has an earlier revision of a
// workload to go back to.
func undoable(u *unstructured.Unstructured) bool {
	if u == nil || u.GroupVersionKind().Group != "apps" {
		return false
	}
	later := func(annotation string) bool {
		number := u.GetAnnotations()[annotation]
		return number != "" && number != "1"
	}
	switch u.GetKind() {
	case "Deployment":
		return later("deployment.kubernetes.io/revision")
	case "DaemonSet":
		return later("deprecated.daemonset.template.generation")
	case "StatefulSet":
		now, _, _ := unstructured.NestedString(u.Object, "status", "currentRevision")
		next, _, _ := unstructured.NestedString(u.Object, "status", "updateRevision")
		return now != next
	}
	return false
}
