package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	probeInterval = 200 * time.Millisecond
	probeTimeout  = 5 * time.Second
	// A process that ran this long starts over with the shortest wait when it
	// crashes.
	healthyAfter = 30 * time.Second
	defaultGrace = 5 * time.Second
)

// Supervisor keeps processes running until it is told to stop them.
type Supervisor struct {
	// MinBackoff and MaxBackoff bound the wait before a crashed process is
	// started again.
	MinBackoff, MaxBackoff time.Duration

	logDir string
	log    *slog.Logger

	mu sync.Mutex
	// kept are the processes in the order in which they were started.
	kept []*keeper
}

// New gives a supervisor that writes logs to a folder, one file a process.
func New(logDir string, log *slog.Logger) *Supervisor {
	return &Supervisor{MinBackoff: 500 * time.Millisecond, MaxBackoff: 15 * time.Second, logDir: logDir, log: log}
}

// Start sees to it that a process runs. One of that name with another command
// is stopped first.
func (s *Supervisor) Start(p Process) {
	if old := s.find(p.Name); old != nil {
		if old.process.same(p) {
			return
		}
		s.Stop(p.Name)
	}
	ctx, cancel := context.WithCancel(context.Background())
	k := &keeper{
		supervisor: s, process: p, cancel: cancel, done: make(chan struct{}),
		status: Status{Name: p.Name, State: Waiting, Since: time.Now(), Log: s.LogFile(p.Name)},
	}
	s.mu.Lock()
	s.kept = append(s.kept, k)
	s.mu.Unlock()
	go k.run(ctx)
}

// Stop stops the named processes and waits until they are gone. Those that
// don't run are none of its business.
func (s *Supervisor) Stop(names ...string) {
	var wait []*keeper
	for _, name := range names {
		if k := s.find(name); k != nil {
			k.cancel()
			wait = append(wait, k)
		}
	}
	for _, k := range wait {
		<-k.done
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range wait {
		for i := range s.kept {
			if s.kept[i] == k {
				s.kept = append(s.kept[:i:i], s.kept[i+1:]...)
				break
			}
		}
	}
}

// StopAll stops every process: first, all at once, those that lose nothing,
// then the others in the reverse of the order in which they were started.
func (s *Supervisor) StopAll() {
	s.mu.Lock()
	var quick, keeping []string
	for _, k := range s.kept {
		if k.process.Keeps {
			keeping = append([]string{k.process.Name}, keeping...)
		} else {
			quick = append(quick, k.process.Name)
		}
	}
	s.mu.Unlock()
	s.Stop(quick...)
	for _, name := range keeping {
		s.Stop(name)
	}
}

// Ready tells whether a process runs and does its work.
func (s *Supervisor) Ready(name string) bool {
	k := s.find(name)
	return k != nil && k.get().State == Ready
}

// Wait waits until a process is ready.
func (s *Supervisor) Wait(ctx context.Context, name string) error {
	tick := time.NewTicker(probeInterval / 4)
	defer tick.Stop()
	for !s.Ready(name) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", name, ctx.Err())
		}
	}
	return nil
}

// Status is how every process does, in the order in which they were started.
func (s *Supervisor) Status() []Status {
	s.mu.Lock()
	kept := append([]*keeper(nil), s.kept...)
	s.mu.Unlock()
	out := make([]Status, len(kept))
	for i, k := range kept {
		out[i] = k.get()
	}
	return out
}

// LogFile is where a process's output goes.
func (s *Supervisor) LogFile(name string) string {
	return filepath.Join(s.logDir, strings.ReplaceAll(name, "/", "-")+".log")
}

func (s *Supervisor) find(name string) *keeper {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.kept {
		if k.process.Name == name {
			return k
		}
	}
	return nil
}

// keeper keeps one process running.
type keeper struct {
	supervisor *Supervisor
	process    Process
	cancel     context.CancelFunc
	done       chan struct{}

	mu     sync.Mutex
	status Status
}

func (k *keeper) get() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.status
}

func (k *keeper) set(change func(*Status)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.status.State
	change(&k.status)
	if k.status.State != before {
		k.status.Since = time.Now()
	}
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.done)
	// The kernel ties a child's death signal to the thread that started it, not
	// to the process: this goroutine keeps its thread until the child is gone.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	log := k.supervisor.log.With("process", k.process.Name)
	backoff := k.supervisor.MinBackoff
	for starts := 0; ; starts++ {
		for _, name := range k.process.After {
			if err := k.supervisor.Wait(ctx, name); err != nil {
				return
			}
		}
		started := time.Now()
		err := k.once(ctx, starts)
		if ctx.Err() != nil {
			log.Info("stopped")
			return
		}
		if time.Since(started) > healthyAfter {
			backoff = k.supervisor.MinBackoff
		}
		exit := "exited"
		if err != nil {
			exit = err.Error()
		}
		log.Warn("crashed", "exit", exit, "restart in", backoff)
		k.set(func(s *Status) { s.State, s.PID, s.LastExit = Crashed, 0, exit })
		select {
		case <-time.After(backoff):
		case <-ctx.Done():
			return
		}
		backoff = min(2*backoff, k.supervisor.MaxBackoff)
	}
}

// once runs the process to its end, which is asked for when ctx is done.
func (k *keeper) once(ctx context.Context, starts int) error {
	if k.process.Before != nil {
		if err := k.process.Before(ctx); err != nil {
			return fmt.Errorf("before the start: %w", err)
		}
	}
	out, err := openLog(k.supervisor.LogFile(k.process.Name))
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(k.process.Command[0], k.process.Command[1:]...)
	cmd.Env, cmd.Dir = k.process.Env, k.process.Dir
	cmd.Stdout, cmd.Stderr = out, out
	// Grandchildren that keep the output open must not hold up the end.
	cmd.WaitDelay = time.Second
	death := syscall.SIGKILL
	if k.process.Keeps {
		death = syscall.SIGTERM
	}
	// Its own process group, so that Ctrl-C on a supervisor in the foreground
	// reaches the supervisor alone, which then stops everything in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: death, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	k.supervisor.log.Info("started", "process", k.process.Name, "pid", cmd.Process.Pid)
	k.set(func(s *Status) { s.State, s.PID, s.Restarts = Starting, cmd.Process.Pid, starts })

	over, stopWatching := context.WithCancel(ctx)
	var watchers sync.WaitGroup
	watchers.Go(func() { k.probe(over) })
	ended := make(chan struct{})
	watchers.Go(func() { k.end(ctx, cmd, ended) })
	err = cmd.Wait()
	close(ended)
	stopWatching()
	watchers.Wait()
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}

// probe asks the process whether it is ready until it is.
func (k *keeper) probe(ctx context.Context) {
	for k.process.Ready != nil {
		probing, cancel := context.WithTimeout(ctx, probeTimeout)
		err := k.process.Ready(probing)
		cancel()
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(probeInterval):
		}
	}
	if ctx.Err() == nil {
		k.set(func(s *Status) { s.State = Ready })
	}
}

// end asks the process to end when it is to be stopped, and insists when its
// time is up.
func (k *keeper) end(ctx context.Context, cmd *exec.Cmd, ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	k.set(func(s *Status) { s.State = Stopping })
	_ = cmd.Process.Signal(syscall.SIGTERM)
	grace := k.process.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	select {
	case <-ended:
	case <-time.After(grace):
		k.supervisor.log.Warn("killed: didn't end by itself", "process", k.process.Name, "after", grace)
		_ = cmd.Process.Kill()
	}
}
