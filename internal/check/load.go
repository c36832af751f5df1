package check

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"platform/internal/config"
	"platform/internal/render"
)

// folders are where a repository's jsonnet is. Import paths come on top.
var folders = []string{"addons", "clusters", "lib"}

// Load reads a repository: its sources and those clusters that are named. What
// can't be rendered is no error; it is in Failures.
func Load(ctx context.Context, c *config.Config, o render.Options, sources, clusters []string) (*Repository, error) {
	r := &Repository{Config: c, Render: o, Sources: sources}
	return r, r.render(ctx, o, clusters)
}

// Sources lists the jsonnet files of the repository.
func Sources(c *config.Config) ([]string, error) {
	var out []string
	roots := slices.Clone(folders)
	for _, dir := range c.JPath {
		if filepath.IsLocal(dir) {
			roots = append(roots, filepath.Clean(dir))
		}
	}
	for _, dir := range roots {
		err := fs.WalkDir(os.DirFS(c.Root), dir, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil && errors.Is(err, fs.ErrNotExist) && path == dir:
				return nil
			case err != nil:
				return err
			case entry.IsDir() && path != dir && strings.HasPrefix(entry.Name(), "."):
				return fs.SkipDir
			case entry.Type().IsRegular() && isJsonnet(path):
				out = append(out, filepath.FromSlash(path))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func isJsonnet(path string) bool {
	return strings.HasSuffix(path, ".jsonnet") || strings.HasSuffix(path, ".libsonnet")
}

// render renders clusters; one that fails doesn't spoil the others.
func (r *Repository) render(ctx context.Context, o render.Options, names []string) error {
	names = slices.Clone(names)
	for {
		clusters, err := render.RenderAll(ctx, o, names)
		missing := new(render.NoClusterError)
		if errors.As(err, &missing) {
			r.Failures = append(r.Failures, Failure{Cluster: missing.Cluster, Err: err})
			names = slices.DeleteFunc(names, func(name string) bool { return name == missing.Cluster })
			continue
		}
		failed := map[string]bool{}
		for _, err := range unjoin(err) {
			broken := new(render.Error)
			if !errors.As(err, &broken) {
				return err
			}
			cluster := strings.Split(filepath.ToSlash(broken.Source), "/")[1]
			failed[cluster] = true
			r.Failures = append(r.Failures, Failure{Cluster: cluster, Err: err})
		}
		r.Clusters = slices.DeleteFunc(clusters, func(c *render.Cluster) bool { return failed[c.Name] })
		return nil
	}
}

func unjoin(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}
