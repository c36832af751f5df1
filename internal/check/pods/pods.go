package pods

import (
	"iter"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"platform/internal/render"
)

// Pod is a pod, or the template of pods, of a rendered object.
type Pod struct {
	File   render.File
	Object render.Object
	// Path is the template's place in the object; empty for a bare pod.
	Path string
	Meta metav1.ObjectMeta
	Spec corev1.PodSpec
	// Claims are those that a StatefulSet makes for each of its pods.
	Claims []corev1.PersistentVolumeClaim
}

// Container is one container of a pod.
type Container struct {
	corev1.Container
	// Path is its place in the object.
	Path string
	// Init says that it runs before the others, and ends.
	Init bool
}

// templates are the kinds that make pods, by the place of the template.
var templates = map[schema.GroupKind][]string{
	{Group: "", Kind: "Pod"}:                   nil,
	{Group: "", Kind: "ReplicationController"}: {"spec", "template"},
	{Group: "apps", Kind: "Deployment"}:        {"spec", "template"},
	{Group: "apps", Kind: "StatefulSet"}:       {"spec", "template"},
	{Group: "apps", Kind: "DaemonSet"}:         {"spec", "template"},
	{Group: "apps", Kind: "ReplicaSet"}:        {"spec", "template"},
	{Group: "batch", Kind: "Job"}:              {"spec", "template"},
	{Group: "batch", Kind: "CronJob"}:          {"spec", "jobTemplate", "spec", "template"},
}

// All are the pods of a cluster, in the order of its files and objects.
func All(cluster *render.Cluster) []Pod {
	var out []Pod
	for _, file := range cluster.Files {
		for _, object := range file.Objects {
			if pod, ok := Of(file, object); ok {
				out = append(out, pod)
			}
		}
	}
	return out
}

// Of gives the pods that an object makes. An object that isn't of the form that
// its kind has makes none: that it is wrong is another rule's finding.
func Of(file render.File, object render.Object) (Pod, bool) {
	at, ok := templates[object.GroupVersionKind().GroupKind()]
	if !ok {
		return Pod{}, false
	}
	value, ok, err := unstructured.NestedMap(object.Object, at...)
	if err != nil || !ok {
		return Pod{}, false
	}
	var template corev1.PodTemplateSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(value, &template); err != nil {
		return Pod{}, false
	}
	pod := Pod{File: file, Object: object, Meta: template.ObjectMeta, Spec: template.Spec}
	for _, name := range at {
		pod.Path = join(pod.Path, name)
	}
	claims, _, _ := unstructured.NestedSlice(object.Object, "spec", "volumeClaimTemplates")
	for _, claim := range claims {
		var decoded corev1.PersistentVolumeClaim
		if fields, ok := claim.(map[string]any); ok && runtime.DefaultUnstructuredConverter.FromUnstructured(fields, &decoded) == nil {
			pod.Claims = append(pod.Claims, decoded)
		}
	}
	return pod, true
}

// Namespace is the namespace that the pods are in.
func (p *Pod) Namespace() string { return p.Object.GetNamespace() }

// At is the path of a field of the pod, such as spec.volumes.
func (p *Pod) At(field string) string { return join(p.Path, field) }

// Ends says whether the pods are meant to end.
func (p *Pod) Ends() bool {
	return p.Object.GetKind() == "Job" || p.Object.GetKind() == "CronJob" ||
		p.Spec.RestartPolicy == corev1.RestartPolicyNever || p.Spec.RestartPolicy == corev1.RestartPolicyOnFailure
}

// Matches says whether a selector selects the pods.
func (p *Pod) Matches(namespace string, selector labels.Selector) bool {
	return p.Namespace() == namespace && selector.Matches(labels.Set(p.Meta.Labels))
}

// Containers are all containers, init containers first.
func (p *Pod) Containers() iter.Seq[Container] {
	return func(yield func(Container) bool) {
		for i, c := range p.Spec.InitContainers {
			path := Element(p.At("spec.initContainers"), i, p.Spec.InitContainers, containerName)
			// One that is always restarted runs beside the others.
			sidecar := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
			if !yield(Container{c, path, !sidecar}) {
				return
			}
		}
		for i, c := range p.Spec.Containers {
			path := Element(p.At("spec.containers"), i, p.Spec.Containers, containerName)
			if !yield(Container{c, path, false}) {
				return
			}
		}
	}
}

func containerName(c corev1.Container) string { return c.Name }

// Ports are the ports of the containers that run for as long as the pod does.
func (p *Pod) Ports() []corev1.ContainerPort {
	var out []corev1.ContainerPort
	for c := range p.Containers() {
		if !c.Init {
			out = append(out, c.Ports...)
		}
	}
	return out
}

func join(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}
