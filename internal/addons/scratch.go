package addons

import (
	"path/filepath"
	"strings"
)

// A scratch file is none of git's files for a cluster: somebody tries something
// out. Its objects are a set like any other, which git doesn't declare, so that
// the next walk over all of git's files finds it and takes its objects away.

// ScratchName is the name of a scratch file's set, by the file's path, relative
// to the repository if it is inside. It has a slash, which no name of git's has:
// a file web.jsonnet must not pass for clusters/dev/web.jsonnet.
func ScratchName(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return "./" + filepath.ToSlash(path)
}

// scratch tells the sets of scratch files from git's.
func (k setKey) scratch() bool { return strings.Contains(k.File, "/") }
