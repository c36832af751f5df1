package render

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-jsonnet"
)

// importer finds imports next to the importing file and then in each folder
// of a path, and nowhere outside of those folders: what a tree renders to
// depends on the tree alone.
type importer struct {
	// roots are absolute, free of links; the first is the repository.
	roots []string
	cache map[string]jsonnet.Contents
}

func newImporter(root string, jpath []string) (*importer, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	im := &importer{cache: map[string]jsonnet.Contents{}}
	for _, dir := range append([]string{root}, jpath...) {
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(root, dir)
		}
		resolved, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return nil, fmt.Errorf("import path %s: %w", dir, err)
		}
		im.roots = append(im.roots, resolved)
	}
	return im, nil
}

// Import implements jsonnet.Importer.
func (im *importer) Import(importedFrom, importedPath string) (jsonnet.Contents, string, error) {
	var candidates []string
	if filepath.IsAbs(importedPath) {
		candidates = []string{importedPath}
	} else {
		candidates = append(candidates, filepath.Join(filepath.Dir(im.abs(importedFrom)), importedPath))
		for _, root := range im.roots {
			candidates = append(candidates, filepath.Join(root, importedPath))
		}
	}
	for _, candidate := range candidates {
		resolved, err := filepath.EvalSymlinks(candidate)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return jsonnet.Contents{}, "", err
		}
		if !im.inside(resolved) {
			return jsonnet.Contents{}, "", fmt.Errorf("%s is outside the repository; name further folders with --jpath", resolved)
		}
		// The name under which errors mention the file.
		name := im.relative(resolved)
		if contents, ok := im.cache[name]; ok {
			return contents, name, nil
		}
		data, err := os.ReadFile(resolved)
		if err != nil {
			return jsonnet.Contents{}, "", err
		}
		contents := jsonnet.MakeContentsRaw(data)
		im.cache[name] = contents
		return contents, name, nil
	}
	return jsonnet.Contents{}, "", fmt.Errorf("no file %s next to %s, in the repository or on the import path", importedPath, importedFrom)
}

func (im *importer) abs(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(im.roots[0], name)
}

func (im *importer) inside(path string) bool {
	for _, root := range im.roots {
		if path == root || strings.HasPrefix(path, root+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

func (im *importer) relative(path string) string {
	if rel, err := filepath.Rel(im.roots[0], path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}
