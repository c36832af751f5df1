package objects

import (
	"strings"
	"testing"

	"platform/internal/check"
	"platform/internal/check/checktest"
	"platform/internal/config"
	"platform/internal/render"
)

// What is provided from outside is of the namespace that it names, and no other.
func TestProvidedFromOutside(t *testing.T) {
	const pod = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: web, image: "web:1", envFrom: [{secretRef: {name: outside}}]}]}`
	c := checktest.Cluster(t, "dev", "{}", map[string]string{"shop": pod})
	for entry, want := range map[string]int{
		"Secret shop/outside": 0, "Secret shop/out*": 0, "Secret */outside": 0,
		"Secret outside": 1, "Secret other/outside": 1, "ConfigMap shop/outside": 1, "Secret shop/inside": 1,
	} {
		if got := checktest.Find(t, Rules(Options{Provided: []string{entry}}), "references", c); len(got) != want {
			t.Errorf("%s: got %q, want %d findings", entry, got, want)
		}
	}
}

// A malformed entry of the configuration is no finding about any object.
func TestMalformedConfiguration(t *testing.T) {
	r := &check.Repository{Config: &config.Config{}, Clusters: []*render.Cluster{checktest.Cluster(t, "dev", "{}", nil)}}
	for _, rule := range Rules(Options{Provided: []string{"Secret"}}) {
		if _, err := rule.Find(t.Context(), r); err == nil || !strings.Contains(err.Error(), "provided") {
			t.Errorf("%s: got %v", rule.Name, err)
		}
	}
}
