// Package build makes the control-plane programs that are asked for and missing.
// One Kubernetes version takes minutes, so only the newest is built beforehand.
package build

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Builder builds each missing version once.
type Builder struct {
	root   string
	logDir string
	log    *slog.Logger

	mu     sync.Mutex
	builds map[string]*Status
	cancel context.CancelFunc
	ctx    context.Context
	wait   sync.WaitGroup
}

// Status is how a build does.
type Status struct {
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Failed  bool      `json:"failed,omitempty"`
	Message string    `json:"message"`
	Log     string    `json:"log"`
}

// New gives the builder of the repository at root.
func New(root, logDir string, log *slog.Logger) *Builder {
	ctx, cancel := context.WithCancel(context.Background())
	return &Builder{root: root, logDir: logDir, log: log, builds: map[string]*Status{}, ctx: ctx, cancel: cancel}
}

// target is the program of a version, as make knows it.
func target(version string) string { return ".sandbox/bin/controlplane-" + version }

// ControlPlane gives the program of a Kubernetes version, and starts to build it
// if it is missing; until it is there, the error says how that goes.
func (b *Builder) ControlPlane(version string) (string, error) {
	file := filepath.Join(b.root, target(version))
	b.mu.Lock()
	defer b.mu.Unlock()
	status := b.builds[version]
	if status == nil {
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
		status = &Status{
			Version: version, Started: time.Now(), Log: filepath.Join(b.logDir, "build-controlplane-"+version+".log"),
			Message: "building control plane " + version + ", about 6 minutes",
		}
		b.builds[version] = status
		b.wait.Go(func() { b.build(version, status.Log) })
	}
	return "", fmt.Errorf("%s (%s)", status.Message, status.Log)
}

// Newest gives the newest control-plane program there is.
func (b *Builder) Newest() (string, error) {
	files, err := filepath.Glob(filepath.Join(b.root, target("*")))
	if err != nil {
		return "", err
	}
	if len(files) == 0 {
		return "", fmt.Errorf("%s is missing: run make sandbox", filepath.Join(b.root, target("VERSION")))
	}
	return slices.MaxFunc(files, func(a, c string) int {
		return CompareVersions(strings.TrimPrefix(filepath.Base(a), "controlplane-"), strings.TrimPrefix(filepath.Base(c), "controlplane-"))
	}), nil
}

// Status lists the builds under way and those that failed.
func (b *Builder) Status() []Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Status, 0, len(b.builds))
	for _, status := range b.builds {
		out = append(out, *status)
	}
	slices.SortFunc(out, func(x, y Status) int { return CompareVersions(x.Version, y.Version) })
	return out
}

// Stop ends the builds under way.
func (b *Builder) Stop() {
	b.cancel()
	b.wait.Wait()
}

func (b *Builder) build(version, logPath string) {
	b.log.Info("building", "target", target(version), "log", logPath)
	output, err := b.make(version, logPath)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.log.Info("built", "target", target(version))
		delete(b.builds, version)
		return
	}
	b.log.Error("build failed", "target", target(version), "error", err)
	b.builds[version].Failed = true
	b.builds[version].Message = fmt.Sprintf("building control plane %s failed: %s", version, lastLine(output, err))
}

func (b *Builder) make(version, logPath string) (string, error) {
	// Politely: the sandbox and its user have only this machine.
	cmd := exec.CommandContext(b.ctx, "nice", "-n", "10", "make", "--no-print-directory", "-C", b.root, target(version))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// make's children are to end with it.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	output, err := cmd.CombinedOutput()
	if writeErr := os.WriteFile(logPath, output, 0o644); err == nil {
		err = writeErr
	}
	return string(output), err
}

func lastLine(output string, err error) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return last
	}
	return err.Error()
}

// CompareVersions orders versions like 1.36.1 and v1.9.10 by their numbers.
func CompareVersions(a, b string) int {
	x, y := numbers(a), numbers(b)
	return slices.Compare(x, y)
}

func numbers(version string) []int {
	var out []int
	for part := range strings.SplitSeq(strings.TrimPrefix(version, "v"), ".") {
		n := 0
		_, _ = fmt.Sscanf(part, "%d", &n)
		out = append(out, n)
	}
	return out
}
