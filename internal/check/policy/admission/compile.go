package admission

import (
	"errors"
	"fmt"

	celgo "github.com/google/cel-go/cel"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	"k8s.io/apiserver/pkg/cel/environment"

	"platform/internal/render"
)

// expression is a CEL expression of a policy.
type expression struct {
	name, text string
	types      []*celgo.Type
}

func (e *expression) GetName() string            { return e.name }
func (e *expression) GetExpression() string      { return e.text }
func (e *expression) ReturnTypes() []*celgo.Type { return e.types }

var (
	boolean  = []*celgo.Type{celgo.BoolType}
	anything = []*celgo.Type{celgo.AnyType, celgo.DynType}
	message  = []*celgo.Type{celgo.StringType}
)

// compiler compiles policies as an API server does when they are written.
type compiler struct {
	env *environment.EnvSet
}

// newCompiler gives what an API server of a version knows: new expressions may
// only use what its predecessor, which may be running beside it, knows too.
func newCompiler(kubernetes *version.Version) *compiler {
	return &compiler{env: environment.MustBaseEnvSet(version.MajorMinor(kubernetes.Major(), max(kubernetes.Minor(), 1)-1))}
}

// policy is what validating and mutating policies have in common.
type policy struct {
	object     render.Object
	conditions matchconditions.Matcher
	cel        *cel.CompositedCompiler
	options    cel.OptionalVariableDeclarations
	errs       []*Error
}

func (c *compiler) policy(o render.Object, variables []admissionv1.Variable, conditions []admissionv1.MatchCondition,
	params *admissionv1.ParamKind, failure *admissionv1.FailurePolicyType) (*policy, error) {
	composited, err := cel.NewCompositedCompiler(c.env)
	if err != nil {
		return nil, err
	}
	p := &policy{
		object:  o,
		cel:     composited,
		options: cel.OptionalVariableDeclarations{HasParams: params != nil, HasAuthorizer: true},
	}
	for i, v := range variables {
		result := composited.CompileAndStoreVariable(&expression{v.Name, v.Expression, anything}, p.options, environment.NewExpressions)
		if result.Error != nil {
			p.wrong(fmt.Sprintf("spec.variables[%d].expression", i), result.Error)
		}
	}
	accessors := make([]cel.ExpressionAccessor, len(conditions))
	for i := range conditions {
		accessors[i] = (*matchconditions.MatchCondition)(&conditions[i])
		p.check(fmt.Sprintf("spec.matchConditions[%d].expression", i), accessors[i], p.options)
	}
	if len(conditions) > 0 {
		evaluator := composited.CompileCondition(accessors, p.options, environment.NewExpressions)
		p.conditions = matchconditions.NewMatcher(evaluator, failure, "policy", "validate", o.GetName())
	}
	return p, nil
}

// check compiles an expression by itself, to say where one is wrong.
func (p *policy) check(path string, e cel.ExpressionAccessor, options cel.OptionalVariableDeclarations) {
	if result := p.cel.CompileCELExpression(e, options, environment.NewExpressions); result.Error != nil {
		p.wrong(path, result.Error)
	}
}

func (p *policy) wrong(path string, err error) {
	p.errs = append(p.errs, &Error{Policy: p.object, Path: path, Message: err.Error()})
}

// validatingPolicy is a policy that lets objects pass or doesn't.
type validatingPolicy struct {
	*policy
	declared    *admissionv1.ValidatingAdmissionPolicy
	bindings    []*admissionv1.ValidatingAdmissionPolicyBinding
	validations []cel.ConditionEvaluator
	messages    []cel.ConditionEvaluator // nil for those without an expression
}

func (c *compiler) validating(o render.Object, declared *admissionv1.ValidatingAdmissionPolicy) (*validatingPolicy, []*Error) {
	spec := declared.Spec
	base, err := c.policy(o, spec.Variables, spec.MatchConditions, spec.ParamKind, spec.FailurePolicy)
	if err != nil {
		return nil, []*Error{{Policy: o, Path: "spec", Message: err.Error()}}
	}
	p := &validatingPolicy{policy: base, declared: declared}
	// Messages can't ask what somebody may do.
	messageOptions := cel.OptionalVariableDeclarations{HasParams: p.options.HasParams}
	for i, v := range spec.Validations {
		path := fmt.Sprintf("spec.validations[%d].", i)
		e := &expression{text: v.Expression, types: boolean}
		p.check(path+"expression", e, p.options)
		p.validations = append(p.validations, p.cel.CompileCondition([]cel.ExpressionAccessor{e}, p.options, environment.NewExpressions))
		if v.MessageExpression == "" {
			p.messages = append(p.messages, nil)
			continue
		}
		e = &expression{text: v.MessageExpression, types: message}
		p.check(path+"messageExpression", e, messageOptions)
		p.messages = append(p.messages, p.cel.CompileCondition([]cel.ExpressionAccessor{e}, messageOptions, environment.NewExpressions))
	}
	return p, p.errs
}

// mutatingPolicy is a policy that completes objects.
type mutatingPolicy struct {
	*policy
	declared *admissionv1.MutatingAdmissionPolicy
	bindings []*admissionv1.MutatingAdmissionPolicyBinding
	patchers []patch.Patcher
}

func (c *compiler) mutating(o render.Object, declared *admissionv1.MutatingAdmissionPolicy) (*mutatingPolicy, []*Error) {
	spec := declared.Spec
	base, err := c.policy(o, spec.Variables, spec.MatchConditions, spec.ParamKind, spec.FailurePolicy)
	if err != nil {
		return nil, []*Error{{Policy: o, Path: "spec", Message: err.Error()}}
	}
	p := &mutatingPolicy{policy: base, declared: declared}
	options := p.options
	options.HasPatchTypes = true
	for i, m := range spec.Mutations {
		if m.JSONPatch == nil {
			continue
		}
		evaluator := p.cel.CompileMutatingEvaluator(&patch.JSONPatchCondition{Expression: m.JSONPatch.Expression}, options, environment.NewExpressions)
		if errs := evaluator.CompilationErrors(); len(errs) > 0 {
			p.wrong(fmt.Sprintf("spec.mutations[%d].jsonPatch.expression", i), errors.Join(errs...))
			continue
		}
		p.patchers = append(p.patchers, patch.NewJSONPatcher(evaluator))
	}
	return p, p.errs
}
