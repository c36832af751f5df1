package drift

import (
	"maps"
	"slices"
	"time"

	"platform/internal/config"
	"platform/internal/plan"
)

// RuleState is how an ignore rule is doing.
type RuleState string

// The states of a rule.
const (
	// RuleActive rules ignore something, or may do so in a cluster that
	// couldn't be read.
	RuleActive RuleState = "active"
	// RuleExpired rules ignore nothing any more.
	RuleExpired RuleState = "expired"
	// RuleUnused rules have nothing to ignore: they can go.
	RuleUnused RuleState = "unused"
)

// IgnoreRule is a rule of platform.yaml and what it has done.
type IgnoreRule struct {
	Cluster  string    `json:"cluster,omitempty"`
	Layer    string    `json:"layer,omitempty"`
	Resource string    `json:"resource"`
	Path     string    `json:"path,omitempty"`
	Reason   string    `json:"reason"`
	Expires  string    `json:"expires"`
	State    RuleState `json:"state"`
	// Matched are the findings that it ignores or, expired, would ignore.
	Matched int `json:"matched"`
}

// ignore marks what rules say is to be let be. A rule with a path is about
// fields of resources that would be updated; a finding of which it fits some
// fields becomes two, so that the rest is neither hidden nor takes its age from
// what is ignored. That a resource is missing, or there without having been
// declared, isn't a matter of fields.
func (r *Report) ignore(rules []config.Ignore) {
	r.Ignore = make([]IgnoreRule, len(rules))
	for i, rule := range rules {
		r.Ignore[i] = IgnoreRule{
			Cluster: rule.Cluster, Layer: rule.Layer, Resource: rule.Resource, Path: rule.Path,
			Reason: rule.Reason, Expires: rule.Expires.Format(time.DateOnly), State: RuleActive,
		}
		if !r.Time.Before(rule.Expires.AddDate(0, 0, 1)) {
			r.Ignore[i].State = RuleExpired
		}
	}
	for i := range r.Clusters {
		c := &r.Clusters[i]
		findings := make([]Finding, 0, len(c.Findings))
		for _, f := range c.Findings {
			findings = append(findings, r.split(c.Name, f)...)
		}
		c.Findings = findings
	}
	for i := range r.Ignore {
		r.Ignore[i].settle(r.Clusters)
	}
}

// settle tells a rule that is of no use from one that may be.
func (rule *IgnoreRule) settle(clusters []Cluster) {
	if rule.State == RuleExpired {
		return
	}
	unread := slices.ContainsFunc(clusters, func(c Cluster) bool {
		return c.Error != "" && fits(rule.Cluster, c.Name)
	})
	rule.State = RuleActive
	if rule.Matched == 0 && !unread {
		rule.State = RuleUnused
	}
}

// split gives a finding's parts: what isn't ignored, and a part for each rule
// that ignores some of it.
func (r *Report) split(cluster string, f Finding) []Finding {
	const nobody = -1
	parts := map[int][]Field{}
	if whole := f.places()[0] == ""; whole {
		parts[r.match(RuleActive, cluster, f, "")] = f.Diff
	} else {
		for _, field := range f.Diff {
			rule := r.match(RuleActive, cluster, f, field.Path)
			parts[rule] = append(parts[rule], field)
		}
	}
	var out []Finding
	for _, rule := range slices.Sorted(maps.Keys(parts)) {
		part := f
		part.Diff = parts[rule]
		if len(parts) > 1 {
			part.FirstSeen = part.oldestField()
		}
		if rule == nobody {
			// A rule that is over shows what is back because of that.
			over := map[int]bool{}
			for _, path := range part.places() {
				over[r.match(RuleExpired, cluster, part, path)] = true
			}
			for rule := range over {
				if rule != nobody {
					r.Ignore[rule].Matched++
				}
			}
		} else {
			r.Ignore[rule].Matched++
			part.Ignored = &Ignored{rule, r.Ignore[rule].Reason, r.Ignore[rule].Expires}
		}
		if len(out) > 0 {
			part.ID = "" // the first part keeps it
		}
		out = append(out, part)
	}
	return out
}

func (f Finding) oldestField() time.Time {
	oldest := f.Diff[0].Since
	for _, field := range f.Diff {
		oldest = earlier(oldest, field.Since)
	}
	return oldest
}

// match finds the first rule in a state that fits a field of a finding, or the
// whole of it where there is no path; -1 if none does.
func (r *Report) match(state RuleState, cluster string, f Finding, path string) int {
	return slices.IndexFunc(r.Ignore, func(rule IgnoreRule) bool {
		return rule.State == state && fits(rule.Cluster, cluster) && fits(rule.Layer, string(f.Layer)) && fits(rule.Resource, f.Resource) &&
			(rule.Path == "" || f.Op == plan.Update && path != "" && fits(rule.Path, path))
	})
}

// fits reports whether a text is as a pattern says, in which * stands for
// anything. No pattern fits everything.
func fits(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	// The star that was met last takes one character more whenever what follows
	// it doesn't fit.
	p, t, star, taken := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0:
			taken++
			p, t = star+1, taken
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
