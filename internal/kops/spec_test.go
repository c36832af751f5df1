package kops

import (
	"strings"
	"testing"
)

const goodSpec = `{
  "stateStore": "s3://state",
  "cluster": {"kind": "Cluster", "metadata": {"name": "dev.example.net"}},
  "instanceGroups": {"nodes": {"kind": "InstanceGroup", "metadata": {"name": "nodes", "labels": {"kops.k8s.io/cluster": "dev.example.net"}}}}
}`

func TestParseSpec(t *testing.T) {
	s, err := ParseSpec([]byte(goodSpec))
	if err != nil {
		t.Fatal(err)
	}
	if s.Name() != "dev.example.net" || len(s.Documents()) != 2 {
		t.Errorf("name %q and %d documents, want dev.example.net and 2", s.Name(), len(s.Documents()))
	}
	text, err := s.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "kind: Cluster\n") || strings.Count(string(text), "---\n") != 1 {
		t.Errorf("no stream of two documents:\n%s", text)
	}
	for _, test := range []struct{ name, old, new, want string }{
		{"no store", `"s3://state"`, `""`, "kops.stateStore: required"},
		{"unknown field", `"stateStore"`, `"statestorr"`, "unknown field"},
		{"wrong kind", `"kind": "Cluster"`, `"kind": "Custer"`, "want a named object of kind Cluster"},
		{"wrong group kind", `"kind": "InstanceGroup"`, `"kind": "Group"`, `kops.instanceGroups["nodes"]: want kind InstanceGroup`},
		{"other name", `"name": "nodes"`, `"name": "workers"`, "key and name must agree"},
		{"other cluster", `"kops.k8s.io/cluster": "dev`, `"kops.k8s.io/cluster": "int`, `label kops.k8s.io/cluster is "int.example.net", want "dev.example.net"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseSpec([]byte(strings.Replace(goodSpec, test.old, test.new, 1)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func FuzzParseSpec(f *testing.F) {
	f.Add([]byte(goodSpec))
	f.Add([]byte(`{"cluster": null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSpec(data)
		if err != nil {
			return
		}
		if s.Name() == "" {
			t.Error("a spec without a name was accepted")
		}
		if _, err := s.YAML(); err != nil {
			t.Errorf("an accepted spec can't be written: %v", err)
		}
	})
}
