package git

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrNoRepository means that a folder isn't in a git repository, or in one
// without any commit.
var ErrNoRepository = errors.New("not in a git repository")

// Commit is one commit.
type Commit struct {
	Hash    string
	Author  string
	Time    time.Time
	Subject string
}

// Short is how people write a commit's hash.
func Short(hash string) string { return hash[:min(len(hash), 10)] }

// Find finds a commit by whatever git takes for its name: a hash or the
// beginning of one, a tag, a branch, HEAD~2.
func Find(ctx context.Context, dir, ref string) (Commit, error) {
	if _, err := run(ctx, dir, "rev-parse", "--git-dir"); err != nil {
		if strings.Contains(err.Error(), "not a git repository") {
			return Commit{}, ErrNoRepository
		}
		return Commit{}, err
	}
	hash, err := run(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if err != nil {
		if ref == "HEAD" {
			return Commit{}, ErrNoRepository
		}
		return Commit{}, fmt.Errorf("git knows no commit %q", ref)
	}
	commit, err := last(ctx, dir, strings.TrimSpace(hash))
	if err != nil {
		return Commit{}, err
	}
	return *commit, nil
}

// Branch is the branch that is checked out; empty if none is, as in most
// pipelines.
func Branch(ctx context.Context, dir string) string {
	name, err := run(ctx, dir, "symbolic-ref", "--quiet", "--short", "HEAD")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(name)
}

// User is the name that git commits under in a folder; empty if there is none.
func User(ctx context.Context, dir string) string {
	name, err := run(ctx, dir, "config", "user.name")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(name)
}

// LastChange is the last commit, from head backwards as far as base, base
// excluded, that changed one of the files; nil if none did. Without a base, or
// with one that isn't known here, it looks as far back as there is anything.
func LastChange(ctx context.Context, dir, base, head string, files ...string) (*Commit, error) {
	args := []string{head}
	if base != "" {
		if _, err := run(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", base+"^{commit}"); err == nil {
			args = append(args, "^"+base)
		}
	}
	args = append(args, "--")
	for _, file := range files {
		// A file's name, whatever characters it has.
		args = append(args, ":(literal)"+file)
	}
	return last(ctx, dir, args...)
}

// last is the newest commit that git log finds.
func last(ctx context.Context, dir string, args ...string) (*Commit, error) {
	text, err := run(ctx, dir, append([]string{"log", "-1", "--no-show-signature", "--format=%H%x00%an%x00%cI%x00%s"}, args...)...)
	if err != nil {
		return nil, err
	}
	fields := strings.Split(strings.TrimSuffix(text, "\n"), "\x00")
	if len(fields) != 4 {
		return nil, nil
	}
	at, err := time.Parse(time.RFC3339, fields[2])
	if err != nil {
		return nil, fmt.Errorf("git log: %w", err)
	}
	return &Commit{Hash: fields[0], Author: fields[1], Time: at, Subject: fields[3]}, nil
}

// Read gives a file as it is in a commit; nil if it isn't there.
func Read(ctx context.Context, dir, commit, file string) ([]byte, error) {
	if _, err := run(ctx, dir, "cat-file", "-e", commit+":./"+file); err != nil {
		return nil, ctx.Err()
	}
	text, err := run(ctx, dir, "show", commit+":./"+file)
	return []byte(text), err
}
