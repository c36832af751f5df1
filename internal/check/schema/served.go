package schema

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/kubernetes/scheme"

	"platform/internal/check"
	"platform/internal/check/schema/openapi"
	"platform/internal/check/spelling"
	"platform/internal/versions"
)

// lifecycle is what Kubernetes' types say about themselves: when they came, and
// when they go.
type lifecycle struct {
	introduced, deprecated, removed versions.Version
	replacement                     schema.GroupVersionKind
}

func lifecycleOf(kind schema.GroupVersionKind) lifecycle {
	var l lifecycle
	object, err := scheme.Scheme.New(kind)
	if err != nil {
		return l
	}
	read := func(major, minor int) versions.Version { return versions.Version{Major: major, Minor: minor} }
	if o, ok := object.(interface{ APILifecycleIntroduced() (int, int) }); ok {
		l.introduced = read(o.APILifecycleIntroduced())
	}
	if o, ok := object.(interface{ APILifecycleDeprecated() (int, int) }); ok {
		l.deprecated = read(o.APILifecycleDeprecated())
	}
	if o, ok := object.(interface{ APILifecycleRemoved() (int, int) }); ok {
		l.removed = read(o.APILifecycleRemoved())
	}
	if o, ok := object.(interface {
		APILifecycleReplacement() schema.GroupVersionKind
	}); ok {
		l.replacement = o.APILifecycleReplacement()
	}
	return l
}

func known(v versions.Version) bool { return v != versions.Version{} }

// notServed says why a kind that Kubernetes itself might have isn't served.
func (c *cluster) notServed(kind schema.GroupVersionKind) (message, fix string) {
	name := apiVersion(kind.GroupVersion()) + " " + kind.Kind
	release := "Kubernetes " + c.version.Release()
	l := lifecycleOf(kind)
	others := c.versionsOf(c.served, kind.Group, kind.Kind)
	use := ""
	switch {
	case len(others) > 0:
		use = "Use " + apiVersion(schema.GroupVersion{Group: kind.Group, Version: others[0]}) + "."
	case builtin(c.served, l.replacement.Group, l.replacement.Version, l.replacement.Kind) != nil:
		use = fmt.Sprintf("Use %s %s.", apiVersion(l.replacement.GroupVersion()), l.replacement.Kind)
	}
	or := func(fix string) string {
		if use != "" {
			return use
		}
		return fix
	}
	switch {
	case builtin(c.served, kind.Group, kind.Version, kind.Kind) != nil:
		if use != "" {
			use = strings.TrimSuffix(use, ".") + ", or turn "
		} else {
			use = "Turn "
		}
		return fmt.Sprintf("%s doesn't serve %s unless it is told to", release, name),
			use + "it on in the cluster's kubeAPIServer.runtimeConfig."
	case known(l.removed) && l.removed.Compare(c.release()) <= 0:
		return fmt.Sprintf("%s doesn't serve %s: it was removed in %s", release, name, l.removed.Release()),
			or("Delete the object, or replace it by what its documentation names.")
	case known(l.introduced) && l.introduced.Compare(c.release()) > 0:
		return fmt.Sprintf("%s doesn't serve %s yet: it comes with %s", release, name, l.introduced.Release()),
			or(fmt.Sprintf("Upgrade the cluster to %s first.", l.introduced.Release()))
	case c.next != nil && builtin(c.next, kind.Group, kind.Version, kind.Kind) != nil:
		return fmt.Sprintf("%s doesn't serve %s yet: it comes with %s", release, name, c.nextMinor().Release()),
			or(fmt.Sprintf("Upgrade the cluster to %s first.", c.nextMinor().Release()))
	case len(others) > 0:
		return fmt.Sprintf("%s doesn't serve %s", release, name), use
	}
	message = fmt.Sprintf("%s has no kind %s in %s", release, kind.Kind, apiVersion(kind.GroupVersion()))
	if meant := spelling.Closest(kind.Kind, kindsOf(c.served, kind.Group)); meant != "" {
		return fmt.Sprintf("%s; did you mean %s?", message, meant), "Correct the kind, or the apiVersion."
	}
	if group, version := c.elsewhere(kind.Kind); version != "" {
		right := apiVersion(schema.GroupVersion{Group: group, Version: version})
		return fmt.Sprintf("%s; there is one in %s", message, right), "Set apiVersion to " + right + "."
	}
	return message, or("Correct the kind or the apiVersion: kubectl api-resources lists what there is.")
}

