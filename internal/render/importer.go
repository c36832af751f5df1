package render

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/go-jsonnet"
)

// importer finds imports next to the importing file and then in each folder
// of a path, and nowhere outside of those folders: what a tree renders to
// depends on the tree alone. It looks at each path once, so that all that is
// rendered with it, in parallel, sees the same tree.
type importer struct {
	// roots are absolute, free of links; the first is the repository.
	roots []string

	mu    sync.Mutex
	found map[string]*lookup
	// contents are by the files' names: jsonnet wants equal pointers for equal
	// names, by whichever path they were found.
	contents map[string]*lookup
}

// lookup is what there is at a path: a file, nothing, or an error.
type lookup struct {
	// name is the file's place without links, under which errors mention it;
	// empty if there is nothing.
	name     string
	contents jsonnet.Contents
	// hash is of the contents.
	hash [sha256.Size]byte
	err  error
}

func newImporter(root string, jpath []string) (*importer, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	im := &importer{found: map[string]*lookup{}, contents: map[string]*lookup{}}
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
	for _, candidate := range im.candidates(importedFrom, importedPath) {
		at := im.look(candidate)
		if at.err != nil {
			return jsonnet.Contents{}, "", at.err
		}
		if at.name != "" {
			return at.contents, at.name, nil
		}
	}
	if importedFrom == "" {
		return jsonnet.Contents{}, "", fmt.Errorf("no file %s in the repository or on the import path", importedPath)
	}
	return jsonnet.Contents{}, "", fmt.Errorf("no file %s next to %s, in the repository or on the import path", importedPath, importedFrom)
}

// candidates are the paths at which an import is looked for, in order; those
// in the repository are relative to it. What comes from no file, as a variable
// given on the command line, imports from the repository.
func (im *importer) candidates(importedFrom, importedPath string) []string {
	if filepath.IsAbs(importedPath) {
		return []string{im.relative(filepath.Clean(importedPath))}
	}
	dirs := im.roots
	if importedFrom != "" {
		dirs = append([]string{filepath.Dir(im.abs(importedFrom))}, dirs...)
	}
	out := make([]string, len(dirs))
	for i, dir := range dirs {
		out[i] = im.relative(filepath.Join(dir, importedPath))
	}
	return out
}

func (im *importer) look(path string) *lookup {
	im.mu.Lock()
	defer im.mu.Unlock()
	if at, ok := im.found[path]; ok {
		return at
	}
	at := im.read(path)
	im.found[path] = at
	return at
}

func (im *importer) read(path string) *lookup {
	resolved, err := filepath.EvalSymlinks(im.abs(path))
	if os.IsNotExist(err) {
		return &lookup{}
	}
	if err != nil {
		return &lookup{err: err}
	}
	if !im.inside(resolved) {
		return &lookup{err: fmt.Errorf("%s is outside the repository; name further folders with --jpath", resolved)}
	}
	name := im.relative(resolved)
	if at, ok := im.contents[name]; ok {
		return at
	}
	data, err := os.ReadFile(resolved)
	if err != nil {
		return &lookup{err: err}
	}
	at := &lookup{name: name, contents: jsonnet.MakeContentsRaw(data), hash: sha256.Sum256(data)}
	im.contents[name] = at
	return at
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
	rel, err := filepath.Rel(im.roots[0], path)
	if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return rel
	}
	return path
}
