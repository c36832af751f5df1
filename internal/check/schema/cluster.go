package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"platform/internal/check"
	"platform/internal/check/schema/openapi"
	"platform/internal/render"
	"platform/internal/versions"
)

// cluster is what objects of one cluster are compared with.
type cluster struct {
	rendered *render.Cluster
	version  versions.Version
	// served is what the cluster's version of Kubernetes serves; next is the
	// same of the version after it, nil if that isn't known.
	served, next *openapi.Document
	// runtimeConfig turns API versions on and off, as the API server's flag.
	runtimeConfig map[string]string
	compiler      *compiler
	definitions   definitions
}

// newCluster reads a cluster. If its version isn't known or there is nothing to
// compare with, there is a finding instead.
func newCluster(rendered *render.Cluster, compiler *compiler) (*cluster, []check.Finding, error) {
	const place = "kops.cluster.spec.kubernetesVersion"
	var declared struct {
		Kops struct {
			Cluster struct {
				Spec struct {
					KubernetesVersion string `json:"kubernetesVersion"`
					KubeAPIServer     struct {
						RuntimeConfig map[string]string `json:"runtimeConfig"`
					} `json:"kubeAPIServer"`
				} `json:"spec"`
			} `json:"cluster"`
		} `json:"kops"`
	}
	// What else may be wrong with the declaration is another rule's finding.
	if err := json.Unmarshal(rendered.Declaration, &declared); err != nil {
		declared.Kops.Cluster.Spec.KubernetesVersion = ""
	}
	spec := declared.Kops.Cluster.Spec
	version, ok := versions.ParseVersion(spec.KubernetesVersion)
	if !ok {
		return nil, []check.Finding{check.OnDeclaration(rendered, place).Saying(
			"the cluster's objects can't be checked: its declaration names no version of Kubernetes",
			"Set "+place+", such as "+newestMinor()+".0.")}, nil
	}
	c := &cluster{rendered: rendered, version: version, runtimeConfig: spec.KubeAPIServer.RuntimeConfig}
	var err error
	if c.served, err = openapi.Load(version.Release()); err != nil {
		return nil, nil, err
	}
	if c.served == nil {
		f := check.OnDeclaration(rendered, place).Saying(
			fmt.Sprintf("the cluster's objects can't be checked: nothing is known of what Kubernetes %s serves, only of %s",
				version.Release(), strings.Join(openapi.Minors(), ", ")),
			"Add the release to internal/check/schema/vendorschemas, and run it.")
		f.Level = check.Warning
		return nil, []check.Finding{f}, nil
	}
	if c.next, err = openapi.Load(c.nextMinor().Release()); err != nil {
		return nil, nil, err
	}
	c.compiler, c.definitions = compiler, compiler.collect(rendered)
	return c, nil, nil
}

func newestMinor() string {
	minors := openapi.Minors()
	return minors[len(minors)-1]
}

func (c *cluster) nextMinor() versions.Version {
	return versions.Version{Major: c.version.Major, Minor: c.version.Minor + 1}
}

// builtin finds a kind among those of Kubernetes itself.
func builtin(d *openapi.Document, group, version, kind string) *openapi.Kind {
	i := slices.IndexFunc(d.Kinds, func(k openapi.Kind) bool {
		return k.Group == group && k.Version == version && k.Kind == kind
	})
	if i < 0 {
		return nil
	}
	return &d.Kinds[i]
}

// versionsOf are the versions in which Kubernetes serves a kind, without those
// that are turned off, the most stable one first.
func (c *cluster) versionsOf(d *openapi.Document, group, kind string) []string {
	var out []string
	for _, k := range d.Kinds {
		if k.Group == group && k.Kind == kind && c.enabled(group, k.Version) {
			out = append(out, k.Version)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return -compareAPIVersions(a, b) })
	return out
}

// kindsOf are the kinds of a group, sorted.
func kindsOf(d *openapi.Document, group string) []string {
	kinds := map[string]bool{}
	for _, k := range d.Kinds {
		if k.Group == group {
			kinds[k.Kind] = true
		}
	}
	return slices.Sorted(maps.Keys(kinds))
}

// enabled says whether the API server serves a version of a group: by default
// all but alphas and betas.
func (c *cluster) enabled(group, version string) bool {
	stage := "ga"
	switch {
	case strings.Contains(version, "alpha"):
		stage = "alpha"
	case strings.Contains(version, "beta"):
		stage = "beta"
	}
	on := stage == "ga"
	name := version // the core group has no name
	if group != "" {
		name = group + "/" + version
	}
	// The more exact setting wins.
	for _, key := range []string{"api/all", "api/" + stage, name} {
		if value, ok := c.runtimeConfig[key]; ok {
			on = value != "false" && value != "0"
		}
	}
	return on
}
