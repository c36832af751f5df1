package git

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// repository is a git repository of a test.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	r := &repository{t, t.TempDir()}
	for _, pair := range [][2]string{
		{"GIT_CONFIG_GLOBAL", os.DevNull}, {"GIT_CONFIG_SYSTEM", os.DevNull},
		{"GIT_AUTHOR_NAME", "Jane Doe"}, {"GIT_AUTHOR_EMAIL", "jane@example.net"},
		{"GIT_COMMITTER_NAME", "Jane Doe"}, {"GIT_COMMITTER_EMAIL", "jane@example.net"},
	} {
		t.Setenv(pair[0], pair[1])
	}
	r.git("init", "--quiet", "--initial-branch", "main")
	return r
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *repository) write(file, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// commit commits everything and gives the hash.
func (r *repository) commit(subject string) string {
	r.t.Helper()
	r.git("add", "--all")
	r.git("commit", "--quiet", "--message", subject)
	return r.git("rev-parse", "HEAD")
}

func TestFind(t *testing.T) {
	if _, err := Find(t.Context(), t.TempDir(), "HEAD"); !errors.Is(err, ErrNoRepository) {
		t.Errorf("outside of a repository: %v", err)
	}
	r := newRepository(t)
	if _, err := Find(t.Context(), r.dir, "HEAD"); !errors.Is(err, ErrNoRepository) {
		t.Errorf("without a commit: %v", err)
	}
	r.write("a", "1")
	first := r.commit("The first: é")
	r.git("tag", "-a", "v1", "-m", "a tag with a message")
	r.write("a", "2")
	second := r.commit("The second")
	for ref, want := range map[string]string{"HEAD": second, "main": second, "v1": first, "HEAD~1": first, first[:8]: first} {
		c, err := Find(t.Context(), r.dir, ref)
		if err != nil || c.Hash != want || c.Author != "Jane Doe" || c.Time.IsZero() || !strings.HasPrefix(c.Subject, "The ") {
			t.Errorf("%s: %+v, %v", ref, c, err)
		}
	}
	for _, ref := range []string{"nonesuch", "--all", "HEAD:a", ""} {
		if c, err := Find(t.Context(), r.dir, ref); err == nil || !strings.Contains(err.Error(), "git knows no commit") {
			t.Errorf("%q: %+v, %v", ref, c, err)
		}
	}
	if got := Branch(t.Context(), r.dir); got != "main" {
		t.Errorf("branch %q", got)
	}
	r.git("checkout", "--quiet", "--detach")
	if got := Branch(t.Context(), r.dir); got != "" {
		t.Errorf("branch %q of a detached HEAD", got)
	}
	if got := User(t.Context(), r.dir); got != "" {
		t.Errorf("user %q", got)
	}
	r.git("config", "user.name", "Jane Doe")
	if got := User(t.Context(), r.dir); got != "Jane Doe" {
		t.Errorf("user %q", got)
	}
}

func TestLastChange(t *testing.T) {
	r := newRepository(t)
	r.write("sub/a[1]", "1")
	r.write("sub/a1", "1")
	first := r.commit("first")
	r.write("sub/a[1]", "2")
	second := r.commit("second")
	r.write("sub/a1", "2")
	third := r.commit("third")
	sub := filepath.Join(r.dir, "sub")
	for _, c := range []struct {
		base, head, file, want string
	}{
		{first, "HEAD", "a[1]", second}, {second, "HEAD", "a[1]", ""}, {"", "HEAD", "a[1]", second},
		{first, third, "a1", third}, {first, second, "a1", ""}, {"", "HEAD", "nonesuch", ""},
		{strings.Repeat("0", 40), "HEAD", "a1", third},
	} {
		commit, err := LastChange(t.Context(), sub, c.base, c.head, c.file)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if commit != nil {
			got = commit.Hash
		}
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestRead(t *testing.T) {
	r := newRepository(t)
	r.write("sub/a", "one\n\n")
	first := r.commit("first")
	r.write("sub/a", "two\n")
	for file, want := range map[string]string{"a": "one\n\n", "nonesuch": ""} {
		text, err := Read(t.Context(), filepath.Join(r.dir, "sub"), first, file)
		if err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", file, text, err)
		}
	}
}

// TestCheckOut expects the commit's files and nothing of the working tree's, which
// stays as it is.
func TestCheckOut(t *testing.T) {
	r := newRepository(t)
	r.write("clusters/file", "old")
	r.write("clusters/sub/gone", "old")
	r.write("other", "old")
	if err := os.Symlink("file", filepath.Join(r.dir, "clusters/link")); err != nil {
		t.Fatal(err)
	}
	r.write(".gitattributes", "other export-ignore\n")
	old := r.commit("old")
	r.git("rm", "--quiet", "-r", "clusters/sub")
	r.write("clusters/file", "new")
	r.commit("new")
	r.write("clusters/file", "dirty")
	r.write("clusters/untracked", "dirty")
	r.git("add", "clusters/file")
	// A hook that would be noticed.
	r.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch hooked\n")
	if err := os.Chmod(filepath.Join(r.dir, ".git/hooks/post-checkout"), 0o755); err != nil {
		t.Fatal(err)
	}
	before := r.git("status", "--porcelain")

	c, err := CheckOut(t.Context(), filepath.Join(r.dir, "clusters"), "HEAD~1")
	if err != nil {
		t.Fatal(err)
	}
	if c.Commit.Hash != old || c.Commit.Subject != "old" {
		t.Errorf("commit %+v", c.Commit)
	}
	var names []string
	entries, err := os.ReadDir(c.Root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, []string{"file", "link", "sub"}) {
		t.Errorf("files %q", names)
	}
	if text, err := os.ReadFile(filepath.Join(c.Root, "link")); err != nil || string(text) != "old" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(c.Root, "..", "other")); err != nil {
		t.Error(err)
	}
	if after := r.git("status", "--porcelain"); after != before {
		t.Errorf("the working tree was\n%s\nand is\n%s", before, after)
	}
	if err := c.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.temporary); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
	if _, err := CheckOut(t.Context(), r.dir, "nonesuch"); err == nil {
		t.Error("a commit that isn't there was checked out")
	}
}

func TestCheckOutBeforeTheFolderWas(t *testing.T) {
	r := newRepository(t)
	r.write("a", "1")
	first := r.commit("first")
	r.write("sub/b", "1")
	r.commit("second")
	_, err := CheckOut(t.Context(), filepath.Join(r.dir, "sub"), first)
	if err == nil || !strings.Contains(err.Error(), "has no folder sub/") {
		t.Errorf("error %v", err)
	}
}
