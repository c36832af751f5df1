package objects

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"platform/internal/render"
)

// clusterScoped are the kinds of Kubernetes itself that are in no namespace, by
// group. A test compares the table with client-go, whose methods take a namespace
// or don't.
var clusterScoped = map[string][]string{
	"":                             {"ComponentStatus", "Namespace", "Node", "PersistentVolume"},
	"admissionregistration.k8s.io": {"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration"},
	"apiextensions.k8s.io":         {"CustomResourceDefinition"},
	"apiregistration.k8s.io":       {"APIService"},
	"authentication.k8s.io":        {"SelfSubjectReview", "TokenReview"},
	"authorization.k8s.io":         {"SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"},
	"certificates.k8s.io":          {"CertificateSigningRequest", "ClusterTrustBundle"},
	"flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
	"internal.apiserver.k8s.io":    {"StorageVersion"},
	"networking.k8s.io":            {"IPAddress", "IngressClass", "ServiceCIDR"},
	"node.k8s.io":                  {"RuntimeClass"},
	"rbac.authorization.k8s.io":    {"ClusterRole", "ClusterRoleBinding"},
	"resource.k8s.io":              {"DeviceClass", "DeviceTaintRule", "ResourcePoolStatusRequest", "ResourceSlice"},
	"scheduling.k8s.io":            {"PriorityClass"},
	"storage.k8s.io":               {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"},
	"storagemigration.k8s.io":      {"StorageVersionMigration"},
}

// scopes says of kinds whether their objects are in namespaces: of Kubernetes'
// own, and of those that the cluster defines.
type scopes map[schema.GroupKind]bool

func scopesOf(rendered *render.Cluster) scopes {
	s := scopes{}
	for _, file := range rendered.Files {
		for _, o := range file.Objects {
			if o.GroupVersionKind().GroupKind() != definitionKind {
				continue
			}
			kind := schema.GroupKind{Group: text(o.Object, "spec", "group"), Kind: text(o.Object, "spec", "names", "kind")}
			s[kind] = text(o.Object, "spec", "scope") == "Namespaced"
		}
	}
	return s
}

var definitionKind = schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}

// namespaced says whether a kind's objects are in namespaces, and whether the
// kind is known at all.
func (s scopes) namespaced(kind schema.GroupKind) (namespaced, known bool) {
	if namespaced, ok := s[kind]; ok {
		return namespaced, true
	}
	if slices.Contains(clusterScoped[kind.Group], kind.Kind) {
		return false, true
	}
	return true, len(scheme.Scheme.VersionsForGroupKind(kind)) > 0
}

// byKind is the same for a kind whose group isn't given.
func (s scopes) byKind(kind string) (namespaced, known bool) {
	for k := range s {
		if k.Kind == kind {
			return s[k], true
		}
	}
	for _, kinds := range clusterScoped {
		if slices.Contains(kinds, kind) {
			return false, true
		}
	}
	return true, false
}
