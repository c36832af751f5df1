package admission

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// setDefaults fills in what the API server does before it asks policies, as far as
// those are likely to look at it. An expression that reads another field without
// asking for it first can't be evaluated here, which is said rather than guessed.
func setDefaults(object runtime.Object) {
	switch o := object.(type) {
	case *corev1.Namespace:
		labelled(o)
	case *corev1.Service:
		defaultService(&o.Spec)
	case *corev1.Pod:
		defaultPod(&o.Spec)
		for i := range o.Spec.Containers {
			requestLimits(&o.Spec.Containers[i])
		}
		for i := range o.Spec.InitContainers {
			requestLimits(&o.Spec.InitContainers[i])
		}
	case *appsv1.Deployment:
		setDefault(&o.Spec.Replicas, 1)
		defaultPod(&o.Spec.Template.Spec)
	case *appsv1.StatefulSet:
		setDefault(&o.Spec.Replicas, 1)
		defaultPod(&o.Spec.Template.Spec)
	case *appsv1.ReplicaSet:
		setDefault(&o.Spec.Replicas, 1)
		defaultPod(&o.Spec.Template.Spec)
	case *appsv1.DaemonSet:
		defaultPod(&o.Spec.Template.Spec)
	case *batchv1.Job:
		defaultJob(&o.Spec)
	case *batchv1.CronJob:
		if o.Spec.ConcurrencyPolicy == "" {
			o.Spec.ConcurrencyPolicy = batchv1.AllowConcurrent
		}
		setDefault(&o.Spec.Suspend, false)
		defaultJob(&o.Spec.JobTemplate.Spec)
	}
}

func setDefault[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}

func setText[T ~string](field *T, value T) {
	if *field == "" {
		*field = value
	}
}

func defaultService(s *corev1.ServiceSpec) {
	setText(&s.Type, corev1.ServiceTypeClusterIP)
	setText(&s.SessionAffinity, corev1.ServiceAffinityNone)
	for i := range s.Ports {
		port := &s.Ports[i]
		setText(&port.Protocol, corev1.ProtocolTCP)
		if port.TargetPort == (intstr.IntOrString{}) || port.TargetPort == intstr.FromString("") {
			port.TargetPort = intstr.FromInt32(port.Port)
		}
	}
	if s.Type == corev1.ServiceTypeNodePort || s.Type == corev1.ServiceTypeLoadBalancer {
		setText(&s.ExternalTrafficPolicy, corev1.ServiceExternalTrafficPolicyCluster)
	}
	if s.Type == corev1.ServiceTypeLoadBalancer {
		setDefault(&s.AllocateLoadBalancerNodePorts, true)
	}
	if s.Type != corev1.ServiceTypeExternalName {
		setDefault(&s.InternalTrafficPolicy, corev1.ServiceInternalTrafficPolicyCluster)
	}
}

func defaultJob(s *batchv1.JobSpec) {
	setDefault(&s.BackoffLimit, 6)
	setDefault(&s.Suspend, false)
	if s.Completions == nil && s.Parallelism == nil {
		setDefault(&s.Completions, 1)
	}
	setDefault(&s.Parallelism, 1)
	defaultPod(&s.Template.Spec)
}

func defaultPod(s *corev1.PodSpec) {
	setText(&s.RestartPolicy, corev1.RestartPolicyAlways)
	setText(&s.DNSPolicy, corev1.DNSClusterFirst)
	setText(&s.SchedulerName, corev1.DefaultSchedulerName)
	setDefault(&s.TerminationGracePeriodSeconds, corev1.DefaultTerminationGracePeriodSeconds)
	setDefault(&s.SecurityContext, corev1.PodSecurityContext{})
	// The older name of the same field.
	setText(&s.DeprecatedServiceAccount, s.ServiceAccountName)
	for i := range s.InitContainers {
		defaultContainer(&s.InitContainers[i])
	}
	for i := range s.Containers {
		defaultContainer(&s.Containers[i])
	}
}

func defaultContainer(c *corev1.Container) {
	if c.ImagePullPolicy == "" {
		c.ImagePullPolicy = corev1.PullIfNotPresent
		if latest(c.Image) {
			c.ImagePullPolicy = corev1.PullAlways
		}
	}
	setText(&c.TerminationMessagePath, corev1.TerminationMessagePathDefault)
	setText(&c.TerminationMessagePolicy, corev1.TerminationMessageReadFile)
	for i := range c.Ports {
		setText(&c.Ports[i].Protocol, corev1.ProtocolTCP)
	}
}

// requestLimits makes requests of a pod's limits that have none. Templates of pods
// stay as they are.
func requestLimits(c *corev1.Container) {
	for name, limit := range c.Resources.Limits {
		if _, ok := c.Resources.Requests[name]; !ok {
			if c.Resources.Requests == nil {
				c.Resources.Requests = corev1.ResourceList{}
			}
			c.Resources.Requests[name] = limit
		}
	}
}

// latest says whether an image is the latest of its kind, by tag or for lack of
// one.
func latest(image string) bool {
	name := image[strings.LastIndex(image, "/")+1:]
	if strings.Contains(name, "@") {
		return false
	}
	_, tag, tagged := strings.Cut(name, ":")
	return !tagged || tag == "latest"
}
