// Package provided is what exists in a cluster although no file declares it:
// objects that programs in the cluster create, and those that somebody made
// before. Others may refer to them, and they are no drift.
package provided

import (
	"fmt"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
)

// Annotation is the annotation by which an object says what the programs that it
// runs create, so that others may refer to it: entries as Parse takes them,
// separated by semicolons. An entry without a namespace is in the object's own.
const Annotation = "platform/provides"

// Object is an object, or several by a pattern, that exists although no file
// declares it. In a namespace and a name, * stands for any characters.
type Object struct {
	Kind, Namespace, Name string
	// Keys are those of a ConfigMap or Secret; nil if nothing is known of them.
	Keys []string
	// Labels are those of a Pod.
	Labels labels.Set
}

// Parse reads "Kind [namespace/]name", with ": key, key" behind a
// ConfigMap or Secret, and ": label=value, label=value" behind a Pod.
func Parse(entry string) (Object, error) {
	what, keys, hasKeys := strings.Cut(entry, ":")
	words := strings.Fields(what)
	if len(words) != 2 {
		return Object{}, fmt.Errorf(`%q: want a kind and a name, such as "Secret logging/elasticsearch-ca"`, entry)
	}
	p := Object{Kind: words[0], Name: words[1]}
	if namespace, name, ok := strings.Cut(p.Name, "/"); ok {
		p.Namespace, p.Name = namespace, name
		if namespace == "" {
			return Object{}, fmt.Errorf("%q: the namespace is empty", entry)
		}
	}
	if p.Name == "" {
		return Object{}, fmt.Errorf("%q: the name is empty", entry)
	}
	for _, part := range []string{p.Namespace, p.Name} {
		if strings.ContainsRune(part, '/') {
			return Object{}, fmt.Errorf("%q: want at most one slash, between namespace and name", entry)
		}
		if _, err := path.Match(part, ""); err != nil {
			return Object{}, fmt.Errorf("%q: the pattern %s: %w", entry, part, err)
		}
	}
	if !hasKeys {
		return p, nil
	}
	for _, key := range strings.Split(keys, ",") {
		key = strings.TrimSpace(key)
		switch p.Kind {
		case "ConfigMap", "Secret":
			if key == "" {
				return Object{}, fmt.Errorf("%q: a key is empty", entry)
			}
			p.Keys = append(p.Keys, key)
		case "Pod":
			label, value, ok := strings.Cut(key, "=")
			if !ok || label == "" {
				return Object{}, fmt.Errorf("%q: want label=value, got %q", entry, key)
			}
			if p.Labels == nil {
				p.Labels = labels.Set{}
			}
			p.Labels[label] = value
		default:
			return Object{}, fmt.Errorf("%q: a %s has neither keys nor labels", entry, p.Kind)
		}
	}
	return p, nil
}

// Matches reports whether an object is one of them.
func (p Object) Matches(kind, namespace, name string) bool {
	return p.Kind == kind && Glob(p.Namespace, namespace) && Glob(p.Name, name)
}

// Glob matches a pattern that Parse found to be well-formed.
func Glob(pattern, name string) bool {
	ok, _ := path.Match(pattern, name)
	return ok
}
