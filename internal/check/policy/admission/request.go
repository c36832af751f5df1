package admission

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/kubernetes/scheme"

	"platform/internal/render"
)

// request is the creation of an object.
type request struct {
	*admission.VersionedAttributes
	resource schema.GroupVersionResource
}

// resources are the resources of kinds that the cluster defines itself.
type resources map[schema.GroupKind]string

func resourcesOf(objects []render.Object) resources {
	out := resources{}
	for _, o := range objects {
		if o.GetKind() != "CustomResourceDefinition" {
			continue
		}
		group, _, _ := unstructured.NestedString(o.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(o.Object, "spec", "names", "kind")
		plural, _, _ := unstructured.NestedString(o.Object, "spec", "names", "plural")
		out[schema.GroupKind{Group: group, Kind: kind}] = plural
	}
	return out
}

// of gives a kind's resource. Kubernetes' own are plurals that can be told from
// the kind.
func (r resources) of(kind schema.GroupVersionKind) schema.GroupVersionResource {
	if plural, ok := r[kind.GroupKind()]; ok {
		return kind.GroupVersion().WithResource(plural)
	}
	plural, _ := meta.UnsafeGuessKindToResource(kind)
	return plural
}

// deployer is who asks: whoever deploys may do everything.
var deployer = &user.DefaultInfo{Name: "platform", Groups: []string{user.SystemPrivilegedGroup, user.AllAuthenticated}}

// creating makes the request that creates an object.
func (a *Admission) creating(o render.Object) *request {
	object := decode(o.Unstructured)
	setDefaults(object)
	kind := o.GroupVersionKind()
	resource := a.resources.of(kind)
	namespace := o.GetNamespace()
	if resource.Group == "" && resource.Resource == "namespaces" {
		// The API server's requests about namespaces are in themselves.
		namespace = o.GetName()
	}
	attributes := admission.NewAttributesRecord(object, nil, kind, namespace, o.GetName(), resource, "",
		admission.Create, &metav1.CreateOptions{}, false, deployer)
	return &request{
		VersionedAttributes: &admission.VersionedAttributes{Attributes: attributes, VersionedObject: object, VersionedKind: kind},
		resource:            resource,
	}
}

// decode makes a typed object of one of Kubernetes' own kinds, since policies see
// those in full: with empty structures, and without unknown fields. Others stay as
// they are. It makes a copy.
func decode(o *unstructured.Unstructured) runtime.Object {
	object, err := scheme.Scheme.New(o.GroupVersionKind())
	if err != nil {
		return o.DeepCopy()
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, object); err != nil {
		return o.DeepCopy()
	}
	return object
}
