// Command vendorcrds copies the custom resource definitions of stacks into the
// repository, as JSON that jsonnet can import: one folder for each version that
// clusters/versions.json names. They come from Go modules, whose checksums the go
// command verifies, so that what is committed is what was released. Run it from
// the repository's root after changing a version:
//
//	go run ./addons/vendorcrds
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

const matrix = "clusters/versions.json"

// source is where a stack's definitions come from.
type source struct {
	stack     string // folder in addons/
	component string // key in the matrix
	module    string
	folder    string // in the module
	groups    []string
	project   string
	url       string // of the folder, with the version to be filled in
}

var sources = []source{
	{
		stack:     "cert-manager",
		component: "cert-manager",
		module:    "github.com/cert-manager/cert-manager",
		folder:    "deploy/crds",
		groups:    []string{"acme.cert-manager.io", "cert-manager.io"},
		project:   "cert-manager, copyright The cert-manager Authors",
		url:       "https://github.com/cert-manager/cert-manager/tree/%s/deploy/crds",
	},
	{
		stack:     "storage",
		component: "snapshot-controller",
		module:    "github.com/kubernetes-csi/external-snapshotter/client/v8",
		folder:    "config/crd",
		groups:    []string{"snapshot.storage.k8s.io"},
		project:   "external-snapshotter, copyright The Kubernetes Authors",
		url:       "https://github.com/kubernetes-csi/external-snapshotter/tree/client/%s/client/config/crd",
	},
}

func main() {
	for _, s := range sources {
		if err := s.vendor(); err != nil {
			fmt.Fprintf(os.Stderr, "vendorcrds: %s: %v\n", s.stack, err)
			os.Exit(1)
		}
	}
}

func (s source) vendor() error {
	versions, err := s.wanted()
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	index := map[string][]string{}
	sums := map[string]string{}
	for _, version := range versions {
		dir, sum, err := s.download(version)
		if err != nil {
			return err
		}
		crds, err := s.read(dir)
		if err != nil {
			return fmt.Errorf("%s@%s: %w", s.module, version, err)
		}
		for name, data := range crds {
			files[filepath.Join(version, name+".json")] = data
		}
		index[version] = slices.Sorted(maps.Keys(crds))
		sums[version] = sum
	}
	files["crds.libsonnet"] = library(index)
	files["NOTICE"] = s.notice(sums)
	return replace(filepath.Join("addons", s.stack, "crds"), files)
}

// wanted gives the versions that any cluster has.
func (s source) wanted() ([]string, error) {
	data, err := os.ReadFile(matrix)
	if err != nil {
		return nil, fmt.Errorf("%w (run this from the repository's root)", err)
	}
	var versions map[string]map[string]string
	if err := json.Unmarshal(data, &versions); err != nil {
		return nil, fmt.Errorf("%s: %w", matrix, err)
	}
	set := map[string]bool{}
	for _, version := range versions[s.component] {
		version, _, _ = strings.Cut(version, "@") // an image's digest
		set[version] = true
	}
	if len(set) == 0 {
		return nil, fmt.Errorf("%s names no version of %s", matrix, s.component)
	}
	return slices.Sorted(maps.Keys(set)), nil
}

// download has the go command fetch and verify a version of the module.
func (s source) download(version string) (dir, sum string, err error) {
	cmd := exec.Command("go", "mod", "download", "-json", s.module+"@"+version)
	// Outside of any module: this one's go.mod has no say in the version.
	cmd.Dir = os.TempDir()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, runErr := cmd.Output()
	var answer struct{ Dir, Sum, Error string }
	if err := json.Unmarshal(out, &answer); err != nil {
		return "", "", fmt.Errorf("go mod download %s@%s: %w\n%s", s.module, version, errors.Join(runErr, err), stderr.Bytes())
	}
	if answer.Error != "" {
		return "", "", fmt.Errorf("go mod download %s@%s: %s", s.module, version, answer.Error)
	}
	return answer.Dir, answer.Sum, nil
}

// read converts the module's definitions to JSON, by their plural names.
func (s source) read(dir string) (map[string][]byte, error) {
	paths, err := filepath.Glob(filepath.Join(dir, s.folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	crds := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var crd map[string]any
		if err := yaml.UnmarshalStrict(data, &crd); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		var named struct {
			Kind string
			Spec struct {
				Group string
				Names struct{ Plural string }
			}
		}
		if err := yaml.Unmarshal(data, &named); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if named.Kind != "CustomResourceDefinition" || !slices.Contains(s.groups, named.Spec.Group) {
			continue
		}
		delete(crd, "status") // the API server's
		var out bytes.Buffer
		encoder := json.NewEncoder(&out) // sorts the keys
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		if err := encoder.Encode(crd); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		crds[named.Spec.Names.Plural] = out.Bytes()
	}
	if len(crds) == 0 {
		return nil, fmt.Errorf("no definitions of %s in %s", strings.Join(s.groups, ", "), s.folder)
	}
	return crds, nil
}

// library lists the definitions for jsonnet, which only imports literal paths.
// Imports are lazy: a cluster reads those of its own version. Parsing JSON is
// quicker than evaluating it as jsonnet.
func library(index map[string][]string) []byte {
	var b bytes.Buffer
	b.WriteString("// Written by addons/vendorcrds. The custom resource definitions by version.\n{\n")
	for _, version := range slices.Sorted(maps.Keys(index)) {
		fmt.Fprintf(&b, "  '%s': {\n", version)
		for _, name := range index[version] {
			fmt.Fprintf(&b, "    %s: std.parseJson(importstr '%s/%s.json'),\n", name, version, name)
		}
		b.WriteString("  },\n")
	}
	b.WriteString("}\n")
	return b.Bytes()
}

func (s source) notice(sums map[string]string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "The definitions in this folder are part of %s,\n", s.project)
	b.WriteString("licensed under the Apache License, Version 2.0, converted from YAML to JSON and otherwise unchanged.\n\n")
	for _, version := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(&b, "%s: "+s.url+" (module %s)\n", version, version, sums[version])
	}
	return []byte(b.String())
}

// replace makes the folder hold the files and nothing else.
func replace(dir string, files map[string][]byte) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
