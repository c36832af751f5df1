package objects

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"platform/internal/plan"
	"platform/internal/provided"
)

type providedObjects []provided.Object

// find gives what is known of an object's keys, and whether it is provided.
func (all providedObjects) find(kind, namespace, name string) (keys []string, ok bool) {
	for _, p := range all {
		if !p.Matches(kind, namespace, name) {
			continue
		}
		if p.Keys == nil {
			return nil, true
		}
		keys, ok = append(keys, p.Keys...), true
	}
	return keys, ok
}

// selects says whether a selector selects pods that somebody else creates.
func (all providedObjects) selects(namespace string, by labels.Selector) bool {
	return slices.ContainsFunc(all, func(p provided.Object) bool {
		return p.Kind == "Pod" && provided.Glob(p.Namespace, namespace) && by.Matches(p.Labels)
	})
}

// collectProvided gathers what exists beside the declared objects.
func (c *cluster) collectProvided(outside []string) error {
	c.provided = builtin()
	for _, entry := range outside {
		p, err := provided.Parse(entry)
		if err != nil {
			return fmt.Errorf("provided: %w", err)
		}
		c.provided = append(c.provided, p)
	}
	for _, o := range c.all {
		if o.kind == "Namespace" && o.group == "" {
			c.provided = append(c.provided, inNamespace(o.name)...)
		}
		c.provided = append(c.provided, issued(o)...)
		entries, ok := o.object.GetAnnotations()[provided.Annotation]
		if !ok {
			continue
		}
		for _, entry := range strings.Split(entries, ";") {
			p, err := provided.Parse(entry)
			if err != nil {
				c.malformed = append(c.malformed, o.at(plan.JoinPath("metadata.annotations", provided.Annotation)).Saying(
					err.Error(), `Write entries such as "Secret name: key, key", separated by semicolons.`))
				continue
			}
			if namespaced, known := c.scopes.byKind(p.Kind); p.Namespace == "" && (namespaced || !known) {
				p.Namespace = o.namespace
			}
			c.provided = append(c.provided, p)
		}
	}
	return nil
}
