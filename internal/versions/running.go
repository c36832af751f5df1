package versions

import (
	"slices"
	"strings"
)

// Running tells which version of each component runs in a cluster, by the images
// of its pods. A component is known by the images that git declares for it: those
// whose tag is its version, or has it as its beginning. Components that no image
// belongs to, such as kops, are missing; several versions at once, as in the
// middle of an update, are joined by commas.
func Running(m *Matrix, cluster string, declared, live []string) map[string]string {
	// The repository of an image, and how its tag goes on behind the version.
	type shape struct{ repository, suffix string }
	components := map[shape][]string{}
	for _, c := range m.Components {
		cell, ok := c.Cell(cluster)
		if !ok || cell.Version == "" {
			continue
		}
		for _, image := range declared {
			repository, tag := splitImage(image)
			suffix, fits := strings.CutPrefix(tag, cell.Version)
			if !fits || suffix != "" && !strings.HasPrefix(suffix, "-") {
				continue
			}
			s := shape{repository, suffix}
			if !slices.Contains(components[s], c.Name) {
				components[s] = append(components[s], c.Name)
			}
		}
	}
	found := map[string][]string{}
	for s, names := range components {
		names = named(names, s.repository)
		for _, image := range live {
			repository, tag := splitImage(image)
			version, fits := strings.CutSuffix(tag, s.suffix)
			if repository != s.repository || !fits {
				continue
			}
			for _, name := range names {
				if !slices.Contains(found[name], version) {
					found[name] = append(found[name], version)
				}
			}
		}
	}
	out := map[string]string{}
	for name, versions := range found {
		slices.Sort(versions)
		out[name] = strings.Join(versions, ", ")
	}
	return out
}

// named leaves those of several components of equal versions that an image is
// named after; all of them if it is named after none.
func named(components []string, repository string) []string {
	base := repository[strings.LastIndexByte(repository, '/')+1:]
	out := slices.DeleteFunc(slices.Clone(components), func(name string) bool { return !strings.Contains(base, name) })
	if len(out) == 0 {
		return components
	}
	return out
}

// splitImage takes an image apart. A digest says nothing about the version.
func splitImage(image string) (repository, tag string) {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		return image[:i], image[i+1:]
	}
	return image, ""
}
