// Package declaration reads what a cluster's cluster.jsonnet evaluates to: what
// the cluster is, as kops and AWS are told. It checks the form; whether the
// content makes sense is for the layers, and in part for package check.
package declaration

import (
	"bytes"
	"encoding/json"
	"fmt"

	"platform/internal/aws"
	"platform/internal/kops"
	"platform/internal/render"
)

// Declaration is a cluster's own declaration.
type Declaration struct {
	// Name is the cluster's short name, that of its folder.
	Name string
	// Account is the AWS account that the cluster belongs in. Credentials of
	// another one are refused. Empty allows any.
	Account string
	// Protected clusters are deleted only by who names them once more.
	Protected bool
	Kops      kops.Spec
	AWS       aws.Spec
}

// Parse reads a rendered cluster's declaration. Unknown fields are errors.
func Parse(rendered *render.Cluster) (Declaration, error) {
	var raw struct {
		Name      string          `json:"name"`
		Account   string          `json:"account"`
		Protected bool            `json:"protected"`
		Kops      json.RawMessage `json:"kops"`
		AWS       json.RawMessage `json:"aws"`
	}
	decoder := json.NewDecoder(bytes.NewReader(rendered.Declaration))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&raw); err != nil {
		return Declaration{}, err
	}
	if raw.Name != rendered.Name {
		return Declaration{}, fmt.Errorf("name: %q, but the folder is %q", raw.Name, rendered.Name)
	}
	d := Declaration{Name: raw.Name, Account: raw.Account, Protected: raw.Protected}
	var err error
	if d.Kops, err = kops.ParseSpec(raw.Kops); err != nil {
		return Declaration{}, err
	}
	d.AWS, err = aws.ParseSpec(raw.AWS)
	return d, err
}
