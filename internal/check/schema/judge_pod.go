package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"platform/internal/check/spelling"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func judgePod(a about, spec *corev1.PodSpec) field.ErrorList {
	var out field.ErrorList
	if len(spec.Containers) == 0 {
		out = append(out, field.Required(field.NewPath("containers"), "there must be a container"))
	}
	// Lists that are maps by name can't have one twice; but init containers
	// share the names of the others.
	names := sets.New[string]()
	for _, c := range spec.Containers {
		names.Insert(c.Name)
	}
	for i, c := range spec.InitContainers {
		at := field.NewPath("initContainers").Index(i)
		if c.Name != "" && names.Has(c.Name) {
			out = append(out, field.Invalid(at.Child("name"), c.Name, "another container of the pod has the name"))
		}
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			continue
		}
		for name, probe := range map[string]*corev1.Probe{"livenessProbe": c.LivenessProbe, "readinessProbe": c.ReadinessProbe, "startupProbe": c.StartupProbe} {
			if probe != nil {
				out = append(out, field.Forbidden(at.Child(name), "an init container that isn't always restarted can't have a probe"))
			}
		}
	}
	volumes := sets.New(volumesOfClaims(a.root)...)
	for _, v := range spec.Volumes {
		volumes.Insert(v.Name)
	}
	for _, list := range []struct {
		field      string
		containers []corev1.Container
	}{{"initContainers", spec.InitContainers}, {"containers", spec.Containers}} {
		for i, c := range list.containers {
			for j, mount := range c.VolumeMounts {
				if mount.Name != "" && !volumes.Has(mount.Name) {
					message := "the pod has no volume of the name"
					if meant := spelling.Closest(mount.Name, sets.List(volumes)); meant != "" {
						message += fmt.Sprintf("; did you mean %q?", meant)
					}
					out = append(out, field.Invalid(field.NewPath(list.field).Index(i).Child("volumeMounts").Index(j).Child("name"), mount.Name, message))
				}
			}
		}
	}
	for key, value := range spec.NodeSelector {
		at := field.NewPath("nodeSelector").Key(key)
		out = append(out, invalid(at, key, validation.IsQualifiedName(key))...)
		out = append(out, invalid(at, value, validation.IsValidLabelValue(value))...)
	}
	for _, name := range []struct {
		field, value string
		form         func(string) []string
	}{
		{"serviceAccountName", spec.ServiceAccountName, subdomain},
		{"nodeName", spec.NodeName, subdomain},
		{"hostname", spec.Hostname, label},
		{"subdomain", spec.Subdomain, label},
		{"priorityClassName", spec.PriorityClassName, subdomain},
	} {
		if name.value != "" {
			out = append(out, invalid(field.NewPath(name.field), name.value, name.form(name.value))...)
		}
	}
	if s := spec.ActiveDeadlineSeconds; s != nil && *s < 1 {
		out = append(out, field.Invalid(field.NewPath("activeDeadlineSeconds"), *s, "must be at least 1"))
	}
	if c := spec.SecurityContext; c != nil {
		out = append(out, judgeUser(field.NewPath("securityContext", "runAsUser"), c.RunAsUser)...)
		out = append(out, judgeUser(field.NewPath("securityContext", "runAsGroup"), c.RunAsGroup)...)
		out = append(out, judgeUser(field.NewPath("securityContext", "fsGroup"), c.FSGroup)...)
	}
	return out
}

// volumesOfClaims are the volumes that a StatefulSet makes for each of its pods.
func volumesOfClaims(root map[string]any) []string {
	var out []string
	claims, _, _ := unstructured.NestedSlice(root, "spec", "volumeClaimTemplates")
	for _, claim := range claims {
		if claim, ok := claim.(map[string]any); ok {
			name, _, _ := unstructured.NestedString(claim, "metadata", "name")
			out = append(out, name)
		}
	}
	return out
}

func judgeUser(at *field.Path, id *int64) field.ErrorList {
	if id == nil {
		return nil
	}
	return invalid(at, *id, validation.IsValidUserID(*id))
}

