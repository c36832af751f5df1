package admission

import (
	"context"
	"maps"
	"slices"

	celtypes "github.com/google/cel-go/common/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"platform/internal/check/pods"
	"platform/internal/plan"
)

// blame finds the field that a refusal is about. Expressions don't say, so this
// asks them: it takes parts out of the object, and goes on into the one part
// without which the object would pass, or couldn't be judged any more. Where
// several parts are to blame it stops above them.
func (a *Admission) blame(ctx context.Context, p *validatingPolicy, r *request, v verdict) string {
	if v.Broken {
		return ""
	}
	// What was judged, with its defaults: without one, an expression that reads
	// the field fails, and so gives itself away.
	judged, err := runtime.DefaultUnstructuredConverter.ToUnstructured(r.VersionedObject)
	if err != nil {
		return ""
	}
	b := &blamer{ctx: ctx, admission: a, policy: p, request: r, verdict: v, judged: judged}
	var node any = judged
	var at []any
	path := ""
	for {
		step, ok := b.culprit(at, node)
		if !ok {
			return path
		}
		at = append(at, step)
		switch n := node.(type) {
		case map[string]any:
			path, node = plan.JoinPath(path, step.(string)), n[step.(string)]
		case []any:
			path, node = pods.Element(path, step.(int), n, nameOf), n[step.(int)]
		}
	}
}

// blamer asks one validation about variants of one object.
type blamer struct {
	ctx       context.Context
	admission *Admission
	policy    *validatingPolicy
	request   *request
	verdict   verdict
	judged    map[string]any
}

// culprit is the one child of a node whose absence makes a difference.
func (b *blamer) culprit(at []any, node any) (step any, ok bool) {
	var passing, breaking []any
	for _, child := range children(at, node) {
		switch passes, broken := b.without(append(slices.Clone(at), child)); {
		case broken:
			breaking = append(breaking, child)
		case passes:
			passing = append(passing, child)
		}
	}
	if len(at) == 0 && len(breaking) == 2 {
		// Almost every expression that offers a way out by an annotation reads
		// the metadata; what it is about is the rest.
		breaking = slices.DeleteFunc(breaking, func(child any) bool { return child == "metadata" })
	}
	switch {
	case len(passing) == 1:
		return passing[0], true
	case len(passing) == 0 && len(breaking) == 1:
		return breaking[0], true
	}
	return nil, false
}

// children are the keys or indices below a node. What an object is called isn't
// to blame.
func children(at []any, node any) []any {
	var out []any
	switch n := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(n)) {
			identity := len(at) == 0 && (key == "apiVersion" || key == "kind") ||
				len(at) == 1 && at[0] == "metadata" && (key == "name" || key == "namespace")
			if !identity {
				out = append(out, key)
			}
		}
	case []any:
		for i := range n {
			out = append(out, i)
		}
	}
	return out
}

// without judges the object without the part at a place.
func (b *blamer) without(at []any) (passes, broken bool) {
	attributes := *b.request.VersionedAttributes
	attributes.VersionedObject = &unstructured.Unstructured{
		Object: remove(runtime.DeepCopyJSON(b.judged), at).(map[string]any),
	}
	r := *b.request
	r.VersionedAttributes = &attributes
	result, err := b.policy.evaluate(b.ctx, b.admission, b.policy.validations[b.verdict.Validation], &r, b.verdict.params)
	return err == nil && result == celtypes.True, err != nil
}

// remove takes a part out of a value, which it may change.
func remove(value any, at []any) any {
	switch v := value.(type) {
	case map[string]any:
		key := at[0].(string)
		if len(at) == 1 {
			delete(v, key)
		} else {
			v[key] = remove(v[key], at[1:])
		}
	case []any:
		i := at[0].(int)
		if len(at) == 1 {
			return slices.Delete(v, i, i+1)
		}
		v[i] = remove(v[i], at[1:])
	}
	return value
}

func nameOf(item any) string {
	m, _ := item.(map[string]any)
	name, _ := m["name"].(string)
	return name
}
