package objects

import (
	"fmt"

	"platform/internal/check"
)

// namespaces finds objects whose namespace is missing, undeclared, or one too
// many.
func namespaces(c *cluster) []check.Finding {
	var out []check.Finding
	for _, o := range c.all {
		namespaced, known := c.scopes.namespaced(o.object.GroupVersionKind().GroupKind())
		switch {
		case !known:
			// A kind that nothing defines is another rule's finding.
		case !namespaced && o.namespace != "":
			out = append(out, o.at("metadata.namespace").Saying(
				fmt.Sprintf("names the namespace %s, but a %s isn't in any", o.namespace, o.kind),
				"Remove metadata.namespace."))
		case namespaced && o.namespace == "":
			out = append(out, o.at("metadata").Saying(
				"names no namespace",
				"Set metadata.namespace; stacks take it from their parameters."))
		case namespaced && !c.has(namespaceID(o.namespace)):
			out = append(out, o.at("metadata.namespace").Saying(
				fmt.Sprintf("is in the namespace %s, which no file of the cluster declares%s", o.namespace, c.nearest(namespaceID(o.namespace))),
				"Correct the name, or declare the namespace with platform.Namespace."))
		}
	}
	return out
}

func namespaceID(name string) id { return id{kind: "Namespace", name: name} }
