package schema

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"platform/internal/versions"
)

// about is what a judge may need to know beside the value itself.
type about struct {
	release versions.Version
	// kind and root are the object that the value is in.
	kind string
	root map[string]any
}

// A judge says about a value of one definition what the API server's validation
// would say: what is sure from the value alone. Types and required fields are
// the walker's.
type judge func(about, map[string]any) field.ErrorList

const (
	objectMeta  = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
	core        = "io.k8s.api.core.v1."
	apps        = "io.k8s.api.apps.v1."
	batch       = "io.k8s.api.batch.v1."
	networking  = "io.k8s.api.networking.v1."
	rbac        = "io.k8s.api.rbac.v1."
	admission   = "io.k8s.api.admissionregistration.v1."
	autoscaling = "io.k8s.api.autoscaling.v2."
)

// judges are the judges by definition; a definition's name has its version in
// it, so that they never meet fields that they don't know.
var judges = map[string]judge{
	objectMeta: typed(judgeMetadata),
	"io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector": typed(judgeLabelSelector),

	core + "Container":                 typed(judgeContainer),
	core + "ContainerPort":             typed(judgeContainerPort),
	core + "ConfigMap":                 typed(judgeConfigMap),
	core + "EnvVar":                    typed(judgeEnvVar),
	core + "GRPCAction":                typed(judgeGRPC),
	core + "HTTPGetAction":             typed(judgeHTTPGet),
	core + "LifecycleHandler":          judgeHandler("exec", "httpGet", "tcpSocket", "sleep"),
	core + "NodeSelector":              filled("nodeSelectorTerms"),
	core + "PersistentVolumeClaim":     typed(judgeClaim),
	core + "PodSpec":                   typed(judgePod),
	core + "Probe":                     all(judgeHandler("exec", "httpGet", "tcpSocket", "grpc"), nonNegative("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")),
	core + "ReplicationControllerSpec": nonNegative("replicas", "minReadySeconds"),
	core + "LimitRangeItem":            all(judgeLimitType, containerResources("max"), containerResources("min"), containerResources("default"), containerResources("defaultRequest")),
	core + "Namespace":                 typed(judgeNamespace),
	core + "ResourceQuotaSpec":         typed(judgeQuota),
	core + "ResourceRequirements":      typed(judgeResources),
	core + "Secret":                    typed(judgeSecret),
	core + "ServicePort":               typed(judgeServicePort),
	core + "ServiceSpec":               typed(judgeService),
	core + "TCPSocketAction":           typed(judgeTCPSocket),
	core + "Toleration":                typed(judgeToleration),
	core + "TopologySpreadConstraint":  typed(judgeSpread),
	core + "Volume":                    judgeVolume,

	apps + "DaemonSetSpec":   all(typed(judgeDaemonSet), nonNegative("minReadySeconds", "revisionHistoryLimit")),
	apps + "DeploymentSpec":  all(typed(judgeDeployment), nonNegative("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")),
	apps + "ReplicaSetSpec":  all(typed(judgeReplicaSet), nonNegative("replicas", "minReadySeconds")),
	apps + "StatefulSetSpec": all(typed(judgeStatefulSet), nonNegative("replicas", "minReadySeconds")),

	batch + "CronJobSpec": all(typed(judgeCronJob), nonNegative("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")),
	batch + "JobSpec":     all(typed(judgeJob), nonNegative("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")),

	networking + "IngressClassSpec":  typed(judgeIngressClass),
	networking + "HTTPIngressPath":   typed(judgeIngressPath),
	networking + "IngressBackend":    typed(judgeIngressBackend),
	networking + "IngressRule":       typed(judgeIngressRule),
	networking + "IngressSpec":       typed(judgeIngress),
	networking + "IPBlock":           typed(judgeIPBlock),
	networking + "NetworkPolicyPeer": typed(judgePeer),
	networking + "NetworkPolicyPort": typed(judgePolicyPort),
	networking + "NetworkPolicySpec": typed(judgePolicy),

	rbac + "ClusterRoleBinding": typed(judgeClusterRoleBinding),
	rbac + "PolicyRule":         typed(judgePolicyRule),
	rbac + "RoleBinding":        typed(judgeRoleBinding),

	autoscaling + "HorizontalPodAutoscalerSpec":    typed(judgeAutoscaler),
	autoscaling + "HPAScalingRules":                typed(judgeScaling),
	autoscaling + "MetricSpec":                     typed(judgeMetric),
	autoscaling + "MetricTarget":                   typed(judgeMetricTarget),
	"io.k8s.api.policy.v1.PodDisruptionBudgetSpec": typed(judgeBudget),
	"io.k8s.api.storage.v1.StorageClass":           typed(judgeStorageClass),
	"io.k8s.api.scheduling.v1.PriorityClass":       typed(judgePriority),

	admission + "MatchCondition":                       judgeCondition,
	admission + "MatchResources":                       judgeMatch,
	admission + "MutatingAdmissionPolicyBindingSpec":   subdomains("policyName"),
	admission + "MutatingAdmissionPolicySpec":          filled("matchConstraints", "mutations", "reinvocationPolicy"),
	admission + "MutatingWebhook":                      judgeWebhook,
	admission + "Validation":                           judgeValidation,
	admission + "Mutation":                             judgeMutation,
	admission + "NamedRuleWithOperations":              judgeRule,
	admission + "RuleWithOperations":                   judgeRule,
	admission + "ValidatingAdmissionPolicyBindingSpec": all(subdomains("policyName"), filled("validationActions")),
	admission + "ValidatingAdmissionPolicySpec":        judgeValidatingPolicy,
	admission + "ValidatingWebhook":                    judgeWebhook,
}

// typed decodes a value for a judge. One that hasn't the type has been reported.
func typed[T any](judge func(about, *T) field.ErrorList) judge {
	return func(a about, object map[string]any) field.ErrorList {
		value := new(T)
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, value); err != nil {
			return nil
		}
		return judge(a, value)
	}
}

func all(judges ...judge) judge {
	return func(a about, object map[string]any) field.ErrorList {
		var out field.ErrorList
		for _, judge := range judges {
			out = append(out, judge(a, object)...)
		}
		return out
	}
}

// nonNegative judges fields that count something.
func nonNegative(fields ...string) judge {
	return func(_ about, object map[string]any) field.ErrorList {
		var out field.ErrorList
		for _, name := range fields {
			if v, ok := object[name].(int64); ok && v < 0 {
				out = append(out, field.Invalid(field.NewPath(name), v, "must not be negative"))
			}
		}
		return out
	}
}

// filled judges fields that must be there and have something in them. What the
// schema says to be required is the walker's to report when it is missing.
func filled(fields ...string) judge {
	return func(_ about, object map[string]any) field.ErrorList {
		var out field.ErrorList
		for _, name := range fields {
			if isEmpty(object[name]) {
				out = append(out, field.Required(field.NewPath(name), "must not be empty"))
			}
		}
		return out
	}
}

func isEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// subdomains judges fields that name objects.
func subdomains(fields ...string) judge {
	return func(_ about, object map[string]any) field.ErrorList {
		var out field.ErrorList
		for _, name := range fields {
			v, ok := object[name].(string)
			if !ok || v == "" {
				out = append(out, field.Required(field.NewPath(name), "must name an object"))
				continue
			}
			out = append(out, invalid(field.NewPath(name), v, subdomain(v))...)
		}
		return out
	}
}
