// Package git asks the git command about the repository that the tool works in.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNoCommand means that git isn't installed.
var ErrNoCommand = errors.New("there is no git command; install git")

// run runs git in a folder and gives what it prints. An error has what git says.
func run(ctx context.Context, dir string, args ...string) (string, error) {
	return runWith(ctx, nil, dir, args...)
}

// runWith runs git with more in its environment.
func runWith(ctx context.Context, env []string, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	// In English, since some answers are told by their text.
	cmd.Env = append(append(os.Environ(), "LC_ALL=C"), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return "", ErrNoCommand
	}
	if err != nil {
		said, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		if said == "" {
			said = err.Error()
		}
		return "", fmt.Errorf("git %s: %s", args[0], strings.TrimPrefix(said, "fatal: "))
	}
	return stdout.String(), nil
}

// Changed lists the files below dir that differ between a commit and the working
// tree, those that git doesn't know yet included, relative to dir. It compares
// with what the commit and HEAD have in common: what others have changed since
// isn't a change of ours.
func Changed(ctx context.Context, dir, ref string) ([]string, error) {
	if _, err := run(ctx, dir, "rev-parse", "--git-dir"); err != nil {
		return nil, err
	}
	base, err := run(ctx, dir, "merge-base", ref, "HEAD")
	if err != nil {
		// Histories without anything in common can be compared all the same.
		if base, err = run(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}"); err != nil {
			return nil, fmt.Errorf("git knows no commit %q", ref)
		}
	}
	differ, err := run(ctx, dir, "diff", "--name-only", "--no-renames", "--relative", "-z", strings.TrimSpace(base), "--", ".")
	if err != nil {
		return nil, err
	}
	fresh, err := run(ctx, dir, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
	if err != nil {
		return nil, err
	}
	files := strings.FieldsFunc(differ+fresh, func(r rune) bool { return r == 0 })
	for i := range files {
		files[i] = filepath.FromSlash(files[i])
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// HooksDir is the folder that git runs hooks from.
func HooksDir(ctx context.Context, dir string) (string, error) {
	path, err := run(ctx, dir, "rev-parse", "--git-path", "hooks")
	if err != nil {
		return "", err
	}
	path = strings.TrimSpace(path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return path, nil
}
