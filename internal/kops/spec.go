package kops

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sigs.k8s.io/yaml"
)

// Spec is the kops part of a cluster's declaration: ordinary kops manifests
// and the state store that they belong to.
type Spec struct {
	// StateStore is kops' state store, such as s3://example-net-kops-state.
	StateStore string `json:"stateStore"`
	// Cluster is the Cluster manifest.
	Cluster json.RawMessage `json:"cluster"`
	// InstanceGroups are the InstanceGroup manifests by name.
	InstanceGroups map[string]json.RawMessage `json:"instanceGroups"`
}

type object struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name   string            `json:"name"`
		Labels map[string]string `json:"labels"`
	} `json:"metadata"`
}

// clusterLabel is the label by which kops assigns an InstanceGroup to its
// cluster.
const clusterLabel = "kops.k8s.io/cluster"

// ParseSpec decodes and checks a declaration. It checks only what has to be
// right for the manifests to reach kops; everything else is kops' to judge.
func ParseSpec(data []byte) (Spec, error) {
	var s Spec
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return Spec{}, fmt.Errorf("kops: %w", err)
	}
	if s.StateStore == "" {
		return Spec{}, errors.New("kops.stateStore: required, such as s3://example-net-kops-state")
	}
	var cluster object
	if err := json.Unmarshal(s.Cluster, &cluster); err != nil {
		return Spec{}, fmt.Errorf("kops.cluster: %w", err)
	}
	if cluster.Kind != "Cluster" || cluster.Metadata.Name == "" {
		return Spec{}, fmt.Errorf("kops.cluster: want a named object of kind Cluster, got kind %q, name %q", cluster.Kind, cluster.Metadata.Name)
	}
	if len(s.InstanceGroups) == 0 {
		return Spec{}, errors.New("kops.instanceGroups: at least one is required")
	}
	for _, key := range s.groupNames() {
		var group object
		if err := json.Unmarshal(s.InstanceGroups[key], &group); err != nil {
			return Spec{}, fmt.Errorf("kops.instanceGroups[%q]: %w", key, err)
		}
		switch {
		case group.Kind != "InstanceGroup":
			return Spec{}, fmt.Errorf("kops.instanceGroups[%q]: want kind InstanceGroup, got %q", key, group.Kind)
		case group.Metadata.Name != key:
			return Spec{}, fmt.Errorf("kops.instanceGroups[%q]: its metadata.name is %q; key and name must agree", key, group.Metadata.Name)
		case group.Metadata.Labels[clusterLabel] != cluster.Metadata.Name:
			return Spec{}, fmt.Errorf("kops.instanceGroups[%q]: label %s is %q, want %q", key, clusterLabel, group.Metadata.Labels[clusterLabel], cluster.Metadata.Name)
		}
	}
	return s, nil
}

// Name is the cluster's full name, such as dev.example.net.
func (s Spec) Name() string {
	var cluster object
	_ = json.Unmarshal(s.Cluster, &cluster) // ParseSpec has seen it
	return cluster.Metadata.Name
}

func (s Spec) groupNames() []string { return slices.Sorted(maps.Keys(s.InstanceGroups)) }

// Documents gives the manifests one by one, the Cluster first and then the
// instance groups by name.
func (s Spec) Documents() []json.RawMessage {
	docs := []json.RawMessage{s.Cluster}
	for _, name := range s.groupNames() {
		docs = append(docs, s.InstanceGroups[name])
	}
	return docs
}

// YAML gives the manifests in one stream, as `kops replace -f` takes them.
func (s Spec) YAML() ([]byte, error) {
	var out bytes.Buffer
	for i, doc := range s.Documents() {
		if i > 0 {
			out.WriteString("---\n")
		}
		text, err := yaml.JSONToYAML(doc)
		if err != nil {
			return nil, err
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}
