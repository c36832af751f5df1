package schema

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// judgeTemplate wants a selector to select the pods of the template, which are
// restarted whenever they end.
func judgeTemplate(selector *metav1.LabelSelector, template *corev1.PodTemplateSpec) field.ErrorList {
	var out field.ErrorList
	if selector != nil {
		if len(selector.MatchLabels)+len(selector.MatchExpressions) == 0 {
			out = append(out, field.Invalid(field.NewPath("selector"), "", "is empty, and would select every pod"))
		} else if parsed, err := metav1.LabelSelectorAsSelector(selector); err == nil && !parsed.Matches(labels.Set(template.Labels)) {
			out = append(out, field.Invalid(field.NewPath("template", "metadata", "labels"), "",
				fmt.Sprintf("spec.selector doesn't select the pods: it wants %s", metav1.FormatLabelSelector(selector))))
		}
	}
	if p := template.Spec.RestartPolicy; p != "" && p != corev1.RestartPolicyAlways {
		out = append(out, field.Invalid(field.NewPath("template", "spec", "restartPolicy"), string(p), "must be Always, which it is when it is left out"))
	}
	if s := template.Spec.ActiveDeadlineSeconds; s != nil {
		out = append(out, field.Forbidden(field.NewPath("template", "spec", "activeDeadlineSeconds"), "is only for Jobs"))
	}
	return out
}

func judgeDeployment(_ about, spec *appsv1.DeploymentSpec) field.ErrorList {
	out := judgeTemplate(spec.Selector, &spec.Template)
	deadline := int32(600)
	if spec.ProgressDeadlineSeconds != nil {
		deadline = *spec.ProgressDeadlineSeconds
	}
	if deadline <= spec.MinReadySeconds {
		out = append(out, field.Invalid(field.NewPath("progressDeadlineSeconds"), deadline,
			fmt.Sprintf("must be more than the minReadySeconds of %d", spec.MinReadySeconds)))
	}
	rolling, at := spec.Strategy.RollingUpdate, field.NewPath("strategy", "rollingUpdate")
	if rolling == nil {
		return out
	}
	if spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return append(out, field.Forbidden(at, "can't be set when the strategy's type is Recreate"))
	}
	out = append(out, judgeShare(at.Child("maxUnavailable"), rolling.MaxUnavailable, true)...)
	out = append(out, judgeShare(at.Child("maxSurge"), rolling.MaxSurge, false)...)
	if isZero(rolling.MaxUnavailable) && isZero(rolling.MaxSurge) {
		out = append(out, field.Invalid(at.Child("maxUnavailable"), "", "is 0 as maxSurge is, so that no pod could ever be replaced"))
	}
	return out
}

func judgeStatefulSet(_ about, spec *appsv1.StatefulSetSpec) field.ErrorList {
	out := judgeTemplate(spec.Selector, &spec.Template)
	if spec.ServiceName != "" {
		out = append(out, invalid(field.NewPath("serviceName"), spec.ServiceName, label(spec.ServiceName))...)
	}
	rolling, at := spec.UpdateStrategy.RollingUpdate, field.NewPath("updateStrategy", "rollingUpdate")
	if rolling == nil {
		return out
	}
	if spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType {
		return append(out, field.Forbidden(at, "can't be set when the strategy's type is OnDelete"))
	}
	if p := rolling.Partition; p != nil && *p < 0 {
		out = append(out, field.Invalid(at.Child("partition"), *p, "must not be negative"))
	}
	return append(out, judgeShare(at.Child("maxUnavailable"), rolling.MaxUnavailable, true)...)
}

func judgeDaemonSet(_ about, spec *appsv1.DaemonSetSpec) field.ErrorList {
	out := judgeTemplate(spec.Selector, &spec.Template)
	rolling, at := spec.UpdateStrategy.RollingUpdate, field.NewPath("updateStrategy", "rollingUpdate")
	if rolling == nil || spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
		return out
	}
	out = append(out, judgeShare(at.Child("maxUnavailable"), rolling.MaxUnavailable, true)...)
	out = append(out, judgeShare(at.Child("maxSurge"), rolling.MaxSurge, true)...)
	surge := rolling.MaxSurge != nil && !isZero(rolling.MaxSurge)
	switch {
	case surge && !isZero(rolling.MaxUnavailable):
		out = append(out, field.Invalid(at.Child("maxSurge"), "", "only one of maxSurge and maxUnavailable can be more than 0"))
	case !surge && isZero(rolling.MaxUnavailable):
		out = append(out, field.Invalid(at.Child("maxUnavailable"), "", "is 0 as maxSurge is, so that no pod could ever be replaced"))
	}
	return out
}

func judgeReplicaSet(_ about, spec *appsv1.ReplicaSetSpec) field.ErrorList {
	return judgeTemplate(spec.Selector, &spec.Template)
}

