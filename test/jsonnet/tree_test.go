package jsonnet

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platform/internal/render"
	"platform/test/apiserver"
)

func TestMain(m *testing.M) { apiserver.Main(m) }

// root is the repository, as seen from this package.
const root = "../.."

// clusters lists the clusters that the repository declares.
func clusters(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "clusters", "*", render.ClusterFile+".jsonnet"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		names = append(names, filepath.Base(filepath.Dir(path)))
	}
	if len(names) == 0 {
		t.Fatal("the repository declares no cluster")
	}
	return names
}

func renderCluster(t testing.TB, name string) *render.Cluster {
	t.Helper()
	cluster, err := render.Render(t.Context(), render.Options{Root: root}, name)
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

// objects are all objects of a cluster.
func objects(t testing.TB, name string) []render.Object {
	t.Helper()
	var out []render.Object
	for _, file := range renderCluster(t, name).Files {
		out = append(out, file.Objects...)
	}
	if len(out) == 0 {
		t.Fatalf("cluster %s has no objects", name)
	}
	return out
}

// snippet evaluates jsonnet as if it were a file of the repository.
func snippet(t testing.TB, source string) []render.Object {
	t.Helper()
	found, err := trySnippet(t, source)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// trySnippet is snippet for what may be wrong.
func trySnippet(t testing.TB, source string) ([]render.Object, error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "snippet.jsonnet")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return render.Objects(render.Options{Root: root, JPath: []string{dir}}, path)
}

// describe names an object as people do.
func describe(o render.Object) string {
	return strings.TrimSpace(o.GetKind() + " " + strings.TrimPrefix(o.GetNamespace()+"/"+o.GetName(), "/"))
}
