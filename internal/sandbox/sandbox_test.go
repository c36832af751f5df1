package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// standInEnv makes this test's program the daemon: it takes the lock, serves the
// status and obeys, as sandboxd does. Its value says how it misbehaves.
const standInEnv = "SANDBOX_TEST_DAEMON"

func TestMain(m *testing.M) {
	if mode, ok := os.LookupEnv(standInEnv); ok && len(os.Args) > 2 && os.Args[1] == "--root" {
		if err := standIn(os.Args[2], mode); err != nil {
			fmt.Fprintln(os.Stderr, "sandboxd:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func standIn(root, mode string) error {
	if mode == "fails" {
		return errors.New("python is missing: run make sandbox")
	}
	o := Options{Root: root}
	lock, err := os.OpenFile(o.lock(), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return err
	}
	if err := lock.Truncate(0); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(lock, os.Getpid()); err != nil {
		return err
	}
	starts, err := os.OpenFile(o.dir("starts"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	fmt.Fprintln(starts, strings.Join(os.Args[1:], " "))
	starts.Close()
	if mode == "deaf" {
		time.Sleep(time.Minute)
		return nil
	}
	_ = os.Remove(o.socket())
	listener, err := net.Listen("unix", o.socket())
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	began, program := time.Now(), programID(o.program())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		ready := time.Since(began) > 200*time.Millisecond
		message := "running"
		if !ready {
			message = "starting AWS"
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"pid": os.Getpid(), "program": program, "arguments": os.Args[1:], "ready": ready, "settled": ready,
			"message": message, "aws": "http://127.0.0.1:20001", "mirror": "http://127.0.0.1:20002", "proxy": "http://127.0.0.1:20003",
			"clusters": []any{map[string]any{"name": "dev.example.net", "state": "ready", "version": "1.36.1", "machines": []any{
				map[string]any{"id": "i-1", "ready": true}, map[string]any{"id": "i-2", "message": "waiting"},
			}}},
			"processes": []any{map[string]any{"name": "aws", "state": "ready", "log": "/logs/aws.log"}},
		})
	})
	mux.HandleFunc("POST /stop", func(http.ResponseWriter, *http.Request) {
		if mode != "stubborn" {
			close(stop)
		}
	})
	go func() { _ = http.Serve(listener, mux) }()
	<-stop
	return nil
}

// installed gives the options of a folder in which make sandbox has run, with
// the stand-in for a daemon.
func installed(t *testing.T, mode string) Options {
	t.Helper()
	t.Setenv(standInEnv, mode)
	o, err := Options{Root: t.TempDir()}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{o.dir("bin", "kwok"), o.dir("kwok", "pod-ready.yaml"), o.dir("venv", "bin", "python")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(self, o.program()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pid, err := daemonPID(o); err == nil && pid != 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return o
}

func starts(t *testing.T, o Options) []string {
	t.Helper()
	text, err := os.ReadFile(o.dir("starts"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func TestUpAndDown(t *testing.T) {
	o := installed(t, "")
	var said []string
	o.Progress = func(text string) { said = append(said, text) }
	s, err := Up(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(said, "; "); got != "starting the sandbox; starting AWS" {
		t.Errorf("said %q", got)
	}
	first := s.Status().PID
	if s, err = Up(t.Context(), o); err != nil || s.Status().PID != first || len(starts(t, o)) != 1 {
		t.Errorf("a second up: process %d, was %d; %v; starts %v", s.Status().PID, first, err, starts(t, o))
	}
	status, err := GetStatus(t.Context(), o)
	if err != nil || !status.Running || !status.Ready || status.PID != first {
		t.Errorf("status %+v, %v", status, err)
	}
	for _, part := range []string{"http://127.0.0.1:20001", "dev.example.net\t1.36.1\tready\t1 of 2 ready\ti-2: waiting", "aws\tready\t0\t/logs/aws.log"} {
		if !strings.Contains(status.String(), part) {
			t.Errorf("status for people lacks %q:\n%s", part, status)
		}
	}
	if err := Down(t.Context(), o, false); err != nil {
		t.Fatal(err)
	}
	status, err = GetStatus(t.Context(), o)
	if err != nil || status.Running || status.String() != "The sandbox is stopped." {
		t.Errorf("after down: %+v, %v", status, err)
	}
	if err := Down(t.Context(), o, false); err != nil {
		t.Errorf("a second down: %v", err)
	}
}

func TestTwoUpsAtOnceStartOneDaemon(t *testing.T) {
	o := installed(t, "")
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if _, err := Up(t.Context(), o); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if got := starts(t, o); len(got) != 1 {
		t.Errorf("daemons started: %v", got)
	}
}

func TestUpReplacesADaemonThatIsNotTheOneWanted(t *testing.T) {
	o := installed(t, "")
	up := func() int {
		t.Helper()
		s, err := Up(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return s.Status().PID
	}
	first := up()
	o.HostedZone = "example.org"
	second := up()
	if second == first {
		t.Error("asked for another zone, the old daemon stayed")
	}
	// As after make: the same program, written anew.
	self, err := os.ReadFile(o.program())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(o.program()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.program(), self, 0o755); err != nil {
		t.Fatal(err)
	}
	if third := up(); third == second {
		t.Error("rebuilt, the old daemon stayed")
	}
	if got := starts(t, o); len(got) != 3 || !strings.Contains(got[0], "--zone example.net") || !strings.Contains(got[2], "--zone example.org") {
		t.Errorf("daemons started: %q", got)
	}
}

func TestUpAfterADaemonWasKilled(t *testing.T) {
	o := installed(t, "")
	s, err := Up(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	first := s.Status().PID
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if pid, err := daemonPID(o); err == nil && pid == 0 {
			break
		}
	}
	// Its socket and the number of its process are still there.
	if _, err := os.Stat(o.socket()); err != nil {
		t.Fatal(err)
	}
	if status, err := GetStatus(t.Context(), o); err != nil || status.Running {
		t.Errorf("status of a killed daemon: %+v, %v", status, err)
	}
	if s, err = Up(t.Context(), o); err != nil || s.Status().PID == first {
		t.Errorf("up after it: %v", err)
	}
}

func TestUpFails(t *testing.T) {
	t.Run("not built", func(t *testing.T) {
		_, err := Up(t.Context(), Options{Root: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), "run make sandbox") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the daemon says why", func(t *testing.T) {
		o := installed(t, "fails")
		_, err := Up(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), "python is missing: run make sandbox") || !strings.Contains(err.Error(), "sandboxd.log") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		o := installed(t, "deaf")
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := Up(ctx, o); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestPurge(t *testing.T) {
	o := installed(t, "")
	if _, err := Up(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{o.dir("state", "ports.json"), o.kubeconfig()} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Down(t.Context(), o, true); err != nil {
		t.Fatal(err)
	}
	for path, stays := range map[string]bool{
		o.dir("state"): false, o.dir("logs"): false, o.kubeconfig(): false, o.awsConfig(): false, o.program(): true, o.dir("venv"): true,
	} {
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: %v, want it to stay: %v", path, err, stays)
		}
	}
	if err := Down(t.Context(), Options{Root: t.TempDir()}, true); err != nil {
		t.Errorf("purging where nothing was: %v", err)
	}
}

func TestEnv(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_S3", "https://s3.example.com")
	t.Setenv("AWS_PROFILE", "production")
	t.Setenv("AWS_SESSION_TOKEN", "real")
	o := installed(t, "")
	s, err := Up(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	env := s.Env()
	for key, want := range map[string]string{
		"AWS_ENDPOINT_URL": "http://127.0.0.1:20001", "S3_ENDPOINT": "http://127.0.0.1:20001", "AWS_REGION": "eu-central-1",
		"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "default", "AWS_ENDPOINT_URL_S3": "",
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "", "KOPS_BASE_URL": "http://127.0.0.1:20002/kops/1.36.2/",
		"KOPS_STATE_STORE": "s3://example-net-kops-state", "PLATFORM_API_PROXY": "http://127.0.0.1:20003",
		"KUBECONFIG": o.kubeconfig(), "PLATFORM_ROLLING_INTERVAL": "1s",
	} {
		if got, ok := env[key]; !ok || got != want {
			t.Errorf("%s is %q (%v), want %q", key, got, ok, want)
		}
	}
	for _, key := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		text, err := os.ReadFile(env[key])
		if err != nil || strings.Contains(string(text), "=") {
			t.Errorf("%s: %q, %v", key, text, err)
		}
	}
}

func TestDaemonEnv(t *testing.T) {
	got := daemonEnv([]string{"PATH=/bin", "HOME=/home/me", "AWS_SECRET_ACCESS_KEY=real", "KUBECONFIG=/home/me/.kube/config", "KOPS_STATE_STORE=s3://real", "GOPROXY=off"})
	if want := "PATH=/bin HOME=/home/me GOPROXY=off"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
