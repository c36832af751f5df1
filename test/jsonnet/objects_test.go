package jsonnet

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"platform/internal/render"
)

// What no schema says but every object here keeps to.
func TestObjects(t *testing.T) {
	for _, cluster := range clusters(t) {
		t.Run(cluster, func(t *testing.T) {
			all := objects(t, cluster)
			for _, o := range all {
				t.Run(o.Key, func(t *testing.T) { checkObject(t, o, all) })
			}
		})
	}
}

func checkObject(t *testing.T, o render.Object, all []render.Object) {
	if _, ok := o.Object["stringData"]; ok {
		t.Error("has stringData, which can't be compared with what is in the cluster")
	}
	if o.GetKind() == "Secret" {
		t.Error("is a Secret: git is no place for one")
	}
	if ns := o.GetNamespace(); ns != "" && find(all, "Namespace", "", ns) == nil && ns != "kube-system" {
		t.Errorf("is in the namespace %s, which isn't declared", ns)
	}
	template, ok := podTemplate(t, o)
	if !ok {
		return
	}
	spec := template.Spec
	for _, c := range append(spec.InitContainers, spec.Containers...) {
		if _, tag, ok := strings.Cut(c.Image[strings.LastIndex(c.Image, "/")+1:], ":"); !ok || tag == "latest" {
			t.Errorf("container %s: the image %s has no exact tag", c.Name, c.Image)
		}
		if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() {
			t.Errorf("container %s requests no CPU or no memory", c.Name)
		}
		if sc := c.SecurityContext; sc == nil || sc.ReadOnlyRootFilesystem == nil || !*sc.ReadOnlyRootFilesystem {
			t.Errorf("container %s can write to its root file system", c.Name)
		}
	}
	for _, c := range spec.Containers {
		if c.ReadinessProbe == nil && len(c.Ports) > 0 && selectedByService(all, o, template) {
			t.Errorf("container %s is behind a Service but has no readiness probe", c.Name)
		}
	}
	if spec.PriorityClassName == "" {
		t.Error("has no priority class")
	} else if !strings.HasPrefix(spec.PriorityClassName, "system-") && find(all, "PriorityClass", "", spec.PriorityClassName) == nil {
		t.Errorf("has the priority class %s, which isn't declared", spec.PriorityClassName)
	}
	if account := spec.ServiceAccountName; account != "" && find(all, "ServiceAccount", o.GetNamespace(), account) == nil {
		t.Errorf("runs as the service account %s, which isn't declared", account)
	}
	if !coveredByPolicy(all, o, template) && !spec.HostNetwork {
		t.Error("no NetworkPolicy is for its pods in particular")
	}
}

// podTemplate gives the pod template of a workload.
func podTemplate(t *testing.T, o render.Object) (corev1.PodTemplateSpec, bool) {
	t.Helper()
	var template corev1.PodTemplateSpec
	path := []string{"spec", "template"}
	switch o.GetKind() {
	case "Deployment", "StatefulSet", "DaemonSet", "Job":
	case "CronJob":
		path = []string{"spec", "jobTemplate", "spec", "template"}
	default:
		return template, false
	}
	value, ok, err := unstructured.NestedMap(o.Object, path...)
	if err != nil || !ok {
		t.Fatalf("%s has no pod template: %v", describe(o), err)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(value, &template, true); err != nil {
		t.Fatalf("%s: %v", describe(o), err)
	}
	return template, true
}

func find(all []render.Object, kind, namespace, name string) *render.Object {
	for i := range all {
		if all[i].GetKind() == kind && all[i].GetNamespace() == namespace && all[i].GetName() == name {
			return &all[i]
		}
	}
	return nil
}

func selectedByService(all []render.Object, workload render.Object, template corev1.PodTemplateSpec) bool {
	for _, o := range all {
		if o.GetKind() != "Service" || o.GetNamespace() != workload.GetNamespace() {
			continue
		}
		selector, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector")
		if len(selector) > 0 && matches(selector, template.Labels) {
			return true
		}
	}
	return false
}

func coveredByPolicy(all []render.Object, workload render.Object, template corev1.PodTemplateSpec) bool {
	for _, o := range all {
		if o.GetKind() != "NetworkPolicy" || o.GetNamespace() != workload.GetNamespace() {
			continue
		}
		selector, _, _ := unstructured.NestedStringMap(o.Object, "spec", "podSelector", "matchLabels")
		if len(selector) > 0 && matches(selector, template.Labels) {
			return true
		}
	}
	return false
}

func matches(selector, labels map[string]string) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return true
}
