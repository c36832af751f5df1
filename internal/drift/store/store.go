package store

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"platform/internal/drift"
)

// DefaultKeep is how long reports are kept unless somebody says otherwise: long
// enough for the question since when, about anything of the last season.
const DefaultKeep = 100 * 24 * time.Hour

// Store keeps reports.
type Store struct {
	files files
	// now is the clock; tests have another.
	now func() time.Time
}

// files is where a store keeps what it has. Names have slashes between folders.
type files interface {
	// list gives the names below a folder, in any order.
	list(ctx context.Context, folder string) ([]string, error)
	// read gives a file, or an error that is fs.ErrNotExist.
	read(ctx context.Context, name string) ([]byte, error)
	// write makes a file, wholly or not at all.
	write(ctx context.Context, name string, data []byte) error
	// remove takes files away; those that aren't there are none of its concern.
	remove(ctx context.Context, names []string) error
	// String says where that is, for messages.
	String() string
}

func (s *Store) String() string { return s.files.String() }

const (
	reports = "reports"
	index   = "index"

	// stamp orders names by time. The store is sorted by it as text.
	stamp     = "20060102T150405.000Z"
	extension = ".json.gz"

	// parallel is how many entries are read at once.
	parallel = 8
	// mostBytes is what a report unpacked may have: more isn't ours.
	mostBytes = 256 << 20
)

// Put keeps a report. Those that are kept already stay as they are.
func (s *Store) Put(ctx context.Context, r *drift.Report) error {
	// Two reports of one moment are two: shards make such.
	suffix := make([]byte, 4)
	_, _ = rand.Read(suffix) // never fails
	name := r.Time.UTC().Format(stamp) + "-" + hex.EncodeToString(suffix)

	var body bytes.Buffer
	packed := gzip.NewWriter(&body)
	if err := drift.Write(packed, r); err != nil {
		return fmt.Errorf("keeping the report: %w", err)
	}
	if err := packed.Close(); err != nil {
		return fmt.Errorf("keeping the report: %w", err)
	}
	// The report comes first: what is in the index is there.
	if err := s.files.write(ctx, reports+"/"+name+extension, body.Bytes()); err != nil {
		return fmt.Errorf("keeping the report in %s: %w", s, err)
	}
	entry, err := json.Marshal(r.Entry())
	if err != nil {
		return fmt.Errorf("keeping the report: %w", err)
	}
	var small bytes.Buffer
	packed = gzip.NewWriter(&small)
	_, _ = packed.Write(entry) // into memory
	_ = packed.Close()
	if err := s.files.write(ctx, index+"/"+name+extension, small.Bytes()); err != nil {
		return fmt.Errorf("keeping the report's counts in %s: %w", s, err)
	}
	return nil
}

// Latest gives each cluster as the newest report has it that knows the cluster:
// one report, or a patchwork of several where not all of them were looked at
// together. Without any it gives nil. Clusters are in the order asked for;
// those that no report knows are left out.
func (s *Store) Latest(ctx context.Context, clusters []string) (*drift.Report, error) {
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, name := range clusters {
		wanted[name] = true
	}
	var out *drift.Report
	slices.Reverse(names)
	// An entry is small and a report is not: what has nothing to add isn't read.
	for batch := range slices.Chunk(names, parallel) {
		entries, err := s.entries(ctx, batch)
		if err != nil {
			return nil, err
		}
		for i, entry := range entries {
			if entry == nil || !hasAny(entry, wanted) {
				continue
			}
			r, err := s.report(ctx, batch[i])
			if errors.Is(err, fs.ErrNotExist) {
				continue // somebody is pruning
			}
			if err != nil {
				return nil, err
			}
			if out == nil {
				head := *r
				head.Clusters = nil
				out = &head
			}
			for _, c := range r.Clusters {
				if wanted[c.Name] {
					delete(wanted, c.Name)
					out.Clusters = append(out.Clusters, c)
				}
			}
		}
		if len(wanted) == 0 {
			break
		}
	}
	if out != nil {
		out.Order(clusters)
	}
	return out, nil
}

