package check

import (
	"cmp"
	"slices"
	"strings"

	"platform/internal/render"
)

// Level is how bad a finding is.
type Level string

// Errors must be mended before a merge; warnings tell of what will be an error
// one day, such as an API version that the next release drops. Both are
// findings.
const (
	Error   Level = "error"
	Warning Level = "warning"
)

// Finding is one thing that is wrong, and where.
type Finding struct {
	// Rule is the name of the rule that found it.
	Rule  string `json:"rule"`
	Level Level  `json:"level"`
	// File is relative to the repository's root. Line and Column count from
	// 1; 0 is unknown.
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column,omitempty"`
	// Clusters are those that the finding is about, in their order; none for
	// one about a file as such.
	Clusters []string `json:"clusters,omitempty"`
	// Object is the object as its users name it: Deployment
	// monitoring/prometheus.
	Object string `json:"object,omitempty"`
	// Path is the field of the object, spelled as in plan.Field.
	Path string `json:"path,omitempty"`
	// Message is what is wrong. It starts in lower case and has no full stop.
	Message string `json:"message"`
	// Why is the reason that it matters; Fix is what to do. Both are
	// sentences. Empty means the rule's own.
	Why string `json:"why,omitempty"`
	Fix string `json:"fix,omitempty"`

	// source and key are the declared object's place, of which Run makes File
	// and Line.
	source, key string
}

// OnObject begins a finding about a field of a rendered object; an empty path
// is the object as a whole. Run fills in the file and line that declare it.
func OnObject(cluster string, file render.File, object render.Object, path string) Finding {
	return Finding{
		Level:    Error,
		Clusters: []string{cluster},
		Object:   Describe(object),
		Path:     path,
		source:   file.Source,
		key:      object.Key,
	}
}

// InFile begins a finding about a line of a file; 0 is the file as a whole.
func InFile(file string, line int) Finding {
	return Finding{Level: Error, File: file, Line: line}
}

// InSource begins a finding about a field of the value at a key of a source
// file, which needn't be an object.
func InSource(source, key, path string) Finding {
	return Finding{Level: Error, Path: path, source: source, key: key}
}

// OnDeclaration begins a finding about a field of a cluster's declaration, such
// as kops.cluster.spec.kubernetesVersion.
func OnDeclaration(cluster *render.Cluster, path string) Finding {
	return Finding{Level: Error, Clusters: []string{cluster.Name}, Path: path, source: cluster.Source()}
}

// Saying completes a finding with what is wrong and what to do about it.
func (f Finding) Saying(message, fix string) Finding {
	f.Message, f.Fix = message, fix
	return f
}

// Describe names an object as its users do.
func Describe(object render.Object) string {
	if namespace := object.GetNamespace(); namespace != "" {
		return object.GetKind() + " " + namespace + "/" + object.GetName()
	}
	return object.GetKind() + " " + object.GetName()
}

// merge orders findings by file, line and rule, and joins those that several
// clusters have for one and the same reason.
func merge(findings []Finding, clusters []string) []Finding {
	type identity struct {
		rule, file, path, object, message string
		level                             Level
		line, column                      int
	}
	index := map[identity]int{}
	out := []Finding{}
	for _, f := range findings {
		id := identity{f.Rule, f.File, f.Path, f.Object, f.Message, f.Level, f.Line, f.Column}
		i, again := index[id]
		if !again {
			index[id] = len(out)
			f.Clusters = slices.Clone(f.Clusters)
			out = append(out, f)
			continue
		}
		for _, cluster := range f.Clusters {
			if !slices.Contains(out[i].Clusters, cluster) {
				out[i].Clusters = append(out[i].Clusters, cluster)
			}
		}
	}
	rank := func(name string) int { return slices.Index(clusters, name) }
	for i := range out {
		slices.SortFunc(out[i].Clusters, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(
			strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			strings.Compare(a.Rule, b.Rule), strings.Compare(a.Object, b.Object), strings.Compare(a.Path, b.Path),
			strings.Compare(a.Message, b.Message),
		)
	})
	return out
}
