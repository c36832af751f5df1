package schema

import (
	glob "path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// providedKinds are the names of definitions that exist although no file
// declares them, such as certificates.cert-manager.io or *.cilium.io.
type providedKinds []string

// parseProvided picks the definitions out of a list of objects. What isn't
// well-formed is for the rules about references to say.
func parseProvided(entries []string) providedKinds {
	var out providedKinds
	for _, entry := range entries {
		words := strings.Fields(entry)
		if len(words) == 2 && words[0] == definitionKind.Kind {
			out = append(out, words[1])
		}
	}
	return out
}

// has guesses the name of a kind's definition, as its author most probably did.
func (p providedKinds) has(kind schema.GroupKind) bool {
	name := pluralOf(kind.Kind) + "." + kind.Group
	return slices.ContainsFunc(p, func(pattern string) bool {
		ok, err := glob.Match(pattern, name)
		return ok && err == nil
	})
}

func pluralOf(kind string) string {
	plural, _ := meta.UnsafeGuessKindToResource(schema.GroupVersionKind{Version: "v1", Kind: kind})
	return plural.Resource
}
