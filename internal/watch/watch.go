package watch

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is for how long nothing may change before a change counts:
	// editors save in several steps, and some tools several files.
	settle = 30 * time.Millisecond
	// unsettled is after how long a change counts even so.
	unsettled = time.Second
	// lookEvery is how often it looks without being told. There are changes
	// that nobody tells of, as those made on the other side of a network
	// file system, and systems with no notifications left to give.
	lookEvery = time.Second
)

// Watcher waits for changes of files. It is for one goroutine.
type Watcher struct {
	root  string
	paths []string
	seen  map[string]content

	notify *fsnotify.Watcher // nil where there is none to be had
	dirs   map[string]bool
}

// content is what is at a path: the hash of a file, zero if there is none.
type content [sha256.Size]byte

// New makes a watcher. Paths that aren't absolute are below root.
func New(root string) *Watcher {
	w := &Watcher{root: root, dirs: map[string]bool{}}
	w.notify, _ = fsnotify.NewWatcher()
	return w
}

// Close ends it.
func (w *Watcher) Close() {
	if w.notify != nil {
		_ = w.notify.Close()
	}
}

// Set says which files to watch. How they are now is what they are compared
// with from here on: set them before you read them, and no change is lost.
func (w *Watcher) Set(paths []string) {
	w.paths = slices.Clone(paths)
	w.watchDirs()
	w.seen = w.look()
}

// Wait returns the paths of what has changed since Set or the last Wait, once
// the files hold still. It fails only when ctx is done.
func (w *Watcher) Wait(ctx context.Context) ([]string, error) {
	var events <-chan fsnotify.Event
	var failures <-chan error
	if w.notify != nil {
		events, failures = w.notify.Events, w.notify.Errors
	}
	pause := time.NewTimer(0) // it may have changed already
	defer pause.Stop()
	last := w.seen
	var since time.Time // when a change was first seen
	told := false       // that there is something to look at, which it will soon
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case _, ok := <-events:
			if !ok {
				events = nil
			}
			if since.IsZero() && !told {
				told = true
				pause.Reset(settle)
			}
			continue
		case _, ok := <-failures: // an overflow, say: it looks anyway
			if !ok {
				failures = nil
			}
			continue
		case <-pause.C:
		}
		told = false
		now := w.look()
		changed := w.differing(w.seen, now)
		switch {
		case len(changed) == 0:
			// Nothing, or back to what it was.
			since = time.Time{}
			pause.Reset(lookEvery)
		case since.IsZero(), len(w.differing(last, now)) > 0 && time.Since(since) < unsettled:
			if since.IsZero() {
				since = time.Now()
			}
			pause.Reset(settle)
		default:
			w.seen = now
			w.watchDirs() // folders and links may have come and gone
			return changed, nil
		}
		last = now
	}
}

func (w *Watcher) look() map[string]content {
	out := make(map[string]content, len(w.paths))
	for _, path := range w.paths {
		if data, err := os.ReadFile(w.abs(path)); err == nil {
			out[path] = sha256.Sum256(data)
		}
	}
	return out
}

func (w *Watcher) differing(a, b map[string]content) []string {
	var out []string
	for _, path := range w.paths {
		if a[path] != b[path] {
			out = append(out, path)
		}
	}
	return out
}

// watchDirs watches the folders of the files: a file itself is replaced by many
// editors, and the new one would not be watched.
func (w *Watcher) watchDirs() {
	if w.notify == nil {
		return
	}
	wanted := map[string]bool{}
	for _, path := range w.paths {
		path = w.abs(path)
		wanted[existing(filepath.Dir(path))] = true
		if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
			wanted[filepath.Dir(target)] = true
		}
	}
	for dir := range w.dirs {
		if !wanted[dir] {
			_ = w.notify.Remove(dir)
			delete(w.dirs, dir)
		}
	}
	for dir := range wanted {
		// Again, too: one that was removed and made anew isn't watched any
		// more. Where it fails, looking now and then has to do.
		if w.notify.Add(dir) == nil {
			w.dirs[dir] = true
		}
	}
}

// existing is the nearest folder that exists, from dir upwards.
func existing(dir string) string {
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

func (w *Watcher) abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(w.root, path)
}