func judgeContainer(_ about, c *corev1.Container) field.ErrorList {
	out := judgeLabel("name", c.Name)
	if c.Image == "" {
		out = append(out, field.Required(field.NewPath("image"), "the container has no image"))
	}
	out = append(out, duplicates(field.NewPath("ports"), c.Ports, func(p corev1.ContainerPort) string { return p.Name }, sets.New[string]())...)
	for i, mount := range c.VolumeMounts {
		at := field.NewPath("volumeMounts").Index(i)
		if mount.SubPath != "" && mount.SubPathExpr != "" {
			out = append(out, field.Invalid(at.Child("subPathExpr"), mount.SubPathExpr, "there is a subPath as well"))
		}
		for name, path := range map[string]string{"subPath": mount.SubPath, "subPathExpr": mount.SubPathExpr} {
			if leaves(path) {
				out = append(out, field.Invalid(at.Child(name), path, "must be relative, and without .."))
			}
		}
	}
	if s := c.SecurityContext; s != nil {
		at := field.NewPath("securityContext")
		out = append(out, judgeUser(at.Child("runAsUser"), s.RunAsUser)...)
		out = append(out, judgeUser(at.Child("runAsGroup"), s.RunAsGroup)...)
		if s.Privileged != nil && *s.Privileged && s.AllowPrivilegeEscalation != nil && !*s.AllowPrivilegeEscalation {
			out = append(out, field.Invalid(at.Child("allowPrivilegeEscalation"), false, "a privileged container can't be kept from it"))
		}
	}
	return out
}

// judgeLabel checks a name that is a DNS label. That it is missing is said
// elsewhere; that it is empty is said here.
func judgeLabel(name, value string) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(field.NewPath(name), "")}
	}
	return invalid(field.NewPath(name), value, label(value))
}

func judgeContainerPort(_ about, p *corev1.ContainerPort) field.ErrorList {
	out := judgePortNumber(field.NewPath("containerPort"), p.ContainerPort)
	if p.HostPort != 0 {
		out = append(out, judgePortNumber(field.NewPath("hostPort"), p.HostPort)...)
	}
	if p.Name != "" {
		out = append(out, invalid(field.NewPath("name"), p.Name, validation.IsValidPortName(p.Name))...)
	}
	return out
}

func judgeEnvVar(_ about, v *corev1.EnvVar) field.ErrorList {
	var out field.ErrorList
	if v.Name == "" {
		out = append(out, field.Required(field.NewPath("name"), ""))
	} else {
		out = append(out, invalid(field.NewPath("name"), v.Name, validation.IsRelaxedEnvVarName(v.Name))...)
	}
	if v.ValueFrom == nil {
		return out
	}
	at := field.NewPath("valueFrom")
	sources := 0
	for _, set := range []bool{v.ValueFrom.FieldRef != nil, v.ValueFrom.ResourceFieldRef != nil, v.ValueFrom.ConfigMapKeyRef != nil, v.ValueFrom.SecretKeyRef != nil, v.ValueFrom.FileKeyRef != nil} {
		if set {
			sources++
		}
	}
	switch {
	case v.Value != "":
		out = append(out, field.Invalid(at, "", "there is a value as well"))
	case sources != 1:
		out = append(out, field.Invalid(at, "", fmt.Sprintf("must name one source, names %d", sources)))
	}
	if ref := v.ValueFrom.ConfigMapKeyRef; ref != nil {
		out = append(out, judgeKeyRef(at.Child("configMapKeyRef"), ref.Name, ref.Key)...)
	}
	if ref := v.ValueFrom.SecretKeyRef; ref != nil {
		out = append(out, judgeKeyRef(at.Child("secretKeyRef"), ref.Name, ref.Key)...)
	}
	return out
}

func judgeKeyRef(at *field.Path, name, key string) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(at.Child("name"), "must name an object")}
	}
	return append(invalid(at.Child("name"), name, subdomain(name)), invalid(at.Child("key"), key, validation.IsConfigMapKey(key))...)
}

// judgeVolume wants a volume to have a name and one source.
func judgeVolume(_ about, object map[string]any) field.ErrorList {
	name, _ := object["name"].(string)
	out := judgeLabel("name", name)
	var sources []string
	for key := range object {
		if key != "name" {
			sources = append(sources, key)
		}
	}
	slices.Sort(sources)
	switch len(sources) {
	case 0: // an emptyDir
		return out
	case 1:
	default:
		return append(out, field.Forbidden(field.NewPath(sources[1]), "there is "+sources[0]+" as well, and only one is possible"))
	}
	source, _ := object[sources[0]].(map[string]any)
	if key := nameOfSource[sources[0]]; key != "" && isEmpty(source[key]) {
		out = append(out, field.Required(field.NewPath(sources[0], key), "must name an object"))
	}
	items, _ := source["items"].([]any)
	for i, item := range items {
		item, _ := item.(map[string]any)
		if path, _ := item["path"].(string); leaves(path) {
			out = append(out, field.Invalid(field.NewPath(sources[0], "items").Index(i).Child("path"), path, "must be relative, and without .."))
		}
	}
	return out
}

