package policy

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	psa "k8s.io/pod-security-admission/policy"

	"platform/internal/check"
	"platform/internal/check/pods"
	"platform/internal/render"
)

// unlabelled is what the API server takes for what labels don't say.
var unlabelled = api.Policy{
	Enforce: api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()},
	Audit:   api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()},
	Warn:    api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()},
}

// podSecurity finds namespaces that enforce no Pod Security level, and pods that
// don't meet their namespace's. The API server refuses those only when their
// workload makes them, too late for a plan to show.
func (c *cluster) podSecurity() []check.Finding {
	emulated := api.MajorMinorVersion(int(c.kubernetes.Major()), int(c.kubernetes.Minor()))
	evaluator, err := psa.NewEvaluator(psa.DefaultChecks(), &emulated)
	if err != nil {
		panic(err) // the library's own checks
	}
	var out []check.Finding
	levels := map[string]api.LevelVersion{}
	c.each(func(file render.File, object render.Object) {
		if object.GetAPIVersion() != "v1" || object.GetKind() != "Namespace" {
			return
		}
		policy, errs := api.PolicyToEvaluate(object.GetLabels(), unlabelled)
		_, labelled := object.GetLabels()[api.EnforceLevelLabel]
		switch {
		case len(errs) > 0:
			out = append(out, check.OnObject(c.Name, file, object, "metadata.labels").Saying(
				"has labels that Pod Security doesn't know: "+errs.ToAggregate().Error(), "Correct them, or make the namespace with platform.Namespace."))
		case !labelled:
			out = append(out, check.OnObject(c.Name, file, object, "metadata.labels").Saying(
				"enforces no Pod Security level, so that its pods may do anything", "Set the label "+api.EnforceLevelLabel+", or make the namespace with platform.Namespace."))
		default:
			levels[object.GetName()] = policy.Enforce
		}
	})
	for _, pod := range c.pods {
		level, ok := levels[pod.Namespace()]
		if !ok {
			continue
		}
		for i, result := range evaluator.EvaluatePod(level, &pod.Meta, &pod.Spec) {
			if result.Allowed {
				continue
			}
			refused := func(spec corev1.PodSpec) bool {
				return !evaluator.EvaluatePod(level, &pod.Meta, &spec)[i].Allowed
			}
			out = append(out, check.OnObject(c.Name, pod.File, pod.Object, offender(&pod, refused)).Saying(
				fmt.Sprintf("doesn't meet the Pod Security level %s that its namespace enforces: %s: %s", level.Level, result.ForbiddenReason, result.ForbiddenDetail),
				"Mix platform.restricted into the pod and make its containers with platform.Container; what needs more rights belongs in a namespace of its own."))
		}
	}
	return out
}

// offender is the place of what a check refuses: the one container for which it
// does, else the pod.
func offender(pod *pods.Pod, refused func(corev1.PodSpec) bool) string {
	alone := pod.Spec
	alone.Containers, alone.InitContainers = nil, nil
	if refused(alone) {
		return pod.At("spec")
	}
	var places []string
	for c := range pod.Containers() {
		alone.Containers = []corev1.Container{c.Container}
		if refused(alone) {
			places = append(places, c.Path)
		}
	}
	if len(places) == 1 {
		return places[0] + ".securityContext"
	}
	return pod.At("spec")
}
