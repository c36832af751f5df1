package admission

import (
	"context"
	"fmt"
	"slices"
	"strings"

	celtypes "github.com/google/cel-go/common/types"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/kubernetes/scheme"
)

// may answers policies that ask what the deployer may do.
var may = authorizer.AuthorizerFunc(func(context.Context, authorizer.Attributes) (authorizer.Decision, string, error) {
	return authorizer.DecisionAllow, "", nil
})

// verdict is a decision with what it came from.
type verdict struct {
	Decision
	params runtime.Object
}

// verdicts are the policy's decisions against a request.
func (p *validatingPolicy) verdicts(ctx context.Context, a *Admission, r *request) []verdict {
	if !a.matches(r, p.declared.Spec.MatchConstraints) {
		return nil
	}
	var out []verdict
	for _, binding := range p.bindings {
		actions := binding.Spec.ValidationActions
		refused := slices.Contains(actions, admissionv1.Deny)
		if !a.matches(r, binding.Spec.MatchResources) || !refused && !slices.Contains(actions, admissionv1.Warn) {
			continue
		}
		params, err := a.params(p.declared.Spec.ParamKind, binding.Spec.ParamRef, r.GetNamespace())
		if err != nil {
			out = append(out, verdict{Decision: Decision{Policy: p.declared.Name, Message: err.Error(), Refused: refused, Broken: true}})
			continue
		}
		for _, param := range params {
			for _, v := range p.judge(ctx, a, r, param) {
				v.Refused = refused
				out = append(out, v)
			}
		}
	}
	return out
}

// judge evaluates the validations.
func (p *validatingPolicy) judge(ctx context.Context, a *Admission, r *request, params runtime.Object) []verdict {
	ignored := p.declared.Spec.FailurePolicy != nil && *p.declared.Spec.FailurePolicy == admissionv1.Ignore
	if p.conditions != nil {
		match := p.conditions.Match(ctx, r.VersionedAttributes, params, may)
		switch {
		case match.Error != nil:
			return []verdict{{Decision: Decision{Policy: p.declared.Name, Message: match.Error.Error(), Broken: true}}}
		case !match.Matches:
			return nil
		}
	}
	var out []verdict
	for i, validation := range p.declared.Spec.Validations {
		result, err := p.evaluate(ctx, a, p.validations[i], r, params)
		d := Decision{Policy: p.declared.Name, Validation: i}
		switch {
		case err != nil && ignored:
			continue
		case err != nil:
			d.Message, d.Broken = err.Error(), true
		case result == celtypes.True:
			continue
		default:
			d.Message = p.message(ctx, a, i, validation, r, params)
		}
		out = append(out, verdict{d, params})
	}
	return out
}

// evaluate gives an expression's value.
func (p *validatingPolicy) evaluate(ctx context.Context, a *Admission, e cel.ConditionEvaluator, r *request, params runtime.Object) (any, error) {
	asked := cel.CreateAdmissionRequest(r.Attributes, metav1.GroupVersionResource(r.resource), metav1.GroupVersionKind(r.VersionedKind))
	variables := cel.OptionalVariableBindings{VersionedParams: params, Authorizer: may}
	results, _, err := e.ForInput(ctx, r.VersionedAttributes, asked, variables, cel.CreateNamespaceObject(a.namespaceOf(r)), celconfig.RuntimeCELCostBudget)
	if err != nil {
		return nil, err
	}
	return results[0].EvalResult, results[0].Error
}

// message is what the policy says of a refused object.
func (p *validatingPolicy) message(ctx context.Context, a *Admission, i int, v admissionv1.Validation, r *request, params runtime.Object) string {
	if p.messages[i] != nil {
		result, err := p.evaluate(ctx, a, p.messages[i], r, params)
		if text, ok := result.(celtypes.String); ok && err == nil && strings.TrimSpace(string(text)) != "" {
			return strings.TrimSpace(string(text))
		}
	}
	if v.Message != "" {
		return strings.TrimSpace(v.Message)
	}
	return "failed expression: " + strings.TrimSpace(v.Expression)
}

// params are the parameters that a binding gives: one nil for a policy without
// any, none if it is fine that there are none.
func (a *Admission) params(kind *admissionv1.ParamKind, ref *admissionv1.ParamRef, namespace string) ([]runtime.Object, error) {
	if kind == nil || ref == nil {
		return []runtime.Object{nil}, nil
	}
	if ref.Namespace != "" {
		namespace = ref.Namespace
	}
	selector := labels.Nothing()
	if ref.Selector != nil {
		var err error
		if selector, err = metav1.LabelSelectorAsSelector(ref.Selector); err != nil {
			return nil, err
		}
	}
	var out []runtime.Object
	for _, o := range a.objects {
		if o.GetAPIVersion() != kind.APIVersion || o.GetKind() != kind.Kind || o.GetNamespace() != "" && o.GetNamespace() != namespace {
			continue
		}
		if ref.Name != "" && o.GetName() == ref.Name || ref.Name == "" && selector.Matches(labels.Set(o.GetLabels())) {
			out = append(out, decode(o.Unstructured))
		}
	}
	if len(out) == 0 && (ref.ParameterNotFoundAction == nil || *ref.ParameterNotFoundAction == admissionv1.DenyAction) {
		return nil, fmt.Errorf("no parameters: there is no %s that the binding refers to", kind.Kind)
	}
	return out, nil
}

// namespaceOf is the namespace that a request's object is in; a namespace itself
// is in none.
func (a *Admission) namespaceOf(r *request) *corev1.Namespace {
	if r.resource.Group == "" && r.resource.Resource == "namespaces" {
		return nil
	}
	return a.namespace(r.GetNamespace())
}

// mutate completes the request's object as mutating policies do. A mutation that
// can't be made is left out: what it would have done, validations may miss.
func (a *Admission) mutate(ctx context.Context, r *request) {
	interfaces := admission.NewObjectInterfacesFromScheme(scheme.Scheme)
	for _, p := range a.mutating {
		if !a.matches(r, p.declared.Spec.MatchConstraints) {
			continue
		}
		for _, binding := range p.bindings {
			if !a.matches(r, binding.Spec.MatchResources) {
				continue
			}
			all, err := a.params(p.declared.Spec.ParamKind, binding.Spec.ParamRef, r.GetNamespace())
			if err != nil {
				continue
			}
			for _, params := range all {
				if p.conditions != nil && !p.conditions.Match(ctx, r.VersionedAttributes, params, may).Matches {
					continue
				}
				for _, patcher := range p.patchers {
					patched, err := patcher.Patch(ctx, patch.Request{
						MatchedResource:     r.resource,
						VersionedAttributes: r.VersionedAttributes,
						ObjectInterfaces:    interfaces,
						OptionalVariables:   cel.OptionalVariableBindings{VersionedParams: params, Authorizer: may},
						Namespace:           a.namespaceOf(r),
					}, celconfig.RuntimeCELCostBudget)
					if err == nil {
						setDefaults(patched)
						r.VersionedObject = patched
					}
				}
			}
		}
	}
}
