package aws

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUndeclaredRecords(t *testing.T) {
	spec := Spec{Cluster: "dev.example.net", HostedZone: "example.net", Wildcard: "*.k.dev.example.net"}
	z := zone{Name: "example.net", Records: []record{
		{Name: "example.net", Type: "SOA"}, {Name: "www.example.net", Type: "A"},
		{Name: "xdev.example.net", Type: "A"}, {Name: "a.int.example.net", Type: "A"},
		{Name: "*.k.dev.example.net", Type: "A"}, {Name: "_platform.k.dev.example.net", Type: "TXT"},
		{Name: "old.k.dev.example.net", Type: "A"},
		{Name: "_platform.old.k.dev.example.net", Type: "TXT", Values: []string{mark{Cluster: "dev.example.net", Record: "old.k.dev.example.net", Type: "A"}.text()}},
		{Name: "dev.example.net", Type: "NS"}, {Name: "api.dev.example.net", Type: "A"},
		{Name: "_acme-challenge.x.k.dev.example.net", Type: "TXT"},
		{Name: "byhand.k.dev.example.net", Type: "CNAME"}, {Name: "legacy.dev.example.net", Type: "A"},
		{Name: "dev.example.net", Type: "TXT"},
	}}
	want := []string{"Record/byhand.k.dev.example.net CNAME", "Record/legacy.dev.example.net A", "Record/dev.example.net TXT"}
	if d := cmp.Diff(want, undeclared(spec, z)); d != "" {
		t.Error(d)
	}
}
