package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"platform/internal/config"
	"platform/internal/git"
)

// source is where a command reads the repository: the working tree, or a commit
// that was checked out beside it.
type source struct {
	// home is the root of the working tree.
	home string
	// commit is empty where git knows none.
	commit git.Commit
	branch string
	// from is what was asked for with --from.
	from string
	// changed are the files that clusters are rendered from and that differ
	// from the commit.
	changed []string
	// problem is why git doesn't say what is checked out, if it should.
	problem error

	checkout *git.Checkout
}

func addFromFlag(cmd *cobra.Command, from *string) {
	cmd.Flags().StringVar(from, "from", "", "take the repository as it is at this `COMMIT`, tag or branch, whatever is checked out")
}

// Source finds out what the repository is read from. With from, it is checked
// out beside the working tree, and the configuration is that commit's as well.
// It is called before Target; Close ends it.
func (f *factory) Source(ctx context.Context, from string) (*source, error) {
	c, err := f.Config()
	if err != nil {
		return nil, err
	}
	s := &source{home: c.Root, from: from}
	if from == "" {
		if s.problem = s.readWorkingTree(ctx, c); ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return s, nil
	}
	if s.checkout, err = git.CheckOut(ctx, c.Root, from); err != nil {
		if errors.Is(err, git.ErrNoRepository) {
			err = fmt.Errorf("%s is %w, so that there is nothing to go back to", c.Root, err)
		}
		return nil, fmt.Errorf("--from %s: %w", from, err)
	}
	s.commit = s.checkout.Commit
	if _, err := os.Stat(filepath.Join(s.checkout.Root, config.FileName)); err != nil {
		s.Close()
		return nil, fmt.Errorf("--from %s: commit %s has no %s", from, git.Short(s.commit.Hash), config.FileName)
	}
	if f.config, err = config.Load(s.checkout.Root, f.changedFlags()); err != nil {
		s.Close()
		return nil, fmt.Errorf("--from %s: %w", from, err)
	}
	return s, nil
}

// readWorkingTree finds out what is checked out. The tool works without git, too.
func (s *source) readWorkingTree(ctx context.Context, c *config.Config) error {
	var err error
	if s.commit, err = git.Find(ctx, c.Root, "HEAD"); errors.Is(err, git.ErrNoRepository) || errors.Is(err, git.ErrNoCommand) {
		return nil
	}
	if err != nil {
		return err
	}
	s.branch = git.Branch(ctx, c.Root)
	// Pipelines check out commits, not branches.
	for _, name := range []string{"BRANCH_NAME", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"} {
		if s.branch == "" {
			s.branch = os.Getenv(name)
		}
	}
	changed, err := git.Changed(ctx, c.Root, "HEAD")
	if err != nil {
		return err
	}
	inputs := append([]string{config.FileName, clustersDir, "addons", "lib"}, c.JPath...)
	s.changed = slices.DeleteFunc(changed, func(file string) bool {
		return !slices.ContainsFunc(inputs, func(input string) bool {
			return file == input || strings.HasPrefix(file, filepath.Clean(input)+string(filepath.Separator))
		})
	})
	return nil
}

// Close removes what was checked out.
func (s *source) Close() {
	if s.checkout != nil {
		_ = s.checkout.Remove()
	}
}

// String names the commit for people.
func (s *source) String() string {
	if s.commit.Hash == "" {
		return ""
	}
	text := "commit " + git.Short(s.commit.Hash)
	switch {
	case s.from != "" && !strings.HasPrefix(s.commit.Hash, s.from):
		text += " (" + s.from + ")"
	case s.branch != "":
		text += " (" + s.branch + ")"
	}
	switch n := len(s.changed); {
	case n == 1:
		text += " and changes in " + s.changed[0]
	case n > 1:
		text += fmt.Sprintf(" and changes in %s and %d more", s.changed[0], n-1)
	}
	return text
}
