package objects

import (
	"fmt"
	"slices"
	"strings"

	"platform/internal/check/spelling"
)

// has says whether an object exists.
func (c *cluster) has(want id) bool {
	if c.byID[want] != nil {
		return true
	}
	_, ok := c.provided.find(want.kind, want.namespace, want.name)
	return ok
}

// String names an object as its users do.
func (i id) String() string {
	if i.namespace != "" {
		return i.kind + " " + i.namespace + "/" + i.name
	}
	return i.kind + " " + i.name
}

// missing says that an object doesn't exist and what comes closest.
func (c *cluster) missing(want id) string {
	return fmt.Sprintf("there is no %s%s", want, c.nearest(want))
}

// nearest is the end of a message about an object that isn't there: what was
// probably meant, if anything comes close.
func (c *cluster) nearest(want id) string {
	var here, elsewhere []string
	add := func(namespace, name string) {
		switch {
		case namespace == want.namespace:
			here = append(here, name)
		case name == want.name:
			elsewhere = append(elsewhere, namespace)
		}
	}
	for _, o := range c.all {
		if o.group == want.group && o.kind == want.kind {
			add(o.namespace, o.name)
		}
	}
	for _, p := range c.provided {
		if p.Kind == want.kind && !strings.ContainsAny(p.Namespace+p.Name, `*?[\`) {
			add(p.Namespace, p.Name)
		}
	}
	if name := spelling.Closest(want.name, here); name != "" {
		return "; the closest name is " + name
	}
	if len(elsewhere) > 0 {
		slices.Sort(elsewhere)
		return "; there is one in the namespace " + elsewhere[0]
	}
	return ""
}
