package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"platform/internal/check/schema/openapi"
)

// source is the part of an OpenAPI v3 document that is of use.
type source struct {
	Paths      map[string]sourcePath `json:"paths"`
	Components struct {
		Schemas map[string]json.RawMessage `json:"schemas"`
	} `json:"components"`
}

type sourcePath struct {
	Post *struct {
		RequestBody struct {
			Content map[string]struct {
				Schema sourceSchema `json:"schema"`
			} `json:"content"`
		} `json:"requestBody"`
		Kind *openapi.Kind `json:"x-kubernetes-group-version-kind"`
	} `json:"post"`
}

// sourceSchema is decoded strictly: a keyword that isn't here would be a part of
// the API that the rule doesn't know of.
type sourceSchema struct {
	Ref                  string                   `json:"$ref"`
	Type                 string                   `json:"type"`
	Format               string                   `json:"format"`
	Description          string                   `json:"description"`
	Properties           map[string]*sourceSchema `json:"properties"`
	Required             []string                 `json:"required"`
	AdditionalProperties *sourceSchema            `json:"additionalProperties"`
	Items                *sourceSchema            `json:"items"`
	Default              any                      `json:"default"`
	AllOf                []*sourceSchema          `json:"allOf"`
	OneOf                []*sourceSchema          `json:"oneOf"`
	ListType             string                   `json:"x-kubernetes-list-type"`
	ListMapKeys          []string                 `json:"x-kubernetes-list-map-keys"`

	// Of no use offline.
	MapType       json.RawMessage `json:"x-kubernetes-map-type"`
	PatchKey      json.RawMessage `json:"x-kubernetes-patch-merge-key"`
	PatchStrategy json.RawMessage `json:"x-kubernetes-patch-strategy"`
	Kinds         json.RawMessage `json:"x-kubernetes-group-version-kind"`
	Unions        json.RawMessage `json:"x-kubernetes-unions"`
}

// created matches the path by which objects of a kind are created.
var created = regexp.MustCompile(`^/(?:api/v1|apis/[^/]+/[^/]+)/(?:namespaces/\{namespace\}/)?[^/{}]+$`)

// read makes the document of what a Kubernetes source tree serves.
func read(dir string) (*openapi.Document, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "api/openapi-spec/v3/*_openapi.json"))
	if err != nil {
		return nil, err
	}
	enums, err := readEnums(filepath.Join(dir, "pkg/generated/openapi/zz_generated.openapi.go"))
	if err != nil {
		return nil, err
	}
	out := &openapi.Document{Definitions: map[string]*openapi.Schema{}}
	all := map[string]*openapi.Schema{}
	for _, path := range paths {
		if err := readFile(path, out, all); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
	}
	if len(out.Kinds) == 0 {
		return nil, fmt.Errorf("no kinds in %d documents", len(paths))
	}
	for name, s := range all {
		if err := enums.add(name, s); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out.Kinds, func(a, b openapi.Kind) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Kind, b.Kind))
	})
	for _, kind := range out.Kinds {
		if err := keep(kind.Definition, all, out.Definitions); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readFile(path string, out *openapi.Document, all map[string]*openapi.Schema) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var d source
	if err := json.Unmarshal(data, &d); err != nil {
		return err
	}
	for path, p := range d.Paths {
		if p.Post == nil || p.Post.Kind == nil || !created.MatchString(path) {
			continue
		}
		kind := *p.Post.Kind
		for _, body := range p.Post.RequestBody.Content {
			kind.Definition = definition(body.Schema.Ref)
		}
		if kind.Definition == "" {
			return fmt.Errorf("%s: no schema", path)
		}
		out.Kinds = append(out.Kinds, kind)
	}
	for name, text := range d.Components.Schemas {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		s := new(sourceSchema)
		if err := decoder.Decode(s); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if all[name], err = s.convert(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// keep takes over a definition and those that it refers to.
func keep(name string, from, to map[string]*openapi.Schema) error {
	if to[name] != nil {
		return nil
	}
	s := from[name]
	if s == nil {
		return fmt.Errorf("there is no definition %s", name)
	}
	to[name] = s
	return keepSchema(s, from, to)
}

func keepSchema(s *openapi.Schema, from, to map[string]*openapi.Schema) error {
	if s == nil {
		return nil
	}
	if s.Ref != "" {
		if err := keep(s.Ref, from, to); err != nil {
			return err
		}
	}
	for _, p := range s.Properties {
		if err := keepSchema(p, from, to); err != nil {
			return err
		}
	}
	if err := keepSchema(s.Items, from, to); err != nil {
		return err
	}
	return keepSchema(s.Additional, from, to)
}

func (s *sourceSchema) convert() (*openapi.Schema, error) {
	if s == nil {
		return nil, nil
	}
	out := &openapi.Schema{
		Ref: definition(s.Ref), Type: s.Type, Format: s.Format, Required: s.Required,
		Default: meaningful(s.Default), MapKeys: s.ListMapKeys,
	}
	if object, ok := s.Default.(map[string]any); ok && len(object) == 0 {
		out.Always = true
	}
	if s.ListType != "atomic" {
		out.ListType = s.ListType
	}
	var err error
	if out.Additional, err = s.AdditionalProperties.convert(); err != nil {
		return nil, err
	}
	if out.Items, err = s.Items.convert(); err != nil {
		return nil, err
	}
	for name, p := range s.Properties {
		if out.Properties == nil {
			out.Properties = map[string]*openapi.Schema{}
		}
		if out.Properties[name], err = p.convert(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	switch {
	case len(s.AllOf) == 1 && s.AllOf[0].Ref != "":
		// How a reference gets a default and a description beside it.
		out.Ref = definition(s.AllOf[0].Ref)
	case len(s.AllOf) > 0:
		return nil, fmt.Errorf("allOf of %d schemas", len(s.AllOf))
	}
	if len(s.OneOf) > 0 {
		if out.Format, err = s.alternatives(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// alternatives gives a format to what may be of two types.
func (s *sourceSchema) alternatives() (string, error) {
	var types []string
	for _, alternative := range s.OneOf {
		types = append(types, alternative.Type)
	}
	slices.Sort(types)
	switch {
	case s.Format == "" && slices.Equal(types, []string{"number", "string"}):
		return openapi.FormatQuantity, nil
	case s.Format == openapi.FormatIntOrString && slices.Equal(types, []string{"integer", "string"}):
		return openapi.FormatIntOrString, nil
	}
	return "", fmt.Errorf("oneOf %v with format %q", types, s.Format)
}

// meaningful drops the defaults that are a type's zero value.
func meaningful(value any) any {
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return value
}

func definition(ref string) string {
	return strings.TrimPrefix(ref, "#/components/schemas/")
}
