package objects

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"platform/internal/check/pods"
	"platform/internal/plan"
)

const fixSelector = "Correct the selector: in jsonnet, set target_pod to the workload's spec.template instead of writing labels twice."

// service checks that a Service leads to pods, and to ports that they have.
func (r *refs) service() {
	var spec corev1.ServiceSpec
	if !decode(fields(r.o.object.Object, "spec"), &spec) || len(spec.Selector) == 0 || spec.Type == corev1.ServiceTypeExternalName {
		return
	}
	selected := r.selecting(r.o.namespace, labels.SelectorFromSet(spec.Selector))
	if len(selected) == 0 {
		r.say("spec.selector", fixSelector, "selects no pods: no workload in the namespace %s has the labels %s", r.o.namespace, labels.Set(spec.Selector))
		return
	}
	for i, port := range spec.Ports {
		path := pods.Element("spec.ports", i, spec.Ports, func(p corev1.ServicePort) string { return p.Name })
		target := port.TargetPort
		if target == (intstr.IntOrString{}) {
			target = intstr.FromInt32(port.Port)
		}
		if !slices.ContainsFunc(selected, func(p pods.Pod) bool { return exposes(&p, target, port.Protocol) }) {
			field := path + ".targetPort"
			if port.TargetPort == (intstr.IntOrString{}) {
				field = path + ".port"
			}
			r.say(field, "Correct the port, or declare it in the container's ports.",
				"no container of %s has the port %s/%s%s", describeAll(selected), target.String(), protocol(port.Protocol), has(portsOf(selected)))
		}
	}
	r.scrapeService(spec, selected)
}

// scrapeService checks the port by which Prometheus is told to find metrics
// behind a Service: it goes to the pods themselves.
func (r *refs) scrapeService(spec corev1.ServiceSpec, selected []pods.Pod) {
	annotations := r.o.object.GetAnnotations()
	port, ok := annotations[scrapePort]
	if !ok || annotations[scrapeAnnotation] != "true" {
		return
	}
	number, err := strconv.Atoi(port)
	if err == nil && slices.ContainsFunc(selected, func(p pods.Pod) bool { return exposes(&p, intstr.FromInt(number), corev1.ProtocolTCP) }) {
		return
	}
	r.say(plan.JoinPath("metadata.annotations", scrapePort), "Give the number of a container's port.",
		"Prometheus would scrape port %s, which no container behind the Service has%s", port, has(portsOf(selected)))
}

// exposes says whether a pod has a port, by name or number.
func exposes(p *pods.Pod, target intstr.IntOrString, of corev1.Protocol) bool {
	return slices.ContainsFunc(p.Ports(), func(port corev1.ContainerPort) bool {
		if protocol(port.Protocol) != protocol(of) {
			return false
		}
		if target.Type == intstr.String {
			return port.Name == target.StrVal
		}
		return port.ContainerPort == target.IntVal
	})
}

func protocol(p corev1.Protocol) corev1.Protocol {
	if p == "" {
		return corev1.ProtocolTCP
	}
	return p
}

