package views

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"platform/internal/drift"
	"platform/internal/versions"
)

// matrixColumns is up to how many clusters the versions are shown as a matrix;
// more are grouped by version.
const matrixColumns = 8

// versionSection is the version matrix: what isn't alike everywhere at once,
// the rest on demand.
type versionSection struct {
	Summary           string
	Matrix, Alike     *matrix
	Fleet, FleetAlike *fleet
	Rest              string
}

type matrix struct {
	Label, Caption string
	Columns        []string
	Rows           []matrixRow
}

type matrixRow struct {
	Name  string
	Skew  bool
	Cells []cell
}

type cell struct{ Text, Note, Class string }

type fleet struct {
	Label, Caption string
	Rows           []fleetRow
}

type fleetRow struct {
	Name            string
	Skew            bool
	Wanted, Running []group
}

type group struct{ Version, Who string }

func newVersionSection(clusters []drift.Cluster) *versionSection {
	names := map[string]bool{}
	for _, c := range clusters {
		for name := range c.Versions {
			names[name] = true
		}
	}
	if len(names) == 0 {
		return nil
	}
	s := &versionSection{}
	skewed, behind := 0, 0
	var unlike, alike []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, b := skew(name, clusters), anyBehind(name, clusters)
		if a {
			skewed++
		}
		if b {
			behind++
		}
		if a || b {
			unlike = append(unlike, name)
		} else {
			alike = append(alike, name)
		}
	}
	s.Summary = fmt.Sprintf("%s; %d with skew between clusters, %d running in another version than git's.", count(len(names), "component"), skewed, behind)
	s.Rest = fmt.Sprintf("%s alike in every cluster", count(len(alike), "component"))
	const (
		unlikeCaption = "Components whose versions differ between clusters or from git"
		alikeCaption  = "Components of one version everywhere"
	)
	if len(clusters) <= matrixColumns {
		s.Matrix = newMatrix("Versions that differ", unlikeCaption, unlike, clusters)
		s.Alike = newMatrix("Versions that are alike", alikeCaption, alike, clusters)
	} else {
		s.Fleet = newFleet("Versions that differ", unlikeCaption, unlike, clusters)
		s.FleetAlike = newFleet("Versions that are alike", alikeCaption, alike, clusters)
	}
	return s
}

// skew reports whether git wants a component in more than one version.
func skew(name string, clusters []drift.Cluster) bool {
	wanted := map[string]bool{}
	for _, c := range clusters {
		if v, has := c.Versions[name]; has {
			wanted[v.Wanted] = true
		}
	}
	return len(wanted) > 1
}

func anyBehind(name string, clusters []drift.Cluster) bool {
	return slices.ContainsFunc(clusters, func(c drift.Cluster) bool { return c.Versions[name].Behind() })
}

func newMatrix(label, caption string, names []string, clusters []drift.Cluster) *matrix {
	if len(names) == 0 {
		return nil
	}
	m := &matrix{Label: label, Caption: caption}
	for _, c := range clusters {
		m.Columns = append(m.Columns, c.Name)
	}
	for _, name := range names {
		row := matrixRow{Name: name, Skew: skew(name, clusters)}
		newest := newestOf(name, clusters)
		for _, c := range clusters {
			row.Cells = append(row.Cells, newCell(c.Versions, name, newest))
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func newCell(all map[string]drift.Version, name, newest string) cell {
	v, has := all[name]
	switch {
	case !has:
		return cell{Text: "–"}
	case v.Behind():
		return cell{Text: v.Wanted, Note: "runs " + v.Running, Class: "off"}
	}
	out := cell{Text: v.Wanted}
	if older(v.Wanted, newest) {
		out.Note, out.Class = "older", "older"
	}
	if v.Running == "" {
		out.Note = join(", ", out.Note, "not read")
	}
	return out
}

func newestOf(name string, clusters []drift.Cluster) string {
	newest := ""
	for _, c := range clusters {
		if v, has := c.Versions[name]; has && (newest == "" || older(newest, v.Wanted)) {
			newest = v.Wanted
		}
	}
	return newest
}

// older is false for what can't be compared.
func older(a, b string) bool {
	v, ok := versions.ParseVersion(a)
	w, also := versions.ParseVersion(b)
	return ok && also && v.Compare(w) < 0
}

func newFleet(label, caption string, names []string, clusters []drift.Cluster) *fleet {
	if len(names) == 0 {
		return nil
	}
	f := &fleet{Label: label, Caption: caption}
	for _, name := range names {
		wanted, running := map[string][]string{}, map[string][]string{}
		for _, c := range clusters {
			v, has := c.Versions[name]
			if !has {
				continue
			}
			wanted[v.Wanted] = append(wanted[v.Wanted], c.Name)
			if v.Behind() {
				running[v.Running] = append(running[v.Running], c.Name)
			}
		}
		f.Rows = append(f.Rows, fleetRow{Name: name, Skew: len(wanted) > 1, Wanted: groups(wanted, len(clusters)), Running: groups(running, len(clusters))})
	}
	return f
}

// groups writes who has which version, the most frequent first.
func groups(who map[string][]string, clusters int) []group {
	var out []group
	for _, version := range slices.SortedFunc(maps.Keys(who), func(a, b string) int {
		if d := len(who[b]) - len(who[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	}) {
		const few = 6
		names := who[version]
		text := "in " + strings.Join(names[:min(few, len(names))], ", ")
		switch {
		case len(names) == clusters:
			text = "everywhere"
		case len(names) > few:
			text = "in " + count(len(names), "cluster")
		}
		out = append(out, group{version, text})
	}
	return out
}
