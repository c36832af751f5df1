package watch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// tree is a folder with a watcher.
type tree struct {
	*testing.T
	root string
	*Watcher
}

func newTree(t *testing.T, notified bool, paths ...string) *tree {
	tr := &tree{T: t, root: t.TempDir()}
	tr.write("a", "1")
	tr.write("lib/b", "1")
	tr.Watcher = New(tr.root)
	t.Cleanup(tr.Close)
	if tr.notify == nil {
		t.Fatal("this system gives no notifications")
	}
	if !notified {
		tr.Close()
		tr.notify = nil
	}
	tr.Set(paths)
	return tr
}

func (t *tree) write(name, text string) {
	t.Helper()
	path := filepath.Join(t.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// replace saves as many editors do: under another name, and renamed.
func (t *tree) replace(name, text string) {
	t.Helper()
	t.write(name+"~", text)
	if err := os.Rename(filepath.Join(t.root, name+"~"), filepath.Join(t.root, name)); err != nil {
		t.Fatal(err)
	}
}

// wait expects changes within a time.
func (t *tree) wait(within time.Duration, want ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	got, err := t.Wait(ctx)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

// quiet expects none.
func (t *tree) quiet(d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if got, err := t.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%q, %v; want no change", got, err)
	}
}

// soon is shorter than the time between two looks: who is in time was told.
const soon = lookEvery * 3 / 4

func TestSaves(t *testing.T) {
	tr := newTree(t, true, "a", "lib/b", "lib/deep/c")
	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"in place", func() { tr.write("a", "2") }, []string{"a"}},
		{"replaced", func() { tr.replace("a", "3") }, []string{"a"}},
		{"replaced once more", func() { tr.replace("a", "4") }, []string{"a"}},
		{"another folder", func() { tr.write("lib/b", "2") }, []string{"lib/b"}},
		{"two at once", func() { tr.write("a", "5"); tr.write("lib/b", "3") }, []string{"a", "lib/b"}},
		{"removed", func() { _ = os.Remove(filepath.Join(tr.root, "a")) }, []string{"a"}},
		{"there again", func() { tr.write("a", "5") }, []string{"a"}},
	} {
		timer := time.AfterFunc(50*time.Millisecond, step.do)
		t.Log(step.name)
		tr.wait(soon, step.want...)
		timer.Stop()
	}
	// In a folder that there wasn't.
	time.AfterFunc(50*time.Millisecond, func() { tr.write("lib/deep/c", "1") })
	tr.wait(2*lookEvery, "lib/deep/c")
	time.AfterFunc(50*time.Millisecond, func() { tr.write("lib/deep/c", "2") })
	tr.wait(soon, "lib/deep/c")
}

func TestWhatIsNoSave(t *testing.T) {
	tr := newTree(t, true, "a", "lib/b")
	tr.write("a", "1") // the same
	tr.write("lib/other", "1")
	tr.quiet(300 * time.Millisecond)
	tr.write("a", "2")
	tr.write("a", "1") // and back
	tr.quiet(300 * time.Millisecond)
}

func TestChangedMeanwhile(t *testing.T) {
	tr := newTree(t, true, "a")
	tr.write("a", "2")
	time.Sleep(100 * time.Millisecond)
	tr.wait(soon, "a")
	tr.quiet(200 * time.Millisecond)
}

func TestOneSaveInManySteps(t *testing.T) {
	tr := newTree(t, true, "a")
	done := make(chan bool)
	go func() {
		defer close(done)
		for i := range 10 {
			tr.write("a", "2"[:i%2]+"end"[:i%3])
			time.Sleep(settle / 3)
		}
		tr.write("a", "end")
	}()
	tr.wait(unsettled, "a")
	<-done
	tr.quiet(200 * time.Millisecond)
	if data, err := os.ReadFile(filepath.Join(tr.root, "a")); err != nil || string(data) != "end" {
		t.Errorf("%q, %v", data, err)
	}
}

// TestNeverStill has a file that changes all the time.
func TestNeverStill(t *testing.T) {
	tr := newTree(t, true, "a")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan bool)
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			tr.replace("a", time.Now().String())
			time.Sleep(settle / 5)
		}
	}()
	tr.wait(2*unsettled, "a")
	stop()
	<-done
}

func TestLinkedFile(t *testing.T) {
	tr := newTree(t, true, "link")
	other := t.TempDir()
	target := filepath.Join(other, "target")
	if err := os.WriteFile(target, []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, filepath.Join(tr.root, "link")); err != nil {
		t.Fatal(err)
	}
	tr.wait(soon, "link")
	time.AfterFunc(50*time.Millisecond, func() { _ = os.WriteFile(target, []byte("2"), 0o644) })
	tr.wait(soon, "link")
}

func TestAbsolutePath(t *testing.T) {
	tr := newTree(t, true)
	path := filepath.Join(t.TempDir(), "x")
	tr.Set([]string{path})
	time.AfterFunc(50*time.Millisecond, func() { _ = os.WriteFile(path, []byte("1"), 0o644) })
	tr.wait(soon, path)
}

func TestWithoutNotifications(t *testing.T) {
	tr := newTree(t, false, "a")
	time.AfterFunc(50*time.Millisecond, func() { tr.replace("a", "2") })
	tr.wait(2*lookEvery, "a")
}
