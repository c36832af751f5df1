package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"platform/internal/check/schema/openapi"
)

func TestFunction(t *testing.T) {
	for definition, want := range map[string]string{
		"io.k8s.api.core.v1.Container":                                            "schema_k8sio_api_core_v1_Container",
		"io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta":                         "schema_pkg_apis_meta_v1_ObjectMeta",
		"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule": "schema_pkg_apis_apiextensions_v1_ValidationRule",
		"io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec":       "schema_pkg_apis_apiregistration_v1_APIServiceSpec",
		"com.example.Other": "",
	} {
		if got := function(definition); got != want {
			t.Errorf("%s: got %q, want %q", definition, got, want)
		}
	}
}

// Enumerations are found in Go code of the form that Kubernetes' generator
// writes, at the field itself, at the items of a list and at the values of a map.
func TestEnums(t *testing.T) {
	path := filepath.Join(t.TempDir(), "generated.go")
	code := `package openapi

func schema_k8sio_api_core_v1_Box(ref common.ReferenceCallback) common.OpenAPIDefinition {
	return common.OpenAPIDefinition{Schema: spec.Schema{SchemaProps: spec.SchemaProps{
		Type: []string{"object"},
		Properties: map[string]spec.Schema{
			"colour": {SchemaProps: spec.SchemaProps{Type: []string{"string"}, Enum: []interface{}{"red", "blue"}}},
			"sides": {SchemaProps: spec.SchemaProps{Type: []string{"array"}, Items: &spec.SchemaOrArray{
				Schema: &spec.Schema{SchemaProps: spec.SchemaProps{Enum: []interface{}{"left"}}},
			}}},
			"size": {SchemaProps: spec.SchemaProps{Type: []string{"integer"}}},
		},
	}}}
}
`
	if err := os.WriteFile(path, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := readEnums(path)
	if err != nil {
		t.Fatal(err)
	}
	var source sourceSchema
	if err := json.Unmarshal([]byte(`{"type": "object", "properties": {
		"colour": {"type": "string", "default": ""},
		"sides": {"type": "array", "items": {"type": "string"}},
		"size": {"type": "integer"}
	}}`), &source); err != nil {
		t.Fatal(err)
	}
	s, err := source.convert()
	if err != nil {
		t.Fatal(err)
	}
	if err := found.add("io.k8s.api.core.v1.Box", s); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Properties["colour"].Enum, []string{"blue", "red"}) || !slices.Equal(s.Properties["sides"].Items.Enum, []string{"left"}) || s.Properties["size"].Enum != nil {
		t.Errorf("%+v %+v %+v", s.Properties["colour"], s.Properties["sides"].Items, s.Properties["size"])
	}
	// A field that the documents don't have is a change of the generator's.
	delete(s.Properties, "colour")
	if err := found.add("io.k8s.api.core.v1.Box", s); err == nil {
		t.Error("an enumeration got lost and nobody says so")
	}
}

func TestConvert(t *testing.T) {
	for text, want := range map[string]openapi.Schema{
		`{"allOf": [{"$ref": "#/components/schemas/a.B"}], "default": {}, "description": "x"}`: {Ref: "a.B", Always: true},
		`{"oneOf": [{"type": "string"}, {"type": "number"}]}`:                                  {Format: openapi.FormatQuantity},
		`{"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}`:      {Format: openapi.FormatIntOrString},
		`{"type": "string", "default": "TCP"}`:                                                 {Type: "string", Default: "TCP"},
		`{"type": "array", "x-kubernetes-list-type": "atomic"}`:                                {Type: "array"},
	} {
		var source sourceSchema
		if err := json.Unmarshal([]byte(text), &source); err != nil {
			t.Fatal(err)
		}
		got, err := source.convert()
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if string(a) != string(b) {
			t.Errorf("%s: got %s, want %s", text, a, b)
		}
	}
	for _, text := range []string{`{"allOf": [{}, {}]}`, `{"oneOf": [{"type": "boolean"}, {"type": "string"}]}`} {
		var source sourceSchema
		if err := json.Unmarshal([]byte(text), &source); err != nil {
			t.Fatal(err)
		}
		if _, err := source.convert(); err == nil {
			t.Errorf("%s: taken, but not understood", text)
		}
	}
}
