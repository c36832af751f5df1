package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Store remembers what machines booted with, a file each.
type Store struct {
	dir string

	mu    sync.Mutex
	boots map[string]*Boot
}

// OpenStore reads what a folder remembers.
func OpenStore(dir string) (*Store, error) {
	s := &Store{dir: dir, boots: map[string]*Boot{}}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		boot := &Boot{}
		if err := json.Unmarshal(data, boot); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		s.boots[boot.Machine.ID] = boot
	}
	return s, nil
}

// Get gives what a machine booted with, nil if it hasn't.
func (s *Store) Get(id string) *Boot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.boots[id]
}

// Of gives the machines of a cluster that have booted.
func (s *Store) Of(cluster string) []*Boot {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*Boot
	for _, boot := range s.boots {
		if boot.Machine.Cluster == cluster {
			out = append(out, boot)
		}
	}
	return out
}

// Put remembers.
func (s *Store) Put(boot *Boot) error {
	data, err := json.MarshalIndent(boot, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	file := s.file(boot.Machine.ID)
	if err := os.WriteFile(file+".new", data, 0o600); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boots[boot.Machine.ID] = boot
	return nil
}

// Forget forgets a machine that is gone.
func (s *Store) Forget(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.boots, id)
	if err := os.Remove(s.file(id)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (s *Store) file(id string) string { return filepath.Join(s.dir, filepath.Base(id)+".json") }
