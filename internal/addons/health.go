package addons

import (
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"platform/internal/plan"
)

// healthOf is how a live object is doing, as far as it says itself.
func healthOf(u *unstructured.Unstructured) (plan.State, string) {
	if u.GetDeletionTimestamp() != nil {
		return plan.Progressing, "it is being deleted"
	}
	group, kind := u.GroupVersionKind().Group, u.GetKind()
	if group == "apiregistration.k8s.io" && kind == "APIService" {
		return apiServiceHealth(u)
	}
	result, err := status.Compute(u)
	if err != nil {
		return plan.Failed, "its status can't be read: " + err.Error()
	}
	switch result.Status {
	case status.CurrentStatus:
		return plan.Ready, ""
	case status.FailedStatus:
		return plan.Failed, countText(u, result.Message)
	}
	if isPaused(u) {
		// What an operator has paused on purpose is well as long as the pods
		// that there are serve.
		if ready, wanted := replicas(u); ready >= wanted {
			return plan.Ready, pausedText
		}
		return plan.Progressing, pausedText
	}
	return plan.Progressing, countText(u, result.Message)
}

// replicas gives how many of a workload's replicas are ready and wanted.
func replicas(u *unstructured.Unstructured) (ready, wanted int64) {
	ready, _, _ = unstructured.NestedInt64(u.Object, "status", "readyReplicas")
	wanted, _, _ = unstructured.NestedInt64(u.Object, "spec", "replicas")
	return ready, wanted
}

const pausedText = "its rollout is paused (kubectl rollout resume continues it)"

// isPaused reports whether an operator has paused a Deployment's rollout.
func isPaused(u *unstructured.Unstructured) bool {
	paused, _, _ := unstructured.NestedBool(u.Object, "spec", "paused")
	return paused && u.GetKind() == "Deployment"
}

// countText says how many of a workload's replicas are ready, where it counts
// any, and otherwise what its status says.
func countText(u *unstructured.Unstructured, message string) string {
	count := func(path ...string) int64 {
		n, _, _ := unstructured.NestedInt64(u.Object, path...)
		return n
	}
	if u.GroupVersionKind().Group != "apps" {
		return message
	}
	switch u.GetKind() {
	case "Deployment", "StatefulSet", "ReplicaSet":
		ready, wanted := replicas(u)
		if updated := count("status", "updatedReplicas"); ready >= wanted && updated < wanted {
			return fmt.Sprintf("%d/%d replicas updated", updated, wanted)
		}
		if ready < wanted {
			return fmt.Sprintf("%d/%d replicas", ready, wanted)
		}
	case "DaemonSet":
		if wanted, ready := count("status", "desiredNumberScheduled"), count("status", "numberReady"); ready < wanted {
			return fmt.Sprintf("%d/%d pods", ready, wanted)
		}
	}
	return message
}

// apiServiceHealth reads what kstatus has no rule for.
func apiServiceHealth(u *unstructured.Unstructured) (plan.State, string) {
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if condition["type"] != "Available" {
			continue
		}
		if condition["status"] == "True" {
			return plan.Ready, ""
		}
		return plan.Progressing, fmt.Sprint(condition["message"])
	}
	return plan.Progressing, "the API server hasn't tried it yet"
}
