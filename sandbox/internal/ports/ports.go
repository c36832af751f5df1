// Package ports chooses the sandbox's ports on loopback. A port is chosen free
// once and remembered: kops writes some of them into what it builds, so that
// another port would look like a change of every machine.
package ports

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// Below the range that Linux takes the ports of outgoing connections from
// (32768-60999), or a remembered port could be gone by the next start.
const (
	first = 20000
	count = 12000
)

// Book remembers which port belongs to whom.
type Book struct {
	path string
	mu   sync.Mutex
	used map[string]int
}

// Open reads the book at path; one that isn't there is empty.
func Open(path string) (*Book, error) {
	b := &Book{path: path, used: map[string]int{}}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &b.used); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return b, nil
}

// Port gives the port of name, choosing a free one the first time.
func (b *Book) Port(name string) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if port, ok := b.used[name]; ok {
		return port, nil
	}
	taken := map[int]bool{}
	for _, port := range b.used {
		taken[port] = true
	}
	// Where the search begins depends on the folder, so that two sandboxes stay
	// out of each other's way and one that was purged gets its ports again.
	hash := fnv.New32a()
	hash.Write([]byte(b.path))
	start := int(hash.Sum32() % count)
	for i := range count {
		port := first + (start+i)%count
		if !taken[port] && Free(port) {
			b.used[name] = port
			return port, b.save()
		}
	}
	return 0, fmt.Errorf("no free port on 127.0.0.1 for %s between %d and %d", name, first, first+count-1)
}

// Forget gives the ports of the given names back.
func (b *Book) Forget(names ...string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		delete(b.used, name)
	}
	return b.save()
}

// All is every port by name.
func (b *Book) All() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make(map[string]int, len(b.used))
	for name, port := range b.used {
		out[name] = port
	}
	return out
}

func (b *Book) save() error {
	data, err := json.MarshalIndent(b.used, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(b.path), 0o755); err != nil {
		return err
	}
	// Whole or not at all.
	if err := os.WriteFile(b.path+".new", append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(b.path+".new", b.path)
}

// Free tells whether nobody listens on a port of 127.0.0.1.
func Free(port int) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	listener.Close()
	return true
}
