package versions

import (
	"fmt"
	"slices"
	"strings"
)

// Components that rules know by name.
const (
	Kubernetes = "kubernetes"
	Kops       = "kops"
)

// Policy is what an organisation allows.
type Policy struct {
	// MaxSkew is how many minor versions of Kubernetes lie at most between
	// two clusters.
	MaxSkew int
	// AllowAhead are components that a cluster may have in a newer version
	// than the clusters before it.
	AllowAhead []string
}

// Support is the range of Kubernetes releases that a component supports.
type Support struct {
	Component string
	// Release is the component's own release, such as 1.21.
	Release string
	// From and To are the oldest and the newest Kubernetes release.
	From, To string
	// Source is where that is written.
	Source string
}

// Problem is a rule that the matrix breaks.
type Problem struct {
	// Component and Cluster are empty where the problem is with none alone.
	Component, Cluster string
	// Line is that of the matrix.
	Line         int
	Message, Fix string
}

// Check holds a matrix against all rules. Clusters are in the order in which
// changes reach them. Built is the version of kops that the tool is built with;
// empty is unknown.
func Check(m *Matrix, clusters []string, policy Policy, support []Support, built string) []Problem {
	var out []Problem
	for _, component := range m.Components {
		out = append(out, complete(component, clusters)...)
		out = append(out, inOrder(component, clusters, policy)...)
	}
	for _, name := range []string{Kubernetes, Kops} {
		if _, ok := m.Component(name); !ok {
			out = append(out, Problem{
				Component: name, Line: 1,
				Message: fmt.Sprintf("component %q is missing", name),
				Fix:     "Add it, with a version for each cluster.",
			})
		}
	}
	out = append(out, skew(m, clusters, policy)...)
	for _, cluster := range clusters {
		out = append(out, kops(m, cluster, built)...)
		out = append(out, supported(m, cluster, support)...)
	}
	return out
}

// complete: each cluster has a version, and no other cluster has one.
func complete(c Component, clusters []string) []Problem {
	var out []Problem
	for _, cluster := range clusters {
		cell, ok := c.Cell(cluster)
		switch {
		case !ok:
			out = append(out, Problem{
				Component: c.Name, Cluster: cluster, Line: c.Line,
				Message: fmt.Sprintf("%s has no version for cluster %s", c.Name, cluster),
				Fix:     "Every component needs a version for every cluster of platform.yaml.",
			})
		case strings.TrimSpace(cell.Version) != cell.Version || cell.Version == "":
			out = append(out, Problem{
				Component: c.Name, Cluster: cluster, Line: cell.Line,
				Message: fmt.Sprintf("%q is no version of %s", cell.Version, c.Name),
				Fix:     "Name an exact version, without blanks.",
			})
		}
	}
	for _, cell := range c.Cells {
		if !slices.Contains(clusters, cell.Cluster) {
			out = append(out, Problem{
				Component: c.Name, Cluster: cell.Cluster, Line: cell.Line,
				Message: fmt.Sprintf("%s has a version for %q, which is no cluster of platform.yaml", c.Name, cell.Cluster),
				Fix:     "Clusters are " + strings.Join(clusters, ", ") + ".",
			})
		}
	}
	return out
}

// inOrder: a cluster is never ahead of one before it.
func inOrder(c Component, clusters []string, policy Policy) []Problem {
	if slices.Contains(policy.AllowAhead, c.Name) {
		return nil
	}
	var out []Problem
	for i := 1; i < len(clusters); i++ {
		before, _ := c.Cell(clusters[i-1])
		cell, _ := c.Cell(clusters[i])
		v, ok := ParseVersion(cell.Version)
		w, okBefore := ParseVersion(before.Version)
		if ok && okBefore && v.Compare(w) > 0 {
			out = append(out, Problem{
				Component: c.Name, Cluster: cell.Cluster, Line: cell.Line,
				Message: fmt.Sprintf("%s %s in %s is ahead of %s in %s", c.Name, cell.Version, cell.Cluster, before.Version, before.Cluster),
				Fix:     fmt.Sprintf("Versions reach %s first: raise it there, or list %s under versions.allow-ahead in platform.yaml.", before.Cluster, c.Name),
			})
		}
	}
	return out
}

