package objects

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"platform/internal/check/pods"
	"platform/internal/plan"
)

// pod checks what pods need to start: accounts, classes, volumes, variables.
func (r *refs) pod(p *pods.Pod) {
	spec := p.Spec
	r.want(p.At("spec.serviceAccountName"), r.here("ServiceAccount", spec.ServiceAccountName))
	r.want(p.At("spec.priorityClassName"), id{group: "scheduling.k8s.io", kind: "PriorityClass", name: spec.PriorityClassName})
	if spec.RuntimeClassName != nil {
		r.want(p.At("spec.runtimeClassName"), id{group: "node.k8s.io", kind: "RuntimeClass", name: *spec.RuntimeClassName})
	}
	r.pullSecrets(p.At("spec.imagePullSecrets"), spec.ImagePullSecrets)
	for i, volume := range spec.Volumes {
		path := pods.Element(p.At("spec.volumes"), i, spec.Volumes, func(v corev1.Volume) string { return v.Name })
		r.volume(path, volume.VolumeSource)
	}
	for c := range p.Containers() {
		r.variables(c)
		r.mounts(p, c)
		r.probes(c)
	}
	r.scrape(p)
	if p.Object.GetKind() == "StatefulSet" {
		r.want("spec.serviceName", r.here("Service", text(p.Object.Object, "spec", "serviceName")))
		for i, claim := range p.Claims {
			r.storageClass(fmt.Sprintf("spec.volumeClaimTemplates[%d].spec.storageClassName", i), claim.Spec.StorageClassName)
		}
	}
}

func (r *refs) pullSecrets(path string, secrets []corev1.LocalObjectReference) {
	for i, secret := range secrets {
		at := pods.Element(path, i, secrets, func(s corev1.LocalObjectReference) string { return s.Name })
		r.want(at, r.here("Secret", secret.Name))
	}
}

func (r *refs) serviceAccount() {
	items := list(r.o.object.Object, "imagePullSecrets")
	for i, item := range items {
		r.want(pods.Element("imagePullSecrets", i, items, nameOf), r.here("Secret", nameOf(item)))
	}
}

func (r *refs) volume(path string, v corev1.VolumeSource) {
	switch {
	case v.ConfigMap != nil:
		r.files(path+".configMap", "name", r.here("ConfigMap", v.ConfigMap.Name), v.ConfigMap.Items, v.ConfigMap.Optional)
	case v.Secret != nil:
		r.files(path+".secret", "secretName", r.here("Secret", v.Secret.SecretName), v.Secret.Items, v.Secret.Optional)
	case v.Projected != nil:
		for i, source := range v.Projected.Sources {
			at := fmt.Sprintf("%s.projected.sources[%d]", path, i)
			if s := source.ConfigMap; s != nil {
				r.files(at+".configMap", "name", r.here("ConfigMap", s.Name), s.Items, s.Optional)
			}
			if s := source.Secret; s != nil {
				r.files(at+".secret", "name", r.here("Secret", s.Name), s.Items, s.Optional)
			}
		}
	case v.PersistentVolumeClaim != nil:
		r.want(path+".persistentVolumeClaim.claimName", r.here("PersistentVolumeClaim", v.PersistentVolumeClaim.ClaimName))
	case v.Ephemeral != nil && v.Ephemeral.VolumeClaimTemplate != nil:
		r.storageClass(path+".ephemeral.volumeClaimTemplate.spec.storageClassName", v.Ephemeral.VolumeClaimTemplate.Spec.StorageClassName)
	case v.CSI != nil && v.CSI.NodePublishSecretRef != nil:
		r.want(path+".csi.nodePublishSecretRef.name", r.here("Secret", v.CSI.NodePublishSecretRef.Name))
	}
}

// files checks a ConfigMap or Secret that becomes files.
func (r *refs) files(path, nameField string, target id, items []corev1.KeyToPath, optional *bool) {
	if isTrue(optional) || !r.want(path+"."+nameField, target) {
		return
	}
	for i, item := range items {
		at := fmt.Sprintf("%s.items[%d].key", path, i)
		r.wantKey(at, at, target, item.Key)
	}
}

func (r *refs) claim() {
	spec := fields(r.o.object.Object, "spec")
	if name, ok := spec["storageClassName"].(string); ok {
		r.storageClass("spec.storageClassName", &name)
	}
}

// storageClass checks a class by name; no name is the default class, and an empty
// one is none at all.
func (r *refs) storageClass(path string, name *string) {
	if name != nil {
		r.want(path, id{group: "storage.k8s.io", kind: "StorageClass", name: *name})
	}
}

// variables checks where a container's environment comes from.
func (r *refs) variables(c pods.Container) {
	for i, env := range c.Env {
		if env.ValueFrom == nil {
			continue
		}
		path := pods.Element(c.Path+".env", i, c.Env, func(e corev1.EnvVar) string { return e.Name }) + ".valueFrom"
		if ref := env.ValueFrom.ConfigMapKeyRef; ref != nil && !isTrue(ref.Optional) {
			at := path + ".configMapKeyRef"
			r.wantKey(at+".name", at+".key", r.here("ConfigMap", ref.Name), ref.Key)
		}
		if ref := env.ValueFrom.SecretKeyRef; ref != nil && !isTrue(ref.Optional) {
			at := path + ".secretKeyRef"
			r.wantKey(at+".name", at+".key", r.here("Secret", ref.Name), ref.Key)
		}
	}
	for i, from := range c.EnvFrom {
		path := fmt.Sprintf("%s.envFrom[%d]", c.Path, i)
		if ref := from.ConfigMapRef; ref != nil && !isTrue(ref.Optional) {
			r.want(path+".configMapRef.name", r.here("ConfigMap", ref.Name))
		}
		if ref := from.SecretRef; ref != nil && !isTrue(ref.Optional) {
			r.want(path+".secretRef.name", r.here("Secret", ref.Name))
		}
	}
}

