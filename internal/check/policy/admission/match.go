package admission

import (
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules"
)

// matches says whether a policy or binding is about a request. No constraints are
// about all.
func (a *Admission) matches(r *request, constraints *admissionv1.MatchResources) bool {
	if constraints == nil {
		return true
	}
	if !a.matchesNamespace(r, constraints.NamespaceSelector) || !matchesObject(r, constraints.ObjectSelector) {
		return false
	}
	exact := constraints.MatchPolicy != nil && *constraints.MatchPolicy == admissionv1.Exact
	if matchesRules(r, constraints.ExcludeResourceRules, exact) {
		return false
	}
	return len(constraints.ResourceRules) == 0 || matchesRules(r, constraints.ResourceRules, exact)
}

// matchesNamespace looks at the labels of an object's namespace. Objects that
// aren't in any always match, and a namespace is judged by its own labels.
func (a *Admission) matchesNamespace(r *request, selector *metav1.LabelSelector) bool {
	namespace := a.namespace(r.GetNamespace())
	return namespace == nil || matchesLabels(selector, namespace.Labels)
}

func matchesObject(r *request, selector *metav1.LabelSelector) bool {
	object, err := meta.Accessor(r.VersionedObject)
	return err != nil || matchesLabels(selector, object.GetLabels())
}

func matchesLabels(selector *metav1.LabelSelector, have map[string]string) bool {
	if selector == nil {
		return true
	}
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(labels.Set(have))
}

func matchesRules(r *request, named []admissionv1.NamedRuleWithOperations, exact bool) bool {
	return slices.ContainsFunc(named, func(rule admissionv1.NamedRuleWithOperations) bool {
		if len(rule.ResourceNames) > 0 && !slices.Contains(rule.ResourceNames, r.GetName()) {
			return false
		}
		matcher := rules.Matcher{Rule: rule.RuleWithOperations, Attr: r}
		if matcher.Matches() {
			return true
		}
		if exact {
			return false
		}
		// A rule for another version of the resource is asked about it as well,
		// converted. Versions of one resource hardly differ in what rules look at.
		return slices.ContainsFunc(rule.APIVersions, func(version string) bool {
			resource := r.GetResource()
			resource.Version = version
			matcher.Attr = inVersion{r, resource}
			return matcher.Matches()
		})
	})
}

// inVersion is a request for another version of its resource.
type inVersion struct {
	admission.Attributes
	resource schema.GroupVersionResource
}

func (v inVersion) GetResource() schema.GroupVersionResource { return v.resource }
