package objects

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"platform/internal/plan"
)

// ProvidesAnnotation is the annotation by which an object says what the programs
// that it runs create, so that others may refer to it: entries as in
// Options.Provided, separated by semicolons. An entry without a namespace is in
// the object's own.
const ProvidesAnnotation = "platform/provides"

// provided is an object, or several by a pattern, that exists although no file
// declares it.
type provided struct {
	kind, namespace, name string
	// keys are those of a ConfigMap or Secret; nil if nothing is known of them.
	keys []string
	// labels are those of a Pod.
	labels labels.Set
}

// parseProvided reads "Kind [namespace/]name", with ": key, key" behind a
// ConfigMap or Secret, and ": label=value, label=value" behind a Pod.
func parseProvided(entry string) (provided, error) {
	what, keys, hasKeys := strings.Cut(entry, ":")
	words := strings.Fields(what)
	if len(words) != 2 {
		return provided{}, fmt.Errorf(`%q: want a kind and a name, such as "Secret logging/elasticsearch-ca"`, entry)
	}
	p := provided{kind: words[0], name: words[1]}
	if namespace, name, ok := strings.Cut(p.name, "/"); ok {
		p.namespace, p.name = namespace, name
		if namespace == "" {
			return provided{}, fmt.Errorf("%q: the namespace is empty", entry)
		}
	}
	if p.name == "" {
		return provided{}, fmt.Errorf("%q: the name is empty", entry)
	}
	for _, part := range []string{p.namespace, p.name} {
		if strings.ContainsRune(part, '/') {
			return provided{}, fmt.Errorf("%q: want at most one slash, between namespace and name", entry)
		}
		if _, err := path.Match(part, ""); err != nil {
			return provided{}, fmt.Errorf("%q: the pattern %s: %w", entry, part, err)
		}
	}
	if !hasKeys {
		return p, nil
	}
	for _, key := range strings.Split(keys, ",") {
		key = strings.TrimSpace(key)
		switch p.kind {
		case "ConfigMap", "Secret":
			if key == "" {
				return provided{}, fmt.Errorf("%q: a key is empty", entry)
			}
			p.keys = append(p.keys, key)
		case "Pod":
			label, value, ok := strings.Cut(key, "=")
			if !ok || label == "" {
				return provided{}, fmt.Errorf("%q: want label=value, got %q", entry, key)
			}
			if p.labels == nil {
				p.labels = labels.Set{}
			}
			p.labels[label] = value
		default:
			return provided{}, fmt.Errorf("%q: a %s has neither keys nor labels", entry, p.kind)
		}
	}
	return p, nil
}

func (p provided) matches(kind, namespace, name string) bool {
	return p.kind == kind && glob(p.namespace, namespace) && glob(p.name, name)
}

// glob matches a pattern that was found to be well-formed.
func glob(pattern, name string) bool {
	ok, _ := path.Match(pattern, name)
	return ok
}

type providedObjects []provided

// find gives what is known of an object's keys, and whether it is provided.
func (all providedObjects) find(kind, namespace, name string) (keys []string, ok bool) {
	for _, p := range all {
		if !p.matches(kind, namespace, name) {
			continue
		}
		if p.keys == nil {
			return nil, true
		}
		keys, ok = append(keys, p.keys...), true
	}
	return keys, ok
}

// selects says whether a selector selects pods that somebody else creates.
func (all providedObjects) selects(namespace string, by labels.Selector) bool {
	return slices.ContainsFunc(all, func(p provided) bool {
		return p.kind == "Pod" && glob(p.namespace, namespace) && by.Matches(p.labels)
	})
}

// collectProvided gathers what exists beside the declared objects.
func (c *cluster) collectProvided(outside []string) error {
	c.provided = builtin()
	for _, entry := range outside {
		p, err := parseProvided(entry)
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
		entries, ok := o.object.GetAnnotations()[ProvidesAnnotation]
		if !ok {
			continue
		}
		for _, entry := range strings.Split(entries, ";") {
			p, err := parseProvided(entry)
			if err != nil {
				c.malformed = append(c.malformed, o.at(plan.JoinPath("metadata.annotations", ProvidesAnnotation)).Saying(
					err.Error(), `Write entries such as "Secret name: key, key", separated by semicolons.`))
				continue
			}
			if namespaced, known := c.scopes.byKind(p.kind); p.namespace == "" && (namespaced || !known) {
				p.namespace = o.namespace
			}
			c.provided = append(c.provided, p)
		}
	}
	return nil
}