// mounts checks that what a container mounts is a volume of its pod, and that a
// single file that it mounts is in that volume: Kubernetes makes an empty folder
// of one that isn't.
func (r *refs) mounts(p *pods.Pod, c pods.Container) {
	var names []string
	for _, volume := range p.Spec.Volumes {
		names = append(names, volume.Name)
	}
	for _, claim := range p.Claims {
		names = append(names, claim.Name)
	}
	for i, mount := range c.VolumeMounts {
		path := pods.Element(c.Path+".volumeMounts", i, c.VolumeMounts, func(m corev1.VolumeMount) string { return m.Name })
		if !slices.Contains(names, mount.Name) {
			r.say(path, "Correct the name, or add the volume to the pod.", "the pod has no volume %s%s", mount.Name, has(names))
			continue
		}
		if mount.SubPath == "" {
			continue
		}
		file, _, _ := strings.Cut(mount.SubPath, "/")
		if files, known := r.filesOf(p, mount.Name); known && !slices.Contains(files, file) {
			r.say(path+".subPath", "Correct the path, or add the file to what the volume is made of.", "the volume %s has no file %s%s", mount.Name, file, has(files))
		}
	}
}

// filesOf are the files of a volume that is made of a ConfigMap or Secret, if
// they are known.
func (r *refs) filesOf(p *pods.Pod, name string) (files []string, known bool) {
	for _, v := range p.Spec.Volumes {
		if v.Name != name {
			continue
		}
		var target id
		var items []corev1.KeyToPath
		switch {
		case v.ConfigMap != nil && !isTrue(v.ConfigMap.Optional):
			target, items = r.here("ConfigMap", v.ConfigMap.Name), v.ConfigMap.Items
		case v.Secret != nil && !isTrue(v.Secret.Optional):
			target, items = r.here("Secret", v.Secret.SecretName), v.Secret.Items
		default:
			return nil, false
		}
		if !r.has(target) {
			return nil, false
		}
		if len(items) == 0 {
			return r.keysOf(target)
		}
		for _, item := range items {
			first, _, _ := strings.Cut(item.Path, "/")
			files = append(files, first)
		}
		return files, true
	}
	return nil, false
}

// probes checks the ports that a container's probes and hooks name. By number
// they needn't be declared.
func (r *refs) probes(c pods.Container) {
	var names []string
	for _, port := range c.Ports {
		if port.Name != "" {
			names = append(names, port.Name)
		}
	}
	wants := func(path string, port intstr.IntOrString) {
		if port.Type == intstr.String && !slices.Contains(names, port.StrVal) {
			r.say(path+".port", "Correct the name, or declare the port in ports.", "the container has no port %s%s", port.StrVal, has(names))
		}
	}
	check := func(path string, get *corev1.HTTPGetAction, tcp *corev1.TCPSocketAction) {
		if get != nil {
			wants(path+".httpGet", get.Port)
		}
		if tcp != nil {
			wants(path+".tcpSocket", tcp.Port)
		}
	}
	for _, probe := range []struct {
		name string
		*corev1.Probe
	}{{"startupProbe", c.StartupProbe}, {"readinessProbe", c.ReadinessProbe}, {"livenessProbe", c.LivenessProbe}} {
		if probe.Probe != nil {
			check(c.Path+"."+probe.name, probe.HTTPGet, probe.TCPSocket)
		}
	}
	if c.Lifecycle != nil {
		if hook := c.Lifecycle.PostStart; hook != nil {
			check(c.Path+".lifecycle.postStart", hook.HTTPGet, hook.TCPSocket)
		}
		if hook := c.Lifecycle.PreStop; hook != nil {
			check(c.Path+".lifecycle.preStop", hook.HTTPGet, hook.TCPSocket)
		}
	}
}

const scrapeAnnotation, scrapePort = "prometheus.io/scrape", "prometheus.io/port"

// scrape checks the port by which Prometheus is told to find a pod's metrics.
func (r *refs) scrape(p *pods.Pod) {
	port, ok := p.Meta.Annotations[scrapePort]
	if !ok || p.Meta.Annotations[scrapeAnnotation] != "true" {
		return
	}
	var numbers []string
	for _, declared := range p.Ports() {
		if declared.Protocol == "" || declared.Protocol == corev1.ProtocolTCP {
			numbers = append(numbers, strconv.Itoa(int(declared.ContainerPort)))
		}
	}
	if !slices.Contains(numbers, port) {
		r.say(plan.JoinPath(p.At("metadata.annotations"), scrapePort), "Correct the number, or declare the port in a container's ports.",
			"Prometheus would scrape port %s, which no container has%s", port, has(numbers))
	}
}

func isTrue(b *bool) bool { return b != nil && *b }
