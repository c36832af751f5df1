package addons

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Undeclared is an object in a namespace of ours that nobody declares: somebody
// made it by hand, and nobody knows any more.
type Undeclared struct {
	// Resource is named as in plan.Change.
	Resource string `json:"resource"`
	// Manager is the field manager that wrote it last.
	Manager string    `json:"manager,omitempty"`
	Created time.Time `json:"created"`
}

// Undeclared lists the objects in the namespaces that git declares which are
// neither declared nor follow from what is: what has an owner, what the cluster
// puts into every namespace, and what expected names (by kind, namespace and
// name) follows. It reads no object, but its metadata: one paged LIST for each
// kind that lives in namespaces.
func (l *Layer) Undeclared(ctx context.Context, expected func(kind, namespace, name string) bool) ([]Undeclared, error) {
	s, err := l.connect(ctx)
	if err != nil || s == nil {
		return nil, err
	}
	found, objects, err := l.declared()
	if err != nil {
		return nil, err
	}
	ours := map[string]bool{}
	ids := map[string]bool{}
	for _, o := range objects {
		if o.GroupKind == (schema.GroupKind{Kind: "Namespace"}) {
			ours[o.Name] = true
		}
	}
	for _, set := range found.sets {
		ids[set.id] = true
	}
	declared := index(objects)
	claims := claimPrefixes(objects)
	var kinds []schema.GroupVersionKind
	for gk, gvk := range s.kinds.preferred {
		if k := s.kinds.served[gvk]; k.namespaced && k.listable && !transient(gk) {
			kinds = append(kinds, gvk)
		}
	}
	slices.SortFunc(kinds, func(a, b schema.GroupVersionKind) int { return strings.Compare(a.String(), b.String()) })
	results := make([][]Undeclared, len(kinds))
	errs := each(ctx, s.parallel, len(kinds), func(i int) error {
		gk := kinds[i].GroupKind()
		return s.listMetadata(ctx, s.kinds.served[kinds[i]], "", func(m *metav1.PartialObjectMetadata) {
			at := ref{GroupKind: gk, Namespace: m.Namespace, Name: m.Name}
			switch {
			case !ours[m.Namespace], declared[at] != nil, len(m.OwnerReferences) > 0, m.DeletionTimestamp != nil:
			case ids[m.Labels[labelMember]]: // the plan's to say
			case inEveryNamespace(gk, m), followsClaims(gk, m, claims):
			case m.Annotations["cert-manager.io/certificate-name"] != "": // issued for a Certificate
			case expected != nil && expected(gk.Kind, m.Namespace, m.Name):
			default:
				results[i] = append(results[i], Undeclared{Resource: at.String(), Manager: lastManager(m), Created: m.CreationTimestamp.UTC()})
			}
		})
	})
	if err := join(errs); err != nil {
		return nil, err
	}
	out := slices.Concat(results...)
	slices.SortFunc(out, func(a, b Undeclared) int { return strings.Compare(a.Resource, b.Resource) })
	return out, nil
}

// transient are kinds that come and go by themselves, or that are another view
// of what is elsewhere.
func transient(gk schema.GroupKind) bool {
	switch gk {
	case schema.GroupKind{Kind: "Event"}, schema.GroupKind{Group: "events.k8s.io", Kind: "Event"},
		schema.GroupKind{Kind: "Endpoints"}, schema.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"},
		schema.GroupKind{Group: "coordination.k8s.io", Kind: "Lease"},
		schema.GroupKind{Group: "metrics.k8s.io", Kind: "PodMetrics"}:
		return true
	}
	return false
}

// inEveryNamespace reports whether the cluster makes an object in each
// namespace.
func inEveryNamespace(gk schema.GroupKind, m *metav1.PartialObjectMetadata) bool {
	switch gk {
	case schema.GroupKind{Kind: "ConfigMap"}:
		return m.Name == "kube-root-ca.crt"
	case schema.GroupKind{Kind: "ServiceAccount"}:
		return m.Name == "default"
	}
	return false
}

// claimPrefixes are how the names of claims begin that StatefulSets make: their
// claims outlive them and have no owner.
func claimPrefixes(objects []*object) []string {
	var out []string
	for _, o := range objects {
		if o.Kind != "StatefulSet" {
			continue
		}
		spec, _ := o.body.Object["spec"].(map[string]any)
		templates, _ := spec["volumeClaimTemplates"].([]any)
		for _, template := range templates {
			fields, _ := template.(map[string]any)
			metadata, _ := fields["metadata"].(map[string]any)
			out = append(out, fmt.Sprintf("%s/%v-%s-", o.Namespace, metadata["name"], o.Name))
		}
	}
	return out
}

func followsClaims(gk schema.GroupKind, m *metav1.PartialObjectMetadata, prefixes []string) bool {
	if gk != (schema.GroupKind{Kind: "PersistentVolumeClaim"}) {
		return false
	}
	return slices.ContainsFunc(prefixes, func(prefix string) bool {
		ordinal, ok := strings.CutPrefix(m.Namespace+"/"+m.Name, prefix)
		return ok && ordinal != "" && strings.Trim(ordinal, "0123456789") == ""
	})
}

// lastManager is the field manager that wrote an object last, its status aside,
// which controllers write.
func lastManager(m *metav1.PartialObjectMetadata) string {
	var last metav1.ManagedFieldsEntry
	for _, entry := range m.ManagedFields {
		if entry.Subresource != "" {
			continue
		}
		if last.Time == nil || entry.Time != nil && last.Time.Before(entry.Time) {
			last = entry
		}
	}
	return last.Manager
}
