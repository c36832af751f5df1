package render

import (
	"slices"
	"strings"
)

// Dependencies are the files that a file's rendering reads: itself and all
// that it imports by whatever kind of import, directly or not, and so for the
// code of the variables. Names are as in Error: relative to the repository,
// absolute for what comes from elsewhere on the import path, and without
// links. Nothing is evaluated; what a program mentions counts, even if it never
// comes to it.
//
// Of a file that jsonnet can't read they are those found so far, with the
// error; an import that can't be found or read isn't one.
func Dependencies(o Options, source string) ([]string, error) {
	im, paths, err := lookupsOf(o, source)
	if im == nil {
		return nil, err
	}
	var out []string
	for _, path := range paths {
		if at := im.look(path); at.name != "" {
			out = append(out, at.name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), err
}

// Lookups are the paths on which a file's rendering depends: those of its
// Dependencies, links included, and those at which a file would come before one
// of them or be what is missing. As long as there is the same at each of them,
// the file renders to the same.
func Lookups(o Options, source string) ([]string, error) {
	_, paths, err := lookupsOf(o, source)
	return paths, err
}

func lookupsOf(o Options, source string) (*importer, []string, error) {
	im, err := newImporter(o.Root, o.JPath)
	if err != nil {
		return nil, nil, err
	}
	store := newCache(o.CacheDir, o.Version)
	if lookups, ok := store.lookups(o, im, source); ok {
		return im, lookups, nil
	}
	e := newEvaluator(o, im, store)
	node, name, err := e.vm.ImportAST("", source)
	if err != nil {
		err = &Error{Source: source, Message: firstPlace(source, err)}
	} else {
		e.rewrite(name, node)
	}
	return im, e.lookups(source), err
}

// lookups are those of a file that renders to what is in the cache. If the
// result isn't, the paths are those of another state of the tree.
func (c *cache) lookups(o Options, im *importer, source string) ([]string, bool) {
	_, result, ok := c.get(o, im, source)
	if !ok {
		return nil, false
	}
	key := c.key(o, im, source)
	data, ok := c.read(key + lookupsSuffix)
	if !ok {
		return nil, false
	}
	lookups := strings.Split(string(data), "\n")
	// Another process may have kept those of another state meanwhile.
	return lookups, resultKey(key, im, lookups) == result
}
