package policy

import (
	"fmt"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"platform/internal/check"
	"platform/internal/render"
)

// hosts finds host names of Ingresses that the cluster's wildcard doesn't cover:
// no others lead to the cluster. Where the guardrails say so too, they are asked
// instead.
func hosts(c *cluster) []check.Finding {
	suffix, ok := strings.CutPrefix(c.wildcard, "*")
	if !ok {
		return nil
	}
	var out []check.Finding
	c.each(func(file render.File, object render.Object) {
		if object.GroupVersionKind().Group != networkingv1.GroupName || object.GetKind() != "Ingress" || c.admission.Covers(guardrail("ingress-hosts"), object) {
			return
		}
		var ingress networkingv1.Ingress
		if runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &ingress) != nil {
			return
		}
		say := func(path, host string) {
			label, ok := strings.CutSuffix(host, suffix)
			if ok && label != "" && !strings.Contains(label, ".") {
				return
			}
			message := fmt.Sprintf("the host name %s isn't directly below %s", host, suffix[1:])
			if host == "" {
				message = "the rule names no host"
			}
			out = append(out, check.OnObject(c.Name, file, object, path).Saying(message, "Choose a name that "+c.wildcard+" covers."))
		}
		for i, rule := range ingress.Spec.Rules {
			say(fmt.Sprintf("spec.rules[%d].host", i), rule.Host)
		}
		for i, tls := range ingress.Spec.TLS {
			for j, host := range tls.Hosts {
				say(fmt.Sprintf("spec.tls[%d].hosts[%d]", i, j), host)
			}
		}
	})
	return out
}
