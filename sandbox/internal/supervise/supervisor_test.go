package supervise

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func newSupervisor(t *testing.T) *Supervisor {
	t.Helper()
	s := New(t.TempDir(), slog.New(slog.DiscardHandler))
	s.MinBackoff, s.MaxBackoff = 10*time.Millisecond, 40*time.Millisecond
	t.Cleanup(s.StopAll)
	return s
}

func shell(name, script string) Process {
	return Process{Name: name, Command: []string{"/bin/sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}}
}

func status(t *testing.T, s *Supervisor, name string) Status {
	t.Helper()
	for _, status := range s.Status() {
		if status.Name == name {
			return status
		}
	}
	t.Fatalf("no process %s in %v", name, s.Status())
	return Status{}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

func wait(t *testing.T, s *Supervisor, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Wait(ctx, name); err != nil {
		t.Fatal(err)
	}
}

func TestCrashedProcessIsStartedAgain(t *testing.T) {
	s := newSupervisor(t)
	s.Start(shell("a/b", "echo here; exec sleep 60"))
	wait(t, s, "a/b")
	first := status(t, s, "a/b")
	eventually(t, "its output", func() bool {
		log, err := os.ReadFile(s.LogFile("a/b"))
		return err == nil && string(log) == "here\n"
	})
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a restart", func() bool {
		now := status(t, s, "a/b")
		return now.State == Ready && now.Restarts == 1 && now.PID != first.PID
	})
	if got := status(t, s, "a/b").LastExit; got != "signal: killed" {
		t.Errorf("last exit is %q", got)
	}
	eventually(t, "the output of both in one log", func() bool {
		log, err := os.ReadFile(s.LogFile("a/b"))
		return err == nil && string(log) == "here\nhere\n"
	})
	if filepath.Base(s.LogFile("a/b")) != "a-b.log" {
		t.Errorf("log file is %s", s.LogFile("a/b"))
	}
}

func TestProgramThatIsMissing(t *testing.T) {
	s := newSupervisor(t)
	s.Start(Process{Name: "a", Command: []string{"/nonexistent"}})
	eventually(t, "a crash that says why", func() bool {
		now := status(t, s, "a")
		return now.State == Crashed && strings.Contains(now.LastExit, "no such file")
	})
}

func TestStartsInOrder(t *testing.T) {
	s := newSupervisor(t)
	ready := make(chan struct{})
	first := shell("first", "exec sleep 60")
	first.Ready = func(context.Context) error {
		select {
		case <-ready:
			return nil
		default:
			return errors.New("not yet")
		}
	}
	second := shell("second", "exec sleep 60")
	second.After = []string{"first"}
	s.Start(second)
	s.Start(first)
	eventually(t, "the first starting", func() bool { return status(t, s, "first").State == Starting })
	if got := status(t, s, "second"); got.State != Waiting || got.PID != 0 {
		t.Errorf("the second is %+v before the first is ready", got)
	}
	close(ready)
	wait(t, s, "second")
}

func TestBeforeRunsBeforeEachStart(t *testing.T) {
	s := newSupervisor(t)
	calls := make(chan struct{}, 100)
	p := shell("a", "exit 3")
	p.Before = func(context.Context) error {
		calls <- struct{}{}
		return nil
	}
	s.Start(p)
	eventually(t, "three starts", func() bool { return len(calls) >= 3 })
	if got := status(t, s, "a").LastExit; got != "exit status 3" {
		t.Errorf("last exit is %q", got)
	}
}

func TestStartReplacesAnotherCommand(t *testing.T) {
	s := newSupervisor(t)
	s.Start(shell("a", "exec sleep 60"))
	wait(t, s, "a")
	first := status(t, s, "a").PID
	s.Start(shell("a", "exec sleep 60"))
	if got := status(t, s, "a").PID; got != first {
		t.Errorf("the same command was started again: %d, was %d", got, first)
	}
	s.Start(shell("a", "exec sleep 61"))
	wait(t, s, "a")
	if got := status(t, s, "a").PID; got == first {
		t.Error("another command wasn't started")
	}
	if len(s.Status()) != 1 {
		t.Errorf("processes: %v", s.Status())
	}
}

func TestStopAsksThenInsists(t *testing.T) {
	tests := []struct {
		name, script, want string
	}{
		{"listens", `trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done`, "bye"},
		{"does not", `trap '' TERM; echo up; while :; do sleep 0.02; done`, "up"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSupervisor(t)
			p := shell("a", test.script)
			p.Grace = 300 * time.Millisecond
			p.Ready = func(context.Context) error {
				log, err := os.ReadFile(s.LogFile("a"))
				if err == nil && !strings.Contains(string(log), "up") {
					err = errors.New("not up")
				}
				return err
			}
			s.Start(p)
			wait(t, s, "a")
			pid := status(t, s, "a").PID
			s.Stop("a")
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("the process still exists: %v", err)
			}
			log, _ := os.ReadFile(s.LogFile("a"))
			if !strings.HasSuffix(strings.TrimSpace(string(log)), test.want) {
				t.Errorf("log %q", log)
			}
			if len(s.Status()) != 0 {
				t.Errorf("still known: %v", s.Status())
			}
		})
	}
}

func TestStopAllStopsWhatKeepsLast(t *testing.T) {
	s := newSupervisor(t)
	order := filepath.Join(t.TempDir(), "order")
	for _, name := range []string{"store", "cache", "server"} {
		p := shell(name, `trap 'echo `+name+` >> `+order+`; exit 0' TERM; echo up; while :; do sleep 0.02; done`)
		p.Keeps = name != "server"
		p.Ready = func(context.Context) error {
			if log, _ := os.ReadFile(s.LogFile(name)); len(log) == 0 {
				return errors.New("not up")
			}
			return nil
		}
		s.Start(p)
		wait(t, s, name)
	}
	s.StopAll()
	got, err := os.ReadFile(order)
	if err != nil || string(got) != "server\ncache\nstore\n" {
		t.Errorf("stopped in the order %q, %v", got, err)
	}
}

// Nothing of this process's environment reaches a child.
func TestEnvironmentIsNotInherited(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "real")
	s := newSupervisor(t)
	s.Start(shell("a", "env; exec sleep 60"))
	eventually(t, "output", func() bool {
		log, _ := os.ReadFile(s.LogFile("a"))
		return strings.Contains(string(log), "PATH=")
	})
	if log, _ := os.ReadFile(s.LogFile("a")); strings.Contains(string(log), "AWS_") {
		t.Errorf("the child has %s", log)
	}
}

func TestLogIsRotated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	l, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	l.max = 10
	for _, text := range []string{"12345", "67890", "abc", "def"} {
		if n, err := l.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("writing %q: %d, %v", text, n, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	for file, want := range map[string]string{path: "abcdef", path + ".1": "1234567890"} {
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s has %q, %v; want %q", file, got, err, want)
		}
	}
}