// nameOfSource is the field by which a volume's source names its object.
var nameOfSource = map[string]string{"configMap": "name", "persistentVolumeClaim": "claimName", "secret": "secretName"}

// leaves says whether a path may lead out of the folder that it is relative to.
func leaves(path string) bool {
	return strings.HasPrefix(path, "/") || slices.Contains(strings.Split(path, "/"), "..")
}

// judgeHandler wants one of several actions.
func judgeHandler(actions ...string) judge {
	return func(_ about, object map[string]any) field.ErrorList {
		var found []string
		for _, action := range actions {
			if object[action] != nil {
				found = append(found, action)
			}
		}
		switch len(found) {
		case 0:
			return field.ErrorList{field.Required(nil, "must have one of "+strings.Join(actions, ", "))}
		case 1:
			return nil
		}
		return field.ErrorList{field.Forbidden(field.NewPath(found[1]), "there is "+found[0]+" as well, and only one is possible")}
	}
}

func judgeHTTPGet(_ about, a *corev1.HTTPGetAction) field.ErrorList {
	out := judgePort(field.NewPath("port"), a.Port)
	for i, header := range a.HTTPHeaders {
		out = append(out, invalid(field.NewPath("httpHeaders").Index(i).Child("name"), header.Name, validation.IsHTTPHeaderName(header.Name))...)
	}
	return out
}

func judgeTCPSocket(_ about, a *corev1.TCPSocketAction) field.ErrorList {
	return judgePort(field.NewPath("port"), a.Port)
}

func judgeGRPC(_ about, a *corev1.GRPCAction) field.ErrorList {
	return judgePortNumber(field.NewPath("port"), a.Port)
}

func judgeResources(_ about, r *corev1.ResourceRequirements) field.ErrorList {
	var out field.ErrorList
	for name, list := range map[string]corev1.ResourceList{"limits": r.Limits, "requests": r.Requests} {
		for key, amount := range list {
			at := field.NewPath(name).Key(string(key))
			if messages := validation.IsQualifiedName(string(key)); len(messages) > 0 {
				out = append(out, invalid(at, string(key), messages)...)
			} else if !strings.Contains(string(key), "/") && !standardResource(key) {
				out = append(out, field.Invalid(at, string(key), "there is no such resource; only those of Kubernetes itself have no domain in their name"))
			}
			if amount.Sign() < 0 {
				out = append(out, field.Invalid(at, amount.String(), "must not be negative"))
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.Requests)) {
		request := r.Requests[key]
		limit, limited := r.Limits[key]
		if limited && request.Cmp(limit) > 0 {
			out = append(out, field.Invalid(field.NewPath("requests").Key(string(key)), request.String(),
				fmt.Sprintf("must not be more than the limit of %s", limit.String())))
		}
	}
	return out
}

// standardResource says whether a container may ask for a resource that has no
// domain in its name.
func standardResource(name corev1.ResourceName) bool {
	switch name {
	case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
		return true
	}
	return strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
}

func judgeToleration(_ about, t *corev1.Toleration) field.ErrorList {
	var out field.ErrorList
	if t.Key != "" {
		out = append(out, invalid(field.NewPath("key"), t.Key, validation.IsQualifiedName(t.Key))...)
	}
	switch t.Operator {
	case corev1.TolerationOpExists:
		if t.Value != "" {
			out = append(out, field.Invalid(field.NewPath("value"), t.Value, "must be empty when the operator is Exists"))
		}
	case "", corev1.TolerationOpEqual:
		if t.Key == "" {
			out = append(out, field.Invalid(field.NewPath("operator"), string(t.Operator), "must be Exists when there is no key"))
		}
		out = append(out, invalid(field.NewPath("value"), t.Value, validation.IsValidLabelValue(t.Value))...)
	}
	if t.TolerationSeconds != nil && t.Effect != corev1.TaintEffectNoExecute {
		out = append(out, field.Invalid(field.NewPath("effect"), string(t.Effect), "must be NoExecute when there are tolerationSeconds"))
	}
	return out
}

func judgeSpread(_ about, s *corev1.TopologySpreadConstraint) field.ErrorList {
	if len(s.MatchLabelKeys) > 0 && s.LabelSelector == nil {
		return field.ErrorList{field.Forbidden(field.NewPath("matchLabelKeys"), "there is no labelSelector for it to add to")}
	}
	if s.MaxSkew < 1 {
		return field.ErrorList{field.Invalid(field.NewPath("maxSkew"), s.MaxSkew, "must be at least 1")}
	}
	return nil
}
