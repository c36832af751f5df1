package build

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func builder(t *testing.T, makefile string) *Builder {
	t.Helper()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "Makefile"), []byte(makefile), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, ".sandbox", "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	b := New(root, t.TempDir(), slog.New(slog.DiscardHandler))
	t.Cleanup(b.Stop)
	return b
}

func TestMissingVersionIsBuiltOnce(t *testing.T) {
	b := builder(t, ".sandbox/bin/controlplane-1.35.4:\n\techo x >> runs; sleep 0.2; touch $@\n")
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var file string
		if file, err = b.ControlPlane("1.35.4"); err == nil {
			if want := filepath.Join(b.root, ".sandbox/bin/controlplane-1.35.4"); file != want {
				t.Errorf("got %s, want %s", file, want)
			}
			break
		}
		if !strings.Contains(err.Error(), "building control plane 1.35.4, about 6 minutes") {
			t.Errorf("while it builds: %v", err)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if runs, err := os.ReadFile(filepath.Join(b.root, "runs")); err != nil || string(runs) != "x\n" {
		t.Errorf("make ran %q, %v", runs, err)
	}
	if left := b.Status(); len(left) != 0 {
		t.Errorf("still building %v", left)
	}
}

func TestFailedBuildIsNotTriedAgain(t *testing.T) {
	b := builder(t, "")
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if _, err = b.ControlPlane("9.9.9"); err != nil && strings.Contains(err.Error(), "failed") {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "No rule to make target") {
		t.Errorf("got %v", err)
	}
	if status := b.Status(); len(status) != 1 || !status[0].Failed {
		t.Errorf("status %+v", status)
	}
}

func TestNewest(t *testing.T) {
	b := builder(t, "")
	if _, err := b.Newest(); err == nil || !strings.Contains(err.Error(), "run make sandbox") {
		t.Errorf("with none: %v", err)
	}
	for _, version := range []string{"1.9.12", "1.36.1", "1.35.10"} {
		if err := os.WriteFile(filepath.Join(b.root, target(version)), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := b.Newest(); err != nil || filepath.Base(got) != "controlplane-1.36.1" {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestCompareVersions(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"1.36.1", "1.36.1", 0}, {"v1.36.1", "1.36.1", 0}, {"1.9.1", "1.10.0", -1}, {"1.36.10", "1.36.9", 1}, {"2", "1.99.99", 1},
	}
	for _, test := range tests {
		if got := CompareVersions(test.a, test.b); got != test.want {
			t.Errorf("%s and %s: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