// elsewhere finds a kind in another group.
func (c *cluster) elsewhere(kind string) (group, version string) {
	for _, k := range c.served.Kinds {
		if k.Kind == kind {
			if all := c.versionsOf(c.served, k.Group, kind); len(all) > 0 {
				return k.Group, all[0]
			}
		}
	}
	return "", ""
}

// aging warns of a kind that the next release deprecates or doesn't serve any
// more.
func (c *cluster) aging(kind schema.GroupVersionKind) (message, fix string, ok bool) {
	l, next := lifecycleOf(kind), c.nextMinor()
	name := apiVersion(kind.GroupVersion()) + " " + kind.Kind
	gone := c.next != nil && builtin(c.next, kind.Group, kind.Version, kind.Kind) == nil
	switch {
	case gone || known(l.removed) && l.removed.Compare(next) <= 0:
		message = fmt.Sprintf("%s is removed in Kubernetes %s, the next release", name, next.Release())
	case known(l.deprecated) && l.deprecated.Compare(next) <= 0:
		message = fmt.Sprintf("%s is deprecated from Kubernetes %s on", name, l.deprecated.Release())
		if known(l.removed) {
			message += fmt.Sprintf(", and removed in %s", l.removed.Release())
		}
	default:
		return "", "", false
	}
	replacement := l.replacement
	if replacement.Empty() {
		// A version that is more stable, of now or of the next release.
		for _, d := range []*openapi.Document{c.served, c.next} {
			if d == nil {
				continue
			}
			for _, v := range c.versionsOf(d, kind.Group, kind.Kind) {
				if compareAPIVersions(v, kind.Version) > 0 && replacement.Empty() {
					replacement = schema.GroupVersionKind{Group: kind.Group, Version: v, Kind: kind.Kind}
				}
			}
		}
	}
	if replacement.Empty() {
		return message, "See the release notes for what takes its place.", true
	}
	fix = fmt.Sprintf("Use %s %s", apiVersion(replacement.GroupVersion()), replacement.Kind)
	if builtin(c.served, replacement.Group, replacement.Version, replacement.Kind) == nil {
		fix += fmt.Sprintf(" as soon as the cluster has Kubernetes %s", next.Release())
	}
	return message, fix + ".", true
}

func (c *cluster) release() versions.Version {
	return versions.Version{Major: c.version.Major, Minor: c.version.Minor}
}

// ownGroup says whether a group is one of Kubernetes itself, now or ever.
func (c *cluster) ownGroup(group string) bool {
	return scheme.Scheme.IsGroupRegistered(group) ||
		slices.ContainsFunc(c.served.Kinds, func(k openapi.Kind) bool { return k.Group == group })
}

func apiVersion(v schema.GroupVersion) string { return v.String() }

// compareAPIVersions puts v1 after v1beta2 after v1alpha1.
func compareAPIVersions(a, b string) int { return version.CompareKubeAwareVersionStrings(a, b) }

// findUnknown is what is wrong with an object of which there is no schema.
func (c *cluster) findUnknown(begin func(string) check.Finding, kind schema.GroupVersionKind, provided providedKinds) []check.Finding {
	if c.ownGroup(kind.Group) {
		message, fix := c.notServed(kind)
		return []check.Finding{begin("apiVersion").Saying(message, fix)}
	}
	if provided.has(kind.GroupKind()) {
		return nil
	}
	message := fmt.Sprintf("no CustomResourceDefinition of the cluster defines the kind %s of %s", kind.Kind, kind.Group)
	if meant := spelling.Closest(kind.Kind, c.definitions.kindsOf(kind.Group)); meant != "" {
		return []check.Finding{begin("kind").Saying(message+fmt.Sprintf("; did you mean %s?", meant), "Correct the kind.")}
	}
	plural := pluralOf(kind.Kind)
	return []check.Finding{begin("apiVersion").Saying(message,
		fmt.Sprintf("Declare the definition, or list it as provided in platform.yaml: \"CustomResourceDefinition %s.%s\".", plural, kind.Group))}
}
