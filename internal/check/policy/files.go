package policy

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// folders are where declarations are.
var folders = []string{"addons", "clusters", "lib"}

// textFiles lists the files below folders of a repository, relative to its root:
// those that are in git, or would be with the next `git add`.
func textFiles(ctx context.Context, root string) ([]string, error) {
	if listed, ok := fromGit(ctx, root); ok {
		return listed, nil
	}
	return walk(root)
}

// fromGit asks git, which knows what is ignored; if the root is a repository and
// there is a git to ask.
func fromGit(ctx context.Context, root string) ([]string, bool) {
	git := func(args ...string) ([]byte, error) {
		return exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output()
	}
	// In another repository's working tree, that one's rules don't count.
	top, err := git("rev-parse", "--show-cdup")
	if err != nil || len(bytes.TrimSpace(top)) > 0 {
		return nil, false
	}
	out, err := git(append([]string{"ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--"}, folders...)...)
	if err != nil {
		return nil, false
	}
	var files []string
	for _, name := range strings.Split(string(out), "\x00") {
		if name != "" {
			files = append(files, filepath.FromSlash(name))
		}
	}
	slices.Sort(files)
	return files, true
}

// walk lists all files but hidden ones.
func walk(root string) ([]string, error) {
	var files []string
	for _, folder := range folders {
		err := fs.WalkDir(os.DirFS(root), folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err // there may be no entry
			}
			hidden := strings.HasPrefix(entry.Name(), ".")
			switch {
			case entry.IsDir() && hidden:
				return fs.SkipDir
			case entry.Type().IsRegular() && !hidden:
				files = append(files, filepath.FromSlash(path))
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return files, nil
}