// portsOf lists the ports of pods, for a message.
func portsOf(selected []pods.Pod) []string {
	var out []string
	for _, p := range selected {
		for _, port := range p.Ports() {
			text := fmt.Sprintf("%d/%s", port.ContainerPort, protocol(port.Protocol))
			if port.Name != "" {
				text = port.Name + " (" + text + ")"
			}
			if !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	return out
}

func describeAll(selected []pods.Pod) string {
	var out []string
	for _, p := range selected {
		out = append(out, p.Object.GetKind()+" "+p.Object.GetName())
	}
	return strings.Join(out, ", ")
}

// ingress checks the class, the backends and the certificates of an Ingress.
func (r *refs) ingress() {
	object := r.o.object.Object
	r.want("spec.ingressClassName", id{group: "networking.k8s.io", kind: "IngressClass", name: text(object, "spec", "ingressClassName")})
	r.backend("spec.defaultBackend", fields(object, "spec", "defaultBackend"))
	for i, rule := range list(object, "spec", "rules") {
		for j, path := range list(rule, "http", "paths") {
			r.backend(fmt.Sprintf("spec.rules[%d].http.paths[%d].backend", i, j), fields(path, "backend"))
		}
	}
	for i, tls := range list(object, "spec", "tls") {
		r.want(fmt.Sprintf("spec.tls[%d].secretName", i), r.here("Secret", text(tls, "secretName")))
	}
	r.ingressAnnotations()
}

// backend checks a Service that an Ingress leads to, and its port.
func (r *refs) backend(path string, backend map[string]any) {
	service := fields(backend, "service")
	if service == nil {
		return
	}
	target := r.here("Service", nameOf(service))
	if !r.want(path+".service.name", target) {
		return
	}
	port := fields(service, "port")
	number, _ := port["number"].(int64)
	r.servicePort(path+".service.port", target, nameOf(port), number)
}

// servicePort checks a port of a Service, by name or number.
func (r *refs) servicePort(path string, target id, name string, number int64) {
	service := r.byID[target]
	if service == nil || name == "" && number == 0 {
		return
	}
	var have []string
	for _, port := range list(service.object.Object, "spec", "ports") {
		n, _ := port["port"].(int64)
		if name != "" && nameOf(port) == name || name == "" && n == number {
			return
		}
		text := strconv.FormatInt(n, 10)
		if nameOf(port) != "" {
			text = nameOf(port) + " (" + text + ")"
		}
		have = append(have, text)
	}
	if name == "" {
		name = strconv.FormatInt(number, 10)
	}
	r.say(path, "Correct the port, or add it to the Service.", "the %s has no port %s%s", target, name, has(have))
}

// networkPolicy checks that a policy is for some pods, and that the peers that it
// names by namespace are there.
func (r *refs) networkPolicy() {
	var selector metav1.LabelSelector
	if decode(fields(r.o.object.Object, "spec", "podSelector"), &selector) {
		r.selects("spec.podSelector", selector)
	}
	for _, direction := range []struct{ rules, peers string }{{"ingress", "from"}, {"egress", "to"}} {
		for i, rule := range list(r.o.object.Object, "spec", direction.rules) {
			for j, peer := range list(rule, direction.peers) {
				r.peer(fmt.Sprintf("spec.%s[%d].%s[%d]", direction.rules, i, direction.peers, j), peer)
			}
		}
	}
}

// peer checks the namespace of a peer that is named, which is how a rule that
// opens nothing comes about.
func (r *refs) peer(path string, peer map[string]any) {
	at := path + ".namespaceSelector.matchLabels"
	name := text(peer, "namespaceSelector", "matchLabels", corev1.LabelMetadataName)
	if r.want(plan.JoinPath(at, corev1.LabelMetadataName), namespaceID(name)) || name != "" {
		return
	}
	// Peers of its own namespace must be pods that somebody declares.
	var selector metav1.LabelSelector
	if peer["namespaceSelector"] == nil && decode(fields(peer, "podSelector"), &selector) {
		r.selects(path+".podSelector", selector)
	}
}

// disruptionBudget checks that a budget is for some pods.
func (r *refs) disruptionBudget() {
	var selector metav1.LabelSelector
	if decode(fields(r.o.object.Object, "spec", "selector"), &selector) {
		r.selects("spec.selector", selector)
	}
}

// selects checks that a selector selects pods of the object's namespace. An empty
// one is for all, however many there are.
func (r *refs) selects(path string, by metav1.LabelSelector) {
	selector, err := metav1.LabelSelectorAsSelector(&by)
	if err != nil || selector.Empty() || len(r.selecting(r.o.namespace, selector)) > 0 || r.provided.selects(r.o.namespace, selector) {
		return
	}
	r.say(path, fixSelector, "selects no pods: no workload in the namespace %s has the labels %s", r.o.namespace, selector)
}

// autoscaler checks what a HorizontalPodAutoscaler scales.
func (r *refs) autoscaler() {
	ref := fields(r.o.object.Object, "spec", "scaleTargetRef")
	r.want("spec.scaleTargetRef.name", id{group: groupOf(text(ref, "apiVersion")), kind: text(ref, "kind"), namespace: r.o.namespace, name: nameOf(ref)})
}

// decode makes a typed value of fields, and tells whether they are of its form.
func decode(from map[string]any, to any) bool {
	return from != nil && runtime.DefaultUnstructuredConverter.FromUnstructured(from, to) == nil
}
