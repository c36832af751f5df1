// Package rules lists all rules, in the order in which they are documented.
package rules

import (
	"slices"

	"platform/internal/check"
	"platform/internal/check/embedded"
	"platform/internal/check/kopsspec"
	"platform/internal/check/matrix"
	"platform/internal/check/objects"
	"platform/internal/check/policy"
	"platform/internal/check/schema"
	"platform/internal/check/sources"
)

// Options are what some rules need to know.
type Options struct {
	// Worker is the command that starts a kops worker.
	Worker []string
	// KopsVersion is that of the kops that the tool is built with.
	KopsVersion string
	// Provided are objects that exist without being declared.
	Provided []string
}

// All gives every rule.
func All(o Options) []check.Rule {
	return slices.Concat(
		[]check.Rule{sources.Format, sources.Lint, sources.Assert, sources.Generated},
		[]check.Rule{schema.Rule(schema.Options{Provided: o.Provided})},
		objects.Rules(objects.Options{Provided: o.Provided}),
		policy.Rules(),
		[]check.Rule{matrix.Rule(o.KopsVersion), kopsspec.Rule(o.Worker)},
		embedded.Rules(),
	)
}
