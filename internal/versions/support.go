package versions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// SupportGlob matches the files, beside the stacks, that say which Kubernetes
// releases a stack's components support:
// {component: {source, releases: {release: [from, to]}}}.
const SupportGlob = "addons/*/support.json"

// ReadSupport reads all support files of a repository.
func ReadSupport(root string) ([]Support, error) {
	files, err := filepath.Glob(filepath.Join(root, SupportGlob))
	if err != nil {
		return nil, err
	}
	var out []Support
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		support, err := ParseSupport(data)
		if err != nil {
			rel, relErr := filepath.Rel(root, file)
			if relErr != nil {
				rel = file
			}
			return nil, fmt.Errorf("%s: %w", rel, err)
		}
		out = append(out, support...)
	}
	return out, nil
}

// ParseSupport reads one support file.
func ParseSupport(data []byte) ([]Support, error) {
	var components map[string]struct {
		Source   string               `json:"source"`
		Releases map[string][2]string `json:"releases"`
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&components); err != nil {
		return nil, err
	}
	var out []Support
	for _, name := range slices.Sorted(maps.Keys(components)) {
		c := components[name]
		for _, release := range slices.Sorted(maps.Keys(c.Releases)) {
			s := Support{Component: name, Release: release, From: c.Releases[release][0], To: c.Releases[release][1], Source: c.Source}
			from, ok := ParseVersion(s.From)
			to, okTo := ParseVersion(s.To)
			if _, okRelease := ParseVersion(release); !ok || !okTo || !okRelease || from.Compare(to) > 0 {
				return nil, fmt.Errorf("%s %s: want a release such as 1.21 and a range of Kubernetes releases such as [\"1.33\", \"1.36\"]", name, release)
			}
			out = append(out, s)
		}
	}
	return out, nil
}
