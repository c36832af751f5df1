package git

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Checkout is a commit's files in a folder of their own.
type Checkout struct {
	Commit Commit
	// Root is the folder that stands for the one that was asked for.
	Root string

	temporary string
}

// CheckOut writes the files of a commit into a temporary folder. The working
// tree, the index and the repository stay as they are, hooks don't run, and
// files that aren't committed don't come along. dir may be a folder below the
// repository's top.
func CheckOut(ctx context.Context, dir, ref string) (_ *Checkout, err error) {
	commit, err := Find(ctx, dir, ref)
	if err != nil {
		return nil, err
	}
	top, err := run(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	prefix, err := run(ctx, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, err
	}
	temporary, err := os.MkdirTemp("", "platform-checkout-")
	if err != nil {
		return nil, err
	}
	c := &Checkout{Commit: commit, temporary: temporary}
	defer func() {
		if err != nil {
			_ = c.Remove()
		}
	}()
	// An index of its own, since that of the repository is the user's.
	index := "GIT_INDEX_FILE=" + filepath.Join(temporary, "index")
	tree := filepath.Join(temporary, "tree")
	top = strings.TrimSuffix(top, "\n")
	if _, err := runWith(ctx, []string{index}, top, "read-tree", commit.Hash); err != nil {
		return nil, err
	}
	if _, err := runWith(ctx, []string{index}, top, "checkout-index", "--all", "--prefix="+tree+"/"); err != nil {
		return nil, err
	}
	c.Root = filepath.Join(tree, filepath.FromSlash(strings.TrimSuffix(prefix, "\n")))
	if _, err := os.Stat(c.Root); err != nil {
		return nil, fmt.Errorf("commit %s has no folder %s", Short(commit.Hash), strings.TrimSpace(prefix))
	}
	return c, nil
}

// Remove deletes the files.
func (c *Checkout) Remove() error { return os.RemoveAll(c.temporary) }
