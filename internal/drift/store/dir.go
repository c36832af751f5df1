package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"platform/internal/atomicfile"
)

// Dir keeps reports in a folder, which is made when something is kept.
func Dir(path string) *Store { return &Store{files: dir(path), now: time.Now} }

type dir string

func (d dir) String() string { return string(d) }

func (d dir) path(name string) string { return filepath.Join(string(d), filepath.FromSlash(name)) }

func (d dir) list(_ context.Context, folder string) ([]string, error) {
	entries, err := os.ReadDir(d.path(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, entry := range entries {
		// What is being written begins with a dot.
		if entry.Type().IsRegular() && !strings.HasPrefix(entry.Name(), ".") {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

func (d dir) read(_ context.Context, name string) ([]byte, error) { return os.ReadFile(d.path(name)) }

func (d dir) write(_ context.Context, name string, data []byte) error {
	path := d.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicfile.Write(path, data, 0o644)
}

func (d dir) remove(_ context.Context, names []string) error {
	for _, name := range names {
		if err := os.Remove(d.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
