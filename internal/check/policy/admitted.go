package policy

import (
	"context"
	"fmt"
	"strings"

	"platform/internal/check"
	"platform/internal/check/policy/admission"
	"platform/internal/render"
)

// broken finds admission policies that the API server wouldn't take.
func broken(c *cluster, errs []*admission.Error) []check.Finding {
	var out []check.Finding
	c.each(func(file render.File, object render.Object) {
		for _, err := range errs {
			if err.Policy.Unstructured == object.Unstructured {
				out = append(out, check.OnObject(c.Name, file, object, err.Path).Saying(
					fmt.Sprintf("isn't CEL as Kubernetes %d.%d takes it: %s", c.kubernetes.Major(), c.kubernetes.Minor(), oneLine(err.Message)),
					"Correct the expression."))
			}
		}
	})
	return out
}

// admitted finds objects that the cluster's own admission policies refuse.
func admitted(ctx context.Context, c *cluster) []check.Finding {
	var out []check.Finding
	c.each(func(file render.File, object render.Object) {
		for _, d := range c.admission.Review(ctx, object) {
			f := check.OnObject(c.Name, file, object, d.Path)
			f.Why = "The API server refuses the object when it is deployed."
			fix := "Change the object as the policy says."
			says := "refuses it"
			if !d.Refused {
				f.Level = check.Warning
				f.Why = "The API server warns whoever deploys the object."
				says = "warns of it"
			}
			if d.Broken {
				says = "can't judge it"
				fix = "Change the policy: ask for optional fields with has() first."
			}
			out = append(out, f.Saying(fmt.Sprintf("the admission policy %s %s: %s", d.Policy, says, oneLine(d.Message)), fix))
		}
	})
	return out
}

// oneLine makes a message of another program's part of one of ours.
func oneLine(text string) string {
	return strings.TrimSuffix(strings.Join(strings.Fields(text), " "), ".")
}
