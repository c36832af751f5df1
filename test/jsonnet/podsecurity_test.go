package jsonnet

import (
	"testing"

	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// Pods that don't fit their namespace's level are refused by the API server
// only when their workload makes them: too late for a plan to show.
func TestPodSecurity(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cluster := range clusters(t) {
		t.Run(cluster, func(t *testing.T) {
			all := objects(t, cluster)
			levels := map[string]api.LevelVersion{}
			for _, o := range all {
				if o.GetKind() != "Namespace" {
					continue
				}
				if _, ok := o.GetLabels()[api.EnforceLevelLabel]; !ok {
					t.Errorf("%s enforces no Pod Security level", describe(o))
				}
				parsed, errs := api.PolicyToEvaluate(o.GetLabels(), api.Policy{})
				if len(errs) > 0 {
					t.Errorf("%s: %v", describe(o), errs.ToAggregate())
				}
				levels[o.GetName()] = parsed.Enforce
			}
			for _, o := range all {
				template, ok := podTemplate(t, o)
				if !ok {
					continue
				}
				for _, result := range evaluator.EvaluatePod(levels[o.GetNamespace()], &template.ObjectMeta, &template.Spec) {
					if !result.Allowed {
						t.Errorf("%s doesn't fit %s: %s: %s", describe(o), levels[o.GetNamespace()], result.ForbiddenReason, result.ForbiddenDetail)
					}
				}
			}
		})
	}
}
