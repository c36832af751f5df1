package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platform/internal/drift"
	"platform/internal/plan"
)

func night(n int) time.Time { return time.Date(2026, 11, n, 2, 0, 0, 0, time.UTC) }

func report(at time.Time, previous *drift.Report, clusters ...string) *drift.Report {
	var looks []drift.Look
	for _, name := range clusters {
		looks = append(looks, drift.Look{Cluster: name, Changes: []plan.Change{
			{Layer: plan.Addons, Op: plan.Update, Resource: "Deployment a/b", Diff: []plan.Field{{Path: "spec.replicas", From: 1.0, To: 2.0}}},
		}})
	}
	return drift.Make(drift.About{Time: at, Tool: "v1", Repository: "example", Commit: "abc"}, looks, previous, nil)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eachStore runs a test on a folder and on S3.
func eachStore(t *testing.T, test func(*testing.T, *Store)) {
	t.Run("folder", func(t *testing.T) { test(t, Dir(filepath.Join(t.TempDir(), "not", "yet"))) })
	t.Run("S3", func(t *testing.T) { test(t, newBucket(t)) })
}

func TestNights(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		if r, err := s.Latest(ctx, []string{"dev"}); r != nil || err != nil {
			t.Fatalf("an empty store: %v, %v", r, err)
		}
		if list, err := s.List(ctx, 30); len(list) != 0 || err != nil {
			t.Fatalf("an empty store: %v, %v", list, err)
		}
		must(t, s.Prune(ctx, time.Hour))

		first := report(night(1), nil, "dev", "int")
		must(t, s.Put(ctx, first))
		got, err := s.Latest(ctx, []string{"dev", "int"})
		must(t, err)
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("what was kept isn't what was put:\n%s", diff)
		}

		// Somebody looks at dev alone: int goes on from where it was.
		must(t, s.Put(ctx, report(night(2), got, "dev")))
		got, err = s.Latest(ctx, []string{"int", "dev", "web"})
		must(t, err)
		third := report(night(3), got, "dev", "int", "web")
		var told []string
		for _, c := range third.Clusters {
			compared := "nothing"
			if c.Previous != nil {
				compared = fmt.Sprint(c.Previous.Day())
			}
			told = append(told, fmt.Sprintf("%s %s since %d, compared with %s", c.Name, c.Findings[0].Status, c.Findings[0].FirstSeen.Day(), compared))
		}
		if diff := cmp.Diff([]string{"dev open since 1, compared with 2", "int open since 1, compared with 1", "web new since 3, compared with nothing"}, told); diff != "" {
			t.Error(diff)
		}
		if got.Clusters[0].Name != "int" || len(got.Clusters) != 2 {
			t.Error("not in the order asked for")
		}
		must(t, s.Put(ctx, third))
		must(t, s.Put(ctx, report(night(3).Add(time.Hour), nil, "dev")))

		list, err := s.List(ctx, 2)
		must(t, err)
		var dates []string
		for _, entry := range list {
			dates = append(dates, fmt.Sprintf("%s %d", entry.Time.Format("02T15"), len(entry.Clusters)))
		}
		if diff := cmp.Diff([]string{"02T02 1", "03T02 3", "03T03 1"}, dates); diff != "" {
			t.Errorf("the last two nights:\n%s", diff)
		}
		if want := (drift.Tally{State: drift.Drifted, Current: 1, New: 1}); list[1].Clusters["web"] != want || list[1].Commit != "abc" {
			t.Errorf("got %+v", list[1])
		}

		// A day and a half before the fourth: the third night stays.
		s.now = func() time.Time { return night(4) }
		must(t, s.Prune(ctx, 36*time.Hour))
		list, err = s.List(ctx, 30)
		must(t, err)
		if len(list) != 2 || list[0].Time.Day() != 3 {
			t.Errorf("after pruning: %+v", list)
		}
		for _, folder := range []string{index, reports} {
			if names, err := s.files.list(ctx, folder); err != nil || len(names) != 2 {
				t.Errorf("%s: %v, %v", folder, names, err)
			}
		}
		// A store that nobody wrote to for long doesn't forget everything.
		s.now = func() time.Time { return night(4).AddDate(1, 0, 0) }
		must(t, s.Prune(ctx, time.Hour))
		if got, err := s.Latest(ctx, []string{"dev"}); err != nil || got == nil || got.Time.Hour() != 3 {
			t.Errorf("the newest report was pruned: %v, %v", got, err)
		}
	})
}

func TestWritersAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		const writers = 12
		var all sync.WaitGroup
		failures := make([]error, writers)
		for i := range writers {
			// Of one moment, as shards make them.
			all.Go(func() { failures[i] = s.Put(t.Context(), report(night(1), nil, fmt.Sprint("c", i))) })
		}
		all.Wait()
		must(t, errors.Join(failures...))
		var names []string
		for i := range writers {
			names = append(names, fmt.Sprint("c", i))
		}
		got, err := s.Latest(t.Context(), names)
		must(t, err)
		if len(got.Clusters) != writers {
			t.Errorf("%d of %d reports were kept", len(got.Clusters), writers)
		}
		if list, err := s.List(t.Context(), 1); err != nil || len(list) != writers {
			t.Errorf("%d entries, %v", len(list), err)
		}
	})
}

func TestWhatIsNotOurs(t *testing.T) {
	eachStore(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		must(t, s.Put(ctx, report(night(1), nil, "dev")))
		must(t, s.files.write(ctx, index+"/README.txt", []byte("hands off")))
		must(t, s.files.write(ctx, index+"/20261101-old.json.gz", []byte("hands off")))
		if list, err := s.List(ctx, 30); err != nil || len(list) != 1 {
			t.Errorf("%v, %v", list, err)
		}
		s.now = func() time.Time { return night(1).AddDate(5, 0, 0) }
		must(t, s.Put(ctx, report(night(2), nil, "dev")))
		must(t, s.Prune(ctx, time.Hour))
		names, err := s.files.list(ctx, index)
		must(t, err)
		if !slices.Contains(names, "README.txt") || len(names) != 3 {
			t.Errorf("left: %v", names)
		}

		// A report that is gone while its entry is read: the one before counts.
		must(t, s.Put(ctx, report(night(3), nil, "dev")))
		all, err := s.files.list(ctx, reports)
		must(t, err)
		must(t, s.files.remove(ctx, []string{reports + "/" + slices.Max(all), reports + "/isn't there"}))
		if got, err := s.Latest(ctx, []string{"dev"}); err != nil || got == nil || got.Time.Day() != 2 {
			t.Errorf("got %v, %v", got, err)
		}

		// What is broken is named, not passed over: findings would be new again.
		must(t, s.files.write(ctx, index+"/20261105T020000.000Z-aa.json.gz", []byte("not packed")))
		if _, err := s.Latest(ctx, []string{"dev"}); err == nil || !strings.Contains(err.Error(), "reading index/20261105T020000.000Z-aa.json.gz of "+s.String()+": ") {
			t.Errorf("got %v", err)
		}
	})
}

func TestOtherSchema(t *testing.T) {
	s := Dir(t.TempDir())
	r := report(night(1), nil, "dev")
	r.SchemaVersion, r.Tool = drift.SchemaVersion+1, "v9"
	must(t, s.Put(t.Context(), r))
	if _, err := s.Latest(t.Context(), []string{"dev"}); err == nil || !strings.Contains(err.Error(), `schema version 2 (written by tool version "v9"); this tool reads version 1`) {
		t.Errorf("got %v", err)
	}
}

func TestDirLeavesNothingBehind(t *testing.T) {
	path := t.TempDir()
	s := Dir(path)
	must(t, s.Put(t.Context(), report(night(1), nil, "dev")))
	must(t, os.Mkdir(filepath.Join(path, index, "20261102T020000.000Z-aa.json.gz"), 0o755))
	if list, err := s.List(t.Context(), 1); err != nil || len(list) != 1 {
		t.Errorf("a folder isn't an entry: %v, %v", list, err)
	}
	err := s.files.write(t.Context(), index+"/20261102T020000.000Z-aa.json.gz", []byte("x"))
	if err == nil {
		t.Error("a folder was overwritten")
	}
	var names []string
	must(t, filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if strings.HasPrefix(entry.Name(), ".") {
			names = append(names, name)
		}
		return err
	}))
	if len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}

func TestPutFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, bytes.Repeat([]byte("x"), 3), 0o644))
	err := Dir(file).Put(context.Background(), report(night(1), nil, "dev"))
	if err == nil || !strings.Contains(err.Error(), "keeping the report in "+file+": ") {
		t.Errorf("got %v", err)
	}
}