func judgeJob(a about, spec *batchv1.JobSpec) field.ErrorList {
	var out field.ErrorList
	switch p := spec.Template.Spec.RestartPolicy; p {
	case corev1.RestartPolicyNever, corev1.RestartPolicyOnFailure:
		if spec.PodFailurePolicy != nil && p != corev1.RestartPolicyNever {
			out = append(out, field.Invalid(field.NewPath("template", "spec", "restartPolicy"), string(p), "must be Never when there is a podFailurePolicy"))
		}
	case "":
		out = append(out, field.Required(field.NewPath("template", "spec", "restartPolicy"), "must be Never or OnFailure, since the default isn't possible here"))
	case corev1.RestartPolicyAlways:
		out = append(out, field.Invalid(field.NewPath("template", "spec", "restartPolicy"), string(p), "must be Never or OnFailure"))
	}
	indexed := spec.CompletionMode != nil && *spec.CompletionMode == batchv1.IndexedCompletion
	switch {
	case indexed && spec.Completions == nil:
		out = append(out, field.Required(field.NewPath("completions"), "must be set when completionMode is Indexed"))
	case !indexed && spec.BackoffLimitPerIndex != nil:
		out = append(out, field.Invalid(field.NewPath("backoffLimitPerIndex"), *spec.BackoffLimitPerIndex, "is only for jobs whose completionMode is Indexed"))
	}
	manual := spec.ManualSelector != nil && *spec.ManualSelector
	if spec.Selector != nil && !manual {
		out = append(out, field.Forbidden(field.NewPath("selector"), "is set by the API server unless manualSelector is true"))
	}
	return out
}

func judgeCronJob(_ about, spec *batchv1.CronJobSpec) field.ErrorList {
	if err := parseSchedule(spec.Schedule); err != nil {
		return field.ErrorList{field.Invalid(field.NewPath("schedule"), spec.Schedule, err.Error())}
	}
	return nil
}

func judgeBudget(_ about, spec *policyv1.PodDisruptionBudgetSpec) field.ErrorList {
	if spec.MinAvailable != nil && spec.MaxUnavailable != nil {
		return field.ErrorList{field.Invalid(field.NewPath("maxUnavailable"), "", "there is minAvailable as well, and only one of them is possible")}
	}
	return append(judgeShare(field.NewPath("minAvailable"), spec.MinAvailable, true),
		judgeShare(field.NewPath("maxUnavailable"), spec.MaxUnavailable, true)...)
}

func judgeAutoscaler(_ about, spec *autoscalingv2.HorizontalPodAutoscalerSpec) field.ErrorList {
	var out field.ErrorList
	least := int32(1)
	if spec.MinReplicas != nil {
		least = *spec.MinReplicas
	}
	// 0 is possible with a feature gate.
	if least < 0 {
		out = append(out, field.Invalid(field.NewPath("minReplicas"), least, "must not be negative"))
	}
	if spec.MaxReplicas < max(least, 1) {
		out = append(out, field.Invalid(field.NewPath("maxReplicas"), spec.MaxReplicas, fmt.Sprintf("must not be less than the minReplicas of %d", least)))
	}
	return out
}

// judgeMetric wants the description of the kind that a metric names.
func judgeMetric(_ about, m *autoscalingv2.MetricSpec) field.ErrorList {
	sources := map[autoscalingv2.MetricSourceType]struct {
		name string
		set  bool
	}{
		autoscalingv2.ContainerResourceMetricSourceType: {"containerResource", m.ContainerResource != nil},
		autoscalingv2.ExternalMetricSourceType:          {"external", m.External != nil},
		autoscalingv2.ObjectMetricSourceType:            {"object", m.Object != nil},
		autoscalingv2.PodsMetricSourceType:              {"pods", m.Pods != nil},
		autoscalingv2.ResourceMetricSourceType:          {"resource", m.Resource != nil},
	}
	source, ok := sources[m.Type]
	if !ok {
		return field.ErrorList{field.Invalid(field.NewPath("type"), string(m.Type), "must be ContainerResource, External, Object, Pods or Resource")}
	}
	if !source.set {
		return field.ErrorList{field.Required(field.NewPath(source.name), fmt.Sprintf("a metric of the type %s must have it", m.Type))}
	}
	for kind, other := range sources {
		if kind != m.Type && other.set {
			return field.ErrorList{field.Forbidden(field.NewPath(other.name), fmt.Sprintf("isn't possible in a metric of the type %s", m.Type))}
		}
	}
	return nil
}

func judgeMetricTarget(_ about, t *autoscalingv2.MetricTarget) field.ErrorList {
	switch t.Type {
	case autoscalingv2.UtilizationMetricType, autoscalingv2.ValueMetricType, autoscalingv2.AverageValueMetricType:
	default:
		return field.ErrorList{field.Invalid(field.NewPath("type"), string(t.Type), "must be Utilization, Value or AverageValue")}
	}
	if u := t.AverageUtilization; u != nil && *u < 1 {
		return field.ErrorList{field.Invalid(field.NewPath("averageUtilization"), *u, "must be more than 0")}
	}
	return nil
}

func judgeScaling(_ about, r *autoscalingv2.HPAScalingRules) field.ErrorList {
	at := field.NewPath("policies")
	if r.Policies != nil && len(r.Policies) == 0 {
		return field.ErrorList{field.Required(at, "there must be a policy")}
	}
	var out field.ErrorList
	for i, p := range r.Policies {
		if p.Type != autoscalingv2.PodsScalingPolicy && p.Type != autoscalingv2.PercentScalingPolicy {
			out = append(out, field.Invalid(at.Index(i).Child("type"), string(p.Type), "must be Pods or Percent"))
		}
		if p.Value < 1 {
			out = append(out, field.Invalid(at.Index(i).Child("value"), p.Value, "must be more than 0"))
		}
	}
	return out
}
