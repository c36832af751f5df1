package policy

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"platform/internal/check"
	"platform/internal/check/pods"
)

// containers finds containers that don't say what they need, can't be asked
// whether they are ready, or name no exact image.
func containers(c *cluster) []check.Finding {
	var out []check.Finding
	for _, pod := range c.pods {
		for container := range pod.Containers() {
			say := func(field, message, fix string) {
				out = append(out, check.OnObject(c.Name, pod.File, pod.Object, container.Path+field).Saying(message, fix))
			}
			if unset := unsetResources(container.Container); len(unset) > 0 {
				say(".resources", "the container sets no "+strings.Join(unset, ", no "),
					"Set them; in jsonnet, platform.Container does by resources_: { cpu: …, memory: … }.")
			}
			if container.ReadinessProbe == nil && serving(&pod, container) {
				say("", "the container serves "+portList(container.Ports)+" but has no readiness probe",
					"Add readinessProbe, else it is sent requests before it can answer them: see platform.httpProbe.")
			}
			if !exact(container.Image) && !c.admission.Covers(guardrail("exact-images"), pod.Object) {
				say(".image", fmt.Sprintf("the image %q names no exact version", container.Image),
					"Name a tag other than latest, or a digest; versions come from clusters/versions.json.")
			}
		}
	}
	return out
}

// unsetResources lists what a container should say of its needs. CPU isn't
// limited: throttling hurts more than sharing. A limit is a request as well.
func unsetResources(c corev1.Container) []string {
	var out []string
	unset := func(key corev1.ResourceName, lists ...corev1.ResourceList) bool {
		for _, list := range lists {
			if quantity, ok := list[key]; ok && !quantity.IsZero() {
				return false
			}
		}
		return true
	}
	if unset(corev1.ResourceCPU, c.Resources.Requests, c.Resources.Limits) {
		out = append(out, "CPU request")
	}
	if unset(corev1.ResourceMemory, c.Resources.Requests, c.Resources.Limits) {
		out = append(out, "memory request")
	}
	if unset(corev1.ResourceMemory, c.Resources.Limits) {
		out = append(out, "memory limit")
	}
	return out
}

// serving says whether others send requests to a container: it declares ports, and
// isn't meant to end.
func serving(pod *pods.Pod, c pods.Container) bool {
	return len(c.Ports) > 0 && !c.Init && !pod.Ends()
}

func portList(ports []corev1.ContainerPort) string {
	var out []string
	for _, port := range ports {
		name := port.Name
		if name == "" {
			name = fmt.Sprint(port.ContainerPort)
		}
		out = append(out, name)
	}
	if len(out) == 1 {
		return "port " + out[0]
	}
	return "ports " + strings.Join(out, ", ")
}

// exact says whether an image is one program for ever: it has a digest, or a tag
// that isn't latest.
func exact(image string) bool {
	name, digest, ok := strings.Cut(image, "@")
	if ok {
		return strings.HasPrefix(digest, "sha256:")
	}
	_, tag, ok := strings.Cut(name[strings.LastIndex(name, "/")+1:], ":")
	return ok && tag != "" && tag != "latest"
}

// guardrail selects a policy of the guardrails stack.
func guardrail(name string) labels.Set {
	return labels.Set{"app.kubernetes.io/name": "guardrails", "app.kubernetes.io/component": name}
}
