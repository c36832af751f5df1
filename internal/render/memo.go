package render

import (
	"slices"
	"strings"
	"sync"
)

// Memo keeps what somebody found out about a file and all that it imports, in
// the cache of results, until any of that changes.
type Memo struct {
	o    Options
	im   *importer
	c    *cache
	kind string

	mu sync.Mutex
	// e has parsed what was asked about, so that each file is parsed once.
	e *evaluator
}

// NewMemo makes a memo of one kind of finding, whose name must change with how
// it is found. Without a cache it remembers nothing.
func NewMemo(o Options, kind string) (*Memo, error) {
	im, err := newImporter(o.Root, o.JPath)
	if err != nil {
		return nil, err
	}
	c := newCache(o.CacheDir, o.Version)
	return &Memo{o: o, im: im, c: c, kind: kind, e: newEvaluator(o, im, c)}, nil
}

func (m *Memo) key(source string) string { return digest([]string{m.kind, m.c.key(m.o, m.im, source)}) }

// Get gives what was put for a file in the state that it has now.
func (m *Memo) Get(source string) ([]byte, bool) {
	if m.c == nil {
		return nil, false
	}
	key := m.key(source)
	lookups, ok := m.c.read(key + lookupsSuffix)
	if !ok {
		return nil, false
	}
	return m.c.read(resultKey(key, m.im, strings.Split(string(lookups), "\n")) + resultSuffix)
}

// Put keeps data about a file. A file that can't be parsed isn't remembered: what
// it would import isn't known.
func (m *Memo) Put(source string, data []byte) {
	if m.c == nil {
		return
	}
	lookups, ok := m.lookups(source)
	if !ok || slices.ContainsFunc(lookups, func(path string) bool { return strings.Contains(path, "\n") }) {
		return
	}
	key := m.key(source)
	if m.c.write(resultKey(key, m.im, lookups)+resultSuffix, data) == nil {
		// Without it, the result is only never found.
		_ = m.c.write(key+lookupsSuffix, []byte(strings.Join(lookups, "\n")))
	}
}

func (m *Memo) lookups(source string) ([]string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, name, err := m.e.vm.ImportAST("", source)
	if err != nil {
		return nil, false
	}
	m.e.rewrite(name, node)
	return m.e.lookups(source), true
}
