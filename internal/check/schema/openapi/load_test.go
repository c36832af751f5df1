package openapi

import (
	"slices"
	"testing"
)

// Every document is whole: kinds have definitions, references lead somewhere.
func TestDocuments(t *testing.T) {
	minors := Minors()
	if !slices.Contains(minors, "1.36") {
		t.Fatalf("minors: %v", minors)
	}
	for _, minor := range minors {
		d, err := Load(minor)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := Load(minor); again != d {
			t.Errorf("%s is read twice", minor)
		}
		if len(d.Kinds) < 80 || len(d.Definitions) < 500 || d.Source == "" {
			t.Errorf("%s: %d kinds, %d definitions, from %q", minor, len(d.Kinds), len(d.Definitions), d.Source)
		}
		for _, kind := range d.Kinds {
			if s := d.Definitions[kind.Definition]; s == nil || s.Properties["metadata"] == nil {
				t.Errorf("%s: %+v has no definition, or one without metadata", minor, kind)
			}
		}
		enums := 0
		for name, s := range d.Definitions {
			walk(s, func(s *Schema) {
				if s.Ref != "" && d.Definitions[s.Ref] == nil {
					t.Errorf("%s: %s refers to %s, which isn't there", minor, name, s.Ref)
				}
				if len(s.Enum) > 0 {
					enums++
				}
				if s.ListType == "map" && len(s.MapKeys) == 0 {
					t.Errorf("%s: %s has a list of the type map without keys", minor, name)
				}
			})
		}
		if enums < 90 {
			t.Errorf("%s: only %d enumerations", minor, enums)
		}
		for name, format := range map[string]string{
			"io.k8s.apimachinery.pkg.api.resource.Quantity":      FormatQuantity,
			"io.k8s.apimachinery.pkg.util.intstr.IntOrString":    FormatIntOrString,
			"io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime":     "date-time",
			"io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1":      "",
			"io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector": "",
		} {
			if s := d.Definitions[name]; s == nil || s.Format != format {
				t.Errorf("%s: %s: %+v, want the format %q", minor, name, s, format)
			}
		}
	}
}

func walk(s *Schema, visit func(*Schema)) {
	if s == nil {
		return
	}
	visit(s)
	for _, p := range s.Properties {
		walk(p, visit)
	}
	walk(s.Items, visit)
	walk(s.Additional, visit)
}

func TestUnknownMinor(t *testing.T) {
	for _, minor := range []string{"1.2", "", "../1.36", "NOTICE"} {
		if d, err := Load(minor); d != nil || err != nil {
			t.Errorf("%q: %v, %v", minor, d, err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for b.Loop() {
		if _, err := read("1.36"); err != nil {
			b.Fatal(err)
		}
	}
}
