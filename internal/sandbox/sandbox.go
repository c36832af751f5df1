package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	poll = 100 * time.Millisecond
	// The daemon answers at once when it lives, and gives up by itself when
	// something doesn't start.
	answerTimeout = 30 * time.Second
	startTimeout  = 5 * time.Minute
	// Clusters that don't come up in this time won't, or take minutes to build:
	// the commands that need them say so themselves.
	settleTimeout = 90 * time.Second
	stopTimeout   = 60 * time.Second

	maxLog = 10 << 20
)

// Sandbox is a sandbox that runs.
type Sandbox struct {
	options Options
	status  Status
}

// Up sees to it that the sandbox runs, and gives it once it works. Clusters that
// it has are waited for, too.
func Up(ctx context.Context, o Options) (*Sandbox, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := checkInstalled(o); err != nil {
		return nil, err
	}
	var status Status
	err = exclusively(ctx, o, func() error {
		status, err = ensure(ctx, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	if status, err = settle(ctx, o, status); err != nil {
		return nil, err
	}
	if err := writeFiles(o); err != nil {
		return nil, err
	}
	return &Sandbox{options: o, status: status}, nil
}

// Status is how the sandbox did when it was brought up.
func (s *Sandbox) Status() Status { return s.status }

// Down stops the sandbox. Its state stays for the next Up, unless it is purged:
// the emulated AWS, the clusters, the logs, the kubeconfig.
func Down(ctx context.Context, o Options, purge bool) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	if _, err := os.Stat(o.dir()); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return exclusively(ctx, o, func() error {
		if err := stop(ctx, o); err != nil {
			return err
		}
		if !purge {
			return nil
		}
		for _, path := range []string{o.dir("state"), o.dir("logs"), o.kubeconfig(), o.awsConfig(), o.awsCredentials(), o.socket(), o.lock()} {
			if err := os.RemoveAll(path); err != nil {
				return fmt.Errorf("purging the sandbox: %w", err)
			}
		}
		return nil
	})
}

// checkInstalled finds what make has to build first.
func checkInstalled(o Options) error {
	for _, path := range []string{o.program(), o.dir("bin", "kwok"), o.dir("kwok", "pod-ready.yaml"), o.dir("venv", "bin", "python")} {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("the sandbox isn't built (%s is missing): run make sandbox", path)
		}
	}
	return nil
}

// ensure gives the status of a daemon that is the one wanted and ready.
func ensure(ctx context.Context, o Options) (Status, error) {
	pid, err := daemonPID(o)
	if err != nil {
		return Status{}, err
	}
	if pid != 0 {
		status, err := awaitAnswer(ctx, o)
		switch {
		case err != nil:
			o.Progress("restarting the sandbox: it doesn't answer")
		case status.program != programID(o.program()):
			o.Progress("restarting the sandbox: it was rebuilt")
		case !slices.Equal(status.arguments, o.arguments()):
			o.Progress("restarting the sandbox: it is asked for other things")
		default:
			return awaitReady(ctx, o, nil)
		}
		if err := stop(ctx, o); err != nil {
			return Status{}, err
		}
	}
	exited, err := launch(o)
	if err != nil {
		return Status{}, err
	}
	return awaitReady(ctx, o, exited)
}

// launch starts the daemon, in a session of its own so that it outlives this
// process and its terminal. The channel gets its end, should that come soon.
func launch(o Options) (<-chan error, error) {
	o.Progress("starting the sandbox")
	if err := os.MkdirAll(filepath.Dir(o.log()), 0o755); err != nil {
		return nil, err
	}
	if info, err := os.Stat(o.log()); err == nil && info.Size() > maxLog {
		if err := os.Rename(o.log(), o.log()+".1"); err != nil {
			return nil, err
		}
	}
	log, err := os.OpenFile(o.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(o.program(), o.arguments()...)
	cmd.Dir, cmd.Env = o.Root, daemonEnv(os.Environ())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the sandbox: %w", err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	return exited, nil
}

// daemonEnv is what the daemon inherits: enough to run make and go, nothing
// that could lead to a real account or cluster.
func daemonEnv(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		for _, prefix := range []string{"AWS_", "S3_", "KOPS_", "KUBECONFIG=", "PLATFORM_"} {
			if strings.HasPrefix(pair, prefix) {
				return true
			}
		}
		return false
	})
}

// awaitAnswer asks a daemon that lives, which may just be starting.
func awaitAnswer(ctx context.Context, o Options) (Status, error) {
	deadline := time.Now().Add(answerTimeout)
	for {
		status, err := ask(ctx, o)
		if err == nil || time.Now().After(deadline) {
			return status, err
		}
		if err := sleep(ctx, poll); err != nil {
			return Status{}, err
		}
	}
}

// awaitReady waits until the daemon is ready, or has ended.
func awaitReady(ctx context.Context, o Options, exited <-chan error) (Status, error) {
	deadline := time.Now().Add(startTimeout)
	said := ""
	for {
		status, err := ask(ctx, o)
		if err == nil && status.Ready {
			return status, nil
		}
		if err == nil && status.Message != said {
			said = status.Message
			o.Progress(said)
		}
		if time.Now().After(deadline) {
			return Status{}, fmt.Errorf("the sandbox isn't ready after %s (%s): see %s", startTimeout, said, o.log())
		}
		select {
		case <-exited:
			return Status{}, fmt.Errorf("the sandbox didn't start: %s: see %s", lastLine(o.log()), o.log())
		case <-ctx.Done():
			return Status{}, ctx.Err()
		case <-time.After(poll):
		}
		if exited == nil {
			if pid, err := daemonPID(o); err == nil && pid == 0 {
				return Status{}, fmt.Errorf("the sandbox ended while it started: %s: see %s", lastLine(o.log()), o.log())
			}
		}
	}
}

// settle waits until the clusters serve that can.
func settle(ctx context.Context, o Options, status Status) (Status, error) {
	deadline := time.Now().Add(settleTimeout)
	said := ""
	for !status.Settled && time.Now().Before(deadline) {
		for _, c := range status.Clusters {
			if text := c.Name + ": " + c.Message; c.State == "starting" && c.Message != "" && text != said {
				said = text
				o.Progress(text)
			}
		}
		if err := sleep(ctx, poll); err != nil {
			return status, err
		}
		var err error
		if status, err = ask(ctx, o); err != nil {
			return status, err
		}
	}
	return status, nil
}

// stop asks the daemon to end and waits until it has; one that doesn't listen
// is made to.
func stop(ctx context.Context, o Options) error {
	pid, err := daemonPID(o)
	if err != nil || pid == 0 {
		return err
	}
	o.Progress("stopping the sandbox")
	if response, err := call(ctx, o, http.MethodPost, "/stop"); err == nil {
		response.Body.Close()
	} else if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stopping the sandbox, process %d: %w", pid, err)
	}
	for deadline, killed := time.Now().Add(stopTimeout), false; ; {
		left, err := daemonPID(o)
		if err != nil || left == 0 {
			return err
		}
		if time.Now().After(deadline) {
			if killed {
				return fmt.Errorf("the sandbox, process %d, doesn't end", pid)
			}
			// Its processes end with it.
			_ = syscall.Kill(pid, syscall.SIGKILL)
			deadline, killed = time.Now().Add(answerTimeout), true
		}
		if err := sleep(ctx, poll); err != nil {
			return err
		}
	}
}

// programID tells builds of the daemon apart, as the daemon itself does.
func programID(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d-%d", info.Size(), info.ModTime().UnixNano())
}

func lastLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}
