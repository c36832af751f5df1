package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"platform/internal/addons"
	"platform/internal/check"
	"platform/internal/config"
	"platform/internal/render"
)

// chosenFile is the file that somebody wants to see in a cluster.
type chosenFile struct {
	// source is its path, relative to the repository if it is inside.
	source string
	// set is the name of its apply set: that of git's file, or one of its own.
	set string
	// dir is the folder to import from if the file is outside.
	dir string
}

const clustersDir = "clusters"

// chooseFile finds out what a file is to a cluster.
func chooseFile(root, cluster, path string) (chosenFile, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return chosenFile{}, fmt.Errorf("there is no file %s", path)
	case err != nil:
		return chosenFile{}, err
	case !info.Mode().IsRegular():
		return chosenFile{}, fmt.Errorf("%s isn't a file: name one jsonnet file", path)
	}
	source, err := sourceOf(root, path)
	if err != nil {
		return chosenFile{}, err
	}
	file := chosenFile{source: source, set: addons.ScratchName(source)}
	if filepath.IsAbs(source) {
		file.dir = filepath.Dir(source)
	}
	parts := strings.Split(filepath.ToSlash(source), "/")
	if parts[0] != clustersDir || len(parts) < 3 {
		return file, nil
	}
	if parts[1] != cluster {
		return file, fmt.Errorf("%s is one of cluster %s's files and the cluster is %s: name a file of %s, or a copy outside of %s", source, parts[1], cluster, cluster, clustersDir)
	}
	if len(parts) > 3 {
		return file, nil
	}
	name, ok := strings.CutSuffix(parts[2], ".jsonnet")
	switch {
	case !ok:
		return file, fmt.Errorf("%s makes no objects by itself: name a .jsonnet file that imports it", source)
	case name == render.ClusterFile:
		return file, fmt.Errorf("%s declares the cluster itself, which takes `platform up %s`", source, cluster)
	}
	file.set = name
	return file, nil
}

// sourceOf is a file's path in the repository; it is absolute if the file is
// outside, however one gets there.
func sourceOf(root, path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	// A cluster's folder is where the name says, as it is to all commands.
	if source := relative(root, path); strings.HasPrefix(source, clustersDir+string(filepath.Separator)) {
		return source, nil
	}
	// Otherwise it is where the folders on the way lead, so that no link makes
	// a scratch file of a cluster's.
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return "", err
	}
	return relative(root, filepath.Join(dir, filepath.Base(path))), nil
}

// renderChosen evaluates the file. The keys are those of its objects, by name.
func renderChosen(options render.Options, file chosenFile) (addons.File, map[string]string, error) {
	out := addons.File{Name: file.set, Source: file.source}
	keys := map[string]string{}
	objects, err := render.Objects(options, file.source)
	if err != nil {
		return out, nil, err
	}
	for _, o := range objects {
		out.Objects = append(out.Objects, o.Unstructured)
		keys[check.Describe(o)] = o.Key
	}
	return out, keys, nil
}

// withLines puts the line that declares an object into each error about one.
func (a *applying) withLines(err error) error {
	line := func(resource, source string) string {
		key, ok := a.keys[resource]
		if !ok || source != a.file.source {
			return source
		}
		at, line := check.Place(a.options.Root, a.options.JPath, source, key, "")
		return fmt.Sprintf("%s:%d", at, line)
	}
	var visit func(error)
	visit = func(err error) {
		switch e := err.(type) {
		case *addons.ObjectError:
			e.Source = line(e.Resource, e.Source)
		case *addons.ConflictError:
			e.Source = line(e.Resource, e.Source)
		}
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			visit(e.Unwrap())
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				visit(inner)
			}
		}
	}
	visit(err)
	return err
}

// chosenOptions are how the file is rendered.
func chosenOptions(c *config.Config, flags *jsonnetFlags, file chosenFile) render.Options {
	options := flags.options(c)
	if file.dir != "" {
		options.JPath = append(options.JPath, file.dir)
	}
	return options
}
