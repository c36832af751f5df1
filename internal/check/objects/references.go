package objects

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"platform/internal/check"
	"platform/internal/check/pods"
	"platform/internal/provided"
)

// refs collects what is wrong with the references of one object.
type refs struct {
	*cluster
	o   *declared
	out []check.Finding
}

// referring are the kinds that refer to others, beside those that make pods.
var referring = map[schema.GroupKind]func(*refs){
	{Group: "", Kind: "Service"}:                                                      (*refs).service,
	{Group: "", Kind: "ServiceAccount"}:                                               (*refs).serviceAccount,
	{Group: "", Kind: "PersistentVolumeClaim"}:                                        (*refs).claim,
	{Group: "networking.k8s.io", Kind: "Ingress"}:                                     (*refs).ingress,
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:                               (*refs).networkPolicy,
	{Group: "policy", Kind: "PodDisruptionBudget"}:                                    (*refs).disruptionBudget,
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}:                           (*refs).autoscaler,
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:                         (*refs).roleBinding,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:                  (*refs).roleBinding,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:                             (*refs).apiService,
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:                 (*refs).definition,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}:   (*refs).webhooks,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:     (*refs).webhooks,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"}: (*refs).policyBinding,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicyBinding"}:   (*refs).policyBinding,
	{Group: "cert-manager.io", Kind: "Certificate"}:                                   (*refs).certificate,
	{Group: "cert-manager.io", Kind: "Issuer"}:                                        (*refs).issuer,
	{Group: "cert-manager.io", Kind: "ClusterIssuer"}:                                 (*refs).issuer,
}

// references finds references to what doesn't exist.
func references(c *cluster) []check.Finding {
	out := slices.Clone(c.malformed)
	for _, o := range c.all {
		r := &refs{cluster: c, o: o}
		if find, ok := referring[o.object.GroupVersionKind().GroupKind()]; ok {
			find(r)
		}
		if pod, ok := pods.Of(o.file, o.object); ok {
			r.pod(&pod)
		}
		r.injection()
		out = append(out, r.out...)
	}
	return append(out, accountPermissions(c)...)
}

const fixMissing = "Correct the name or declare the object. If something else creates it, say so: by the annotation " + provided.Annotation + " of the object that does, or under provided in platform.yaml."

// say adds a finding about a field.
func (r *refs) say(path, fix, format string, args ...any) {
	r.out = append(r.out, r.o.at(path).Saying(fmt.Sprintf(format, args...), fix))
}

// want adds a finding unless an object exists, and tells whether it does. A
// reference without a name is for the schema to refuse.
func (r *refs) want(path string, target id) bool {
	if target.name == "" {
		return false
	}
	if r.has(target) {
		return true
	}
	r.say(path, fixMissing, "%s", r.missing(target))
	return false
}

// here is the id of an object of a core kind in the object's own namespace.
func (r *refs) here(kind, name string) id {
	return id{kind: kind, namespace: r.o.namespace, name: name}
}

// wantKey is want for a key of a ConfigMap or Secret.
func (r *refs) wantKey(path, keyPath string, target id, key string) {
	if !r.want(path, target) || key == "" {
		return
	}
	keys, known := r.keysOf(target)
	if !known || slices.Contains(keys, key) {
		return
	}
	r.say(keyPath, "Correct the key, or add it to the object.", "the %s has no key %s%s", target, key, has(keys))
}

// keysOf are the keys of a ConfigMap or Secret, if they are known.
func (c *cluster) keysOf(target id) (keys []string, known bool) {
	o := c.byID[target]
	if o == nil {
		keys, _ = c.provided.find(target.kind, target.namespace, target.name)
		slices.Sort(keys)
		return slices.Compact(keys), keys != nil
	}
	for _, name := range []string{"data", "stringData", "binaryData"} {
		for key := range fields(o.object.Object, name) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys), true
}

// has is the end of a message about something that isn't among others.
func has(names []string) string {
	const most = 8
	switch {
	case len(names) == 0:
		return "; it has none"
	case len(names) > most:
		return fmt.Sprintf("; it has %s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return "; it has " + strings.Join(names, ", ")
}