func hasAny(entry *drift.Entry, wanted map[string]bool) bool {
	for name := range entry.Clusters {
		if wanted[name] {
			return true
		}
	}
	return false
}

// List gives the entries of the n newest dates that have any, the oldest first.
func (s *Store) List(ctx context.Context, n int) ([]drift.Entry, error) {
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	first, dates := len(names), 0
	for i, last := len(names)-1, ""; i >= 0; i-- {
		if date, _, _ := strings.Cut(names[i], "T"); date != last {
			if dates++; dates > n {
				break
			}
			last = date
		}
		first = i
	}
	found, err := s.entries(ctx, names[first:])
	if err != nil {
		return nil, err
	}
	entries := make([]drift.Entry, 0, len(found))
	for _, entry := range found {
		if entry != nil {
			entries = append(entries, *entry)
		}
	}
	return entries, nil
}

// Prune takes away what is older than keep, but never the newest report.
func (s *Store) Prune(ctx context.Context, keep time.Duration) error {
	oldest := s.now().Add(-keep).UTC().Format(stamp)
	names, err := s.names(ctx)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return nil
	}
	old := func(name string) bool { return name < oldest && name != names[len(names)-1] }
	var gone []string
	// First from the index, as it must not name what isn't there.
	for _, folder := range []string{index, reports} {
		all, err := s.files.list(ctx, folder)
		if err != nil {
			return fmt.Errorf("listing %s: %w", s, err)
		}
		for _, file := range all {
			if name, ours := parse(file); ours && old(name) {
				gone = append(gone, folder+"/"+file)
			}
		}
	}
	if len(gone) == 0 {
		return nil
	}
	if err := s.files.remove(ctx, gone); err != nil {
		return fmt.Errorf("removing reports from before %s from %s: %w", oldest, s, err)
	}
	return nil
}

// names lists what is in the index, the oldest first.
func (s *Store) names(ctx context.Context) ([]string, error) {
	all, err := s.files.list(ctx, index)
	if err != nil {
		return nil, fmt.Errorf("listing the reports of %s: %w", s, err)
	}
	var names []string
	for _, file := range all {
		if name, ours := parse(file); ours {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// parse tells our files from what others have put there.
func parse(file string) (name string, ours bool) {
	name, ours = strings.CutSuffix(file, extension)
	if !ours || len(name) < len(stamp) {
		return "", false
	}
	_, err := time.Parse(stamp, name[:len(stamp)])
	return name, err == nil
}

// entries reads entries of the index, several at once; one that is gone is nil.
func (s *Store) entries(ctx context.Context, names []string) ([]*drift.Entry, error) {
	entries, failures := make([]*drift.Entry, len(names)), make([]error, len(names))
	free := make(chan struct{}, parallel)
	var all sync.WaitGroup
	for i, name := range names {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			file := index + "/" + name + extension
			data, err := s.unpack(ctx, file)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return
			case err != nil:
				failures[i] = err
				return
			}
			entry := &drift.Entry{}
			if err := json.Unmarshal(data, entry); err != nil {
				failures[i] = fmt.Errorf("reading %s of %s: %w", file, s, err)
				return
			}
			entries[i] = entry
		})
	}
	all.Wait()
	return entries, cmp.Or(failures...)
}

func (s *Store) report(ctx context.Context, name string) (*drift.Report, error) {
	file := reports + "/" + name + extension
	data, err := s.unpack(ctx, file)
	if err != nil {
		return nil, err
	}
	r, err := drift.Read(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading %s of %s: %w", file, s, err)
	}
	return r, nil
}

func (s *Store) unpack(ctx context.Context, file string) ([]byte, error) {
	packed, err := s.files.read(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("reading %s of %s: %w", file, s, err)
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("reading %s of %s: %w", file, s, err)
	}
	data, err := io.ReadAll(io.LimitReader(unpacked, mostBytes+1))
	if err == nil && len(data) > mostBytes {
		err = errors.New("it is too large to be a report")
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s of %s: %w", file, s, err)
	}
	return data, nil
}
