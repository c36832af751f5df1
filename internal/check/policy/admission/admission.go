package admission

import (
	"context"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules"

	"platform/internal/render"
)

// Admission is a cluster's admission policies, compiled.
type Admission struct {
	validating []*validatingPolicy
	mutating   []*mutatingPolicy
	namespaces map[string]*corev1.Namespace
	resources  resources
	objects    []render.Object
}

// Decision is what a validating policy says of an object that it doesn't let
// pass.
type Decision struct {
	// Policy is the policy's name, and Validation the index of the expression.
	Policy     string
	Validation int
	Message    string
	// Refused says that the object is refused; else its author is warned.
	Refused bool
	// Broken says that the expression couldn't be evaluated, which is as good as
	// a refusal, but the policy's fault.
	Broken bool
	// Path is the field that the decision is about, as far as can be told.
	Path string
}

// Error is a policy that the API server wouldn't take.
type Error struct {
	Policy render.Object
	// Path is the expression's place in the policy.
	Path    string
	Message string
}

func (e *Error) Error() string {
	return e.Policy.GetKind() + " " + e.Policy.GetName() + ": " + e.Path + ": " + e.Message
}

// New compiles the policies among a cluster's objects for its version of
// Kubernetes. Policies that don't compile are left out, and returned as errors.
func New(cluster *render.Cluster, kubernetes *version.Version) (*Admission, []*Error) {
	a := &Admission{namespaces: map[string]*corev1.Namespace{}}
	for _, file := range cluster.Files {
		a.objects = append(a.objects, file.Objects...)
	}
	a.resources = resourcesOf(a.objects)

	compiler := newCompiler(kubernetes)
	var errs []*Error
	for _, o := range a.objects {
		switch o.GroupVersionKind().GroupKind() {
		case corev1.SchemeGroupVersion.WithKind("Namespace").GroupKind():
			if namespace, ok := typed[*corev1.Namespace](o); ok {
				a.namespaces[o.GetName()] = labelled(namespace)
			}
		case group.WithKind("ValidatingAdmissionPolicy").GroupKind():
			if declared, ok := typed[*admissionv1.ValidatingAdmissionPolicy](o); ok {
				policy, wrong := compiler.validating(o, declared)
				errs = append(errs, wrong...)
				if len(wrong) == 0 {
					a.validating = append(a.validating, policy)
				}
			}
		case group.WithKind("MutatingAdmissionPolicy").GroupKind():
			if declared, ok := typed[*admissionv1.MutatingAdmissionPolicy](o); ok {
				policy, wrong := compiler.mutating(o, declared)
				errs = append(errs, wrong...)
				if len(wrong) == 0 {
					a.mutating = append(a.mutating, policy)
				}
			}
		}
	}
	a.bind()
	// The API server asks policies in the order of their names.
	slices.SortFunc(a.validating, func(x, y *validatingPolicy) int { return strings.Compare(x.declared.Name, y.declared.Name) })
	slices.SortFunc(a.mutating, func(x, y *mutatingPolicy) int { return strings.Compare(x.declared.Name, y.declared.Name) })
	return a, errs
}

var group = admissionv1.SchemeGroupVersion

// bind gives the policies their bindings; without one a policy isn't in force.
func (a *Admission) bind() {
	for _, o := range a.objects {
		if binding, ok := typed[*admissionv1.ValidatingAdmissionPolicyBinding](o); ok {
			for _, policy := range a.validating {
				if policy.declared.Name == binding.Spec.PolicyName {
					policy.bindings = append(policy.bindings, binding)
				}
			}
		}
		if binding, ok := typed[*admissionv1.MutatingAdmissionPolicyBinding](o); ok {
			for _, policy := range a.mutating {
				if policy.declared.Name == binding.Spec.PolicyName {
					policy.bindings = append(policy.bindings, binding)
				}
			}
		}
	}
}

// Review judges an object, which isn't changed.
func (a *Admission) Review(ctx context.Context, object render.Object) []Decision {
	r := a.creating(object)
	if rules.IsExemptAdmissionConfigurationResource(r) {
		return nil
	}
	a.mutate(ctx, r)
	var out []Decision
	for _, policy := range a.validating {
		for _, v := range policy.verdicts(ctx, a, r) {
			v.Path = a.blame(ctx, policy, r, v)
			out = append(out, v.Decision)
		}
	}
	return out
}

// namespace is what is known of a namespace: what is declared of it, or that it
// exists.
func (a *Admission) namespace(name string) *corev1.Namespace {
	if name == "" {
		return nil
	}
	if namespace := a.namespaces[name]; namespace != nil {
		return namespace
	}
	namespace := &corev1.Namespace{}
	namespace.Name = name
	return labelled(namespace)
}

// labelled adds the label that the API server gives every namespace.
func labelled(namespace *corev1.Namespace) *corev1.Namespace {
	if namespace.Labels == nil {
		namespace.Labels = map[string]string{}
	}
	namespace.Labels[corev1.LabelMetadataName] = namespace.Name
	return namespace
}

// typed decodes an object that is of the type's kind and form.
func typed[T runtime.Object](o render.Object) (T, bool) {
	object, ok := decode(o.Unstructured).(T)
	return object, ok
}

// Covers says whether a policy with some labels may refuse an object.
func (a *Admission) Covers(with labels.Set, object render.Object) bool {
	selector := labels.SelectorFromSet(with)
	r := a.creating(object)
	return slices.ContainsFunc(a.validating, func(p *validatingPolicy) bool {
		return selector.Matches(labels.Set(p.declared.Labels)) &&
			a.matches(r, p.declared.Spec.MatchConstraints) &&
			slices.ContainsFunc(p.bindings, func(b *admissionv1.ValidatingAdmissionPolicyBinding) bool {
				return slices.Contains(b.Spec.ValidationActions, admissionv1.Deny) && a.matches(r, b.Spec.MatchResources)
			})
	})
}