// skew: no two clusters are too far apart.
func skew(m *Matrix, clusters []string, policy Policy) []Problem {
	c, _ := m.Component(Kubernetes)
	var newest Version
	var at string
	for _, cluster := range clusters {
		cell, _ := c.Cell(cluster)
		if v, ok := ParseVersion(cell.Version); ok && v.Compare(newest) > 0 {
			newest, at = v, cluster
		}
	}
	var out []Problem
	for _, cluster := range clusters {
		cell, _ := c.Cell(cluster)
		v, ok := ParseVersion(cell.Version)
		if !ok {
			if cell.Version != "" {
				out = append(out, Problem{
					Component: Kubernetes, Cluster: cluster, Line: cell.Line,
					Message: fmt.Sprintf("%q is no version of Kubernetes", cell.Version),
					Fix:     "Kubernetes' versions have three numbers, such as 1.36.1.",
				})
			}
			continue
		}
		if behind := newest.Minor - v.Minor; v.Major == newest.Major && behind > policy.MaxSkew {
			out = append(out, Problem{
				Component: Kubernetes, Cluster: cluster, Line: cell.Line,
				Message: fmt.Sprintf("Kubernetes %s in %s is %d minor versions behind %s in %s; %d allowed", v, cluster, behind, newest, at, policy.MaxSkew),
				Fix:     "Bring the cluster up, one minor version at a time; versions.max-skew in platform.yaml is the limit.",
			})
		}
	}
	return out
}

// kops: it manages Kubernetes up to its own minor version, and is the one that
// the tool is built with.
func kops(m *Matrix, cluster, built string) []Problem {
	row, _ := m.Component(Kops)
	cell, _ := row.Cell(cluster)
	v, ok := ParseVersion(cell.Version)
	if !ok {
		return nil
	}
	var out []Problem
	kubernetes, known := ParseVersion(m.Version(Kubernetes, cluster))
	if known && (kubernetes.Major != v.Major || kubernetes.Minor > v.Minor) {
		out = append(out, Problem{
			Component: Kops, Cluster: cluster, Line: cell.Line,
			Message: fmt.Sprintf("kops %s doesn't know Kubernetes %s, which %s has", cell.Version, kubernetes, cluster),
			Fix:     "kops manages Kubernetes up to its own minor version: raise kops first.",
		})
	}
	if b, okBuilt := ParseVersion(built); okBuilt && b.Compare(v) != 0 {
		out = append(out, Problem{
			Component: Kops, Cluster: cluster, Line: cell.Line,
			Message: fmt.Sprintf("kops is %s in %s, but this tool is built with kops %s", cell.Version, cluster, b),
			Fix:     "Use the tool that is built with that version, or say the version that is used.",
		})
	}
	return out
}

// supported: each component supports its cluster's Kubernetes.
func supported(m *Matrix, cluster string, support []Support) []Problem {
	kubernetes, ok := ParseVersion(m.Version(Kubernetes, cluster))
	if !ok {
		return nil
	}
	var out []Problem
	for _, component := range m.Components {
		cell, _ := component.Cell(cluster)
		v, ok := ParseVersion(cell.Version)
		ranges := slices.DeleteFunc(slices.Clone(support), func(s Support) bool { return s.Component != component.Name })
		if !ok || len(ranges) == 0 {
			continue
		}
		i := slices.IndexFunc(ranges, func(s Support) bool { return s.Release == v.Release() })
		if i < 0 {
			var known []string
			for _, s := range ranges {
				known = append(known, s.Release)
			}
			out = append(out, Problem{
				Component: component.Name, Cluster: cluster, Line: cell.Line,
				Message: fmt.Sprintf("nobody has said which Kubernetes versions %s %s supports; known are %s", component.Name, v.Release(), strings.Join(known, ", ")),
				Fix:     "Add the release to the stack's support.json, from " + ranges[0].Source + ".",
			})
			continue
		}
		from, _ := ParseVersion(ranges[i].From)
		to, _ := ParseVersion(ranges[i].To)
		release := Version{Major: kubernetes.Major, Minor: kubernetes.Minor}
		if release.Compare(from) < 0 || release.Compare(to) > 0 {
			out = append(out, Problem{
				Component: component.Name, Cluster: cluster, Line: cell.Line,
				Message: fmt.Sprintf("%s %s supports Kubernetes %s to %s, and %s has %s", component.Name, cell.Version, ranges[i].From, ranges[i].To, cluster, kubernetes),
				Fix:     "Choose a release that supports it: " + ranges[i].Source + ".",
			})
		}
	}
	return out
}
