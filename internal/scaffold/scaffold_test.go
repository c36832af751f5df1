package scaffold

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"platform"
	"platform/internal/config"
	"platform/internal/render"
)

func TestParseClusters(t *testing.T) {
	for _, test := range []struct {
		names []string
		want  []Cluster
		err   string
	}{
		{names: []string{"dev", "int", "web"}, want: []Cluster{{"dev", "dev"}, {"int", "int"}, {"web", "web"}}},
		{names: []string{"lab", "staging", "live"}, want: []Cluster{{"lab", "dev"}, {"staging", "int"}, {"live", "web"}}},
		{names: []string{"one"}, want: []Cluster{{"one", "dev"}}},
		{names: []string{"lab", "live=int"}, want: []Cluster{{"lab", "dev"}, {"live", "int"}}},
		{names: nil, err: "at least one"},
		{names: []string{"lab", "lab"}, err: "twice"},
		{names: []string{"Lab"}, err: "lower-case"},
		{names: []string{"lab=prod"}, err: `made like "prod"`},
	} {
		got, err := ParseClusters(test.names)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q: %v, want %q", test.names, err, test.err)
			}
		} else if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q: %v, %v, want %v", test.names, got, err, test.want)
		}
	}
}

// TestWrite renders what was written and looks for names that it should have
// left behind.
func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	clusters, err := ParseClusters([]string{"lab", "live"})
	if err != nil {
		t.Fatal(err)
	}
	o := Organisation{Domain: "acme.example.org", Account: "210987654321", Region: "us-west-2", Clusters: clusters}
	if err := Write(platform.Content, dir, o); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.ClusterNames(); !slices.Equal(got, []string{"lab", "live"}) {
		t.Errorf("clusters %v", got)
	}
	for _, name := range c.ClusterNames() {
		rendered, err := render.Render(t.Context(), render.Options{Root: dir}, name)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := render.Tree(rendered)
		if err != nil {
			t.Fatal(err)
		}
		for path, data := range tree {
			for _, old := range []string{ownDomain, ownName, ownAccount, ownRegion} {
				if i := strings.Index(string(data), old); i >= 0 {
					t.Errorf("%s still has %q: …%.80s…", path, old, data[max(0, i-30):])
				}
			}
		}
		if !strings.Contains(string(rendered.Declaration), `"`+name+`.acme.example.org"`) {
			t.Errorf("%s isn't called %s.acme.example.org", name, name)
		}
	}
	if err := Write(platform.Content, dir, o); err == nil || !strings.Contains(err.Error(), "isn't empty") {
		t.Errorf("writing over it: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "clusters", "dev")); !os.IsNotExist(err) {
		t.Error("a cluster of this repository was left")
	}
	for _, bad := range []Organisation{
		{Domain: "acme", Account: o.Account, Region: o.Region, Clusters: clusters},
		{Domain: o.Domain, Account: "1", Region: o.Region, Clusters: clusters},
		{Domain: o.Domain, Account: o.Account, Region: "moon", Clusters: clusters},
	} {
		if err := Write(platform.Content, filepath.Join(t.TempDir(), "x"), bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}
