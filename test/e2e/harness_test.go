//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// project is the checkout under test.
func project(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// site is a repository of an organisation, copied from this one, with a
// sandbox of its own.
type site struct {
	t    testing.TB
	root string
}

// copied is what a site has a copy of, so that tests may edit it; programs and
// whatever else is built is shared.
var copied = []string{"platform.yaml", "clusters", "addons", "lib"}

func newSite(t testing.TB) *site {
	t.Helper()
	from := project(t)
	s := &site{t: t, root: t.TempDir()}
	for _, name := range copied {
		if err := copyTree(filepath.Join(from, name), filepath.Join(s.root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(s.root, ".sandbox"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bin", "sandbox", "Makefile", ".sandbox/bin", ".sandbox/venv", ".sandbox/kwok"} {
		target := filepath.Join(from, name)
		if _, err := os.Stat(target); err != nil {
			if name == ".sandbox/kwok" {
				continue
			}
			t.Fatalf("%s isn't built: run `make build sandbox`", name)
		}
		if err := os.Symlink(target, filepath.Join(s.root, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			s.keepLogs()
		}
		s.run("sandbox", "down", "--purge")
	})
	return s
}

// keepLogs saves the sandbox's logs of a failed test, since its folder goes.
func (s *site) keepLogs() {
	to := filepath.Join(os.TempDir(), "platform-e2e-logs")
	if err := os.RemoveAll(to); err != nil {
		s.t.Log(err)
	}
	if err := copyTree(filepath.Join(s.root, ".sandbox", "logs"), to); err != nil {
		s.t.Log(err)
		return
	}
	s.t.Logf("the sandbox's logs are in %s", to)
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	})
}

// result is what a run of the tool printed and how it ended.
type result struct {
	args           []string
	stdout, stderr string
	code           int
	took           time.Duration
}

func (r result) String() string {
	return fmt.Sprintf("platform %s: exit code %d after %s\n--- stdout\n%s--- stderr\n%s",
		strings.Join(r.args, " "), r.code, r.took.Round(time.Millisecond), r.stdout, r.stderr)
}

func (s *site) environ(extra ...string) []string {
	var env []string
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "S3_") || strings.HasPrefix(name, "KOPS_") ||
			strings.HasPrefix(name, "PLATFORM_") || name == "KUBECONFIG" || name == "HTTPS_PROXY" {
			continue
		}
		env = append(env, pair)
	}
	return append(env, extra...)
}

func (s *site) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(project(s.t), "bin", "platform"), args...)
	cmd.Dir = s.root
	cmd.Env = s.environ("PLATFORM_SANDBOX=1")
	return cmd
}

// run runs the tool to its end.
func (s *site) run(args ...string) result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	return finish(s.t, s.command(ctx, args...))
}

func finish(t testing.TB, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr lockedBuffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	r := result{args: cmd.Args[1:], stdout: stdout.String(), stderr: stderr.String(), took: time.Since(start)}
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit):
		r.code = exit.ExitCode()
	default:
		t.Fatalf("%s: %v", strings.Join(cmd.Args, " "), err)
	}
	return r
}

// must runs the tool and expects an exit code.
func (s *site) must(code int, args ...string) result {
	s.t.Helper()
	r := s.run(args...)
	if r.code != code {
		s.t.Fatalf("want exit code %d:\n%s", code, r)
	}
	s.t.Logf("platform %s: %s", strings.Join(args, " "), r.took.Round(100*time.Millisecond))
	return r
}

// change, field: the tool's JSON, written anew here because scripts rely on
// its names.
type change struct {
	Layer    string  `json:"layer"`
	Op       string  `json:"op"`
	Resource string  `json:"resource"`
	Diff     []field `json:"diff"`
	Reason   string  `json:"reason"`
}

type field struct {
	Path string `json:"path"`
	From any    `json:"from"`
	To   any    `json:"to"`
}

// plan plans and gives the changes; the exit code must agree with them.
func (s *site) plan(cluster string) []change {
	s.t.Helper()
	r := s.run("plan", cluster, "--output", "json")
	var p struct {
		Cluster string         `json:"cluster"`
		Changes []change       `json:"changes"`
		Summary map[string]int `json:"summary"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &p); err != nil {
		s.t.Fatalf("%v in\n%s", err, r)
	}
	want := 0
	if len(p.Changes) > 0 {
		want = 2
	}
	if r.code != want || p.Cluster != cluster {
		s.t.Fatalf("%d changes of %q, but\n%s", len(p.Changes), p.Cluster, r)
	}
	return p.Changes
}

func describe(changes []change) string {
	var lines []string
	for _, c := range changes {
		line := fmt.Sprintf("%s %s %s", c.Layer, c.Op, c.Resource)
		for _, f := range c.Diff {
			line += fmt.Sprintf("\n    %s: %v → %v", f.Path, f.From, f.To)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// edit replaces a text in a file of the site, which must be there once.
func (s *site) edit(file, old, new string) {
	s.t.Helper()
	path := filepath.Join(s.root, file)
	data, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if n := strings.Count(string(data), old); n != 1 {
		s.t.Fatalf("%s has %q %d times", file, old, n)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(data), old, new, 1)), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// sandboxEnv is the environment that points other tools at the sandbox.
func (s *site) sandboxEnv() []string {
	s.t.Helper()
	r := s.must(0, "sandbox", "env")
	var env []string
	for line := range strings.Lines(r.stdout) {
		pair, ok := strings.CutPrefix(strings.TrimSpace(line), "export ")
		if !ok {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		env = append(env, name+"="+strings.Trim(value, `"'`))
	}
	return env
}

// tool runs another program against the sandbox and gives its output.
func (s *site) tool(program string, args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = s.root
	cmd.Env = s.environ(s.sandboxEnv()...)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			s.t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, out, exit.Stderr)
		}
		s.t.Fatal(err)
	}
	return string(out)
}

func (s *site) kubectl(args ...string) string {
	s.t.Helper()
	return s.tool(filepath.Join(project(s.t), "bin", "kubectl"), args...)
}

// lockedBuffer can be written by two goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
