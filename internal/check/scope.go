package check

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"platform/internal/config"
	"platform/internal/render"
	"platform/internal/versions"
)

// Only leaves the findings in files at or below some paths of the repository,
// and those about objects that such files declare. Everything else is still
// looked at: what is right depends on it.
func (r *Repository) Only(paths []string) {
	r.paths = paths
	r.Sources = slices.DeleteFunc(r.Sources, func(source string) bool { return !inside(source, paths) })
}

func (r *Repository) within(findings []Finding) []Finding {
	if r.paths == nil {
		return findings
	}
	return slices.DeleteFunc(findings, func(f Finding) bool {
		return !inside(f.File, r.paths) && (f.source == "" || !inside(f.source, r.paths))
	})
}

// Affected leaves the sources and clusters that a change of files may make
// right or wrong. The files are relative to the repository; they may be gone.
func Affected(c *config.Config, o render.Options, sources []string, changed []string) (affected []string, clusters []string, err error) {
	files := map[string]bool{}
	for _, file := range changed {
		files[filepath.Clean(file)] = true
	}
	all := files[config.FileName]
	known := map[string]bool{config.FileName: true}
	hit := map[string]bool{}
	for _, source := range sources {
		lookups, err := render.Lookups(o, source)
		if err != nil {
			// It can't be read; what it would import isn't known.
			lookups = append(lookups, source)
		}
		touched := err != nil && files[source]
		for _, path := range lookups {
			if files[path] {
				touched, known[path] = true, true
			}
		}
		if !touched {
			continue
		}
		affected = append(affected, source)
		if cluster, ok := clusterOf(source, "clusters"); ok {
			hit[cluster] = true
		}
	}
	for file := range files {
		if cluster, ok := clusterOf(file, "clusters"); ok {
			hit[cluster] = true
		} else if cluster, ok := clusterOf(file, render.GeneratedDir); ok {
			hit[cluster] = true
		} else if !known[file] && (inside(file, folders) || inside(file, c.JPath) || inside(file, []string{"docs"}) || file == versions.File) {
			// Read by some rule in some way that no import tells.
			all = true
		}
	}
	if all {
		return affected, c.ClusterNames(), nil
	}
	clusters = slices.DeleteFunc(c.ClusterNames(), func(name string) bool { return !hit[name] })
	return affected, clusters, nil
}

// clusterOf is the cluster whose folder below top a file is in.
func clusterOf(file, top string) (string, bool) {
	parts := strings.Split(filepath.ToSlash(file), "/")
	if len(parts) < 3 || parts[0] != top {
		return "", false
	}
	return parts[1], true
}

// Select gives the rules that are named by only, or all, without those named by
// skip. Names that no rule has are an error.
func Select(rules []Rule, only, skip []string) ([]Rule, error) {
	names := map[string]bool{}
	for _, rule := range rules {
		names[rule.Name] = true
	}
	for _, name := range slices.Concat(only, skip) {
		if !names[name] {
			return nil, fmt.Errorf("there is no rule %q; rules are %s", name, strings.Join(slices.Sorted(maps.Keys(names)), ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(rules), func(rule Rule) bool {
		return len(only) > 0 && !slices.Contains(only, rule.Name) || slices.Contains(skip, rule.Name)
	}), nil
}
