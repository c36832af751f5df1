package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const lockPoll = 100 * time.Millisecond

// exclusively runs one of several calls at a time, across processes, so that
// two of them don't start two daemons. The kernel gives the lock of a process
// back that dies, so none is ever stale.
func exclusively(ctx context.Context, o Options, run func() error) error {
	if err := os.MkdirAll(o.dir(), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(o.dir("up.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	for told := false; ; told = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return run()
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("locking %s: %w", file.Name(), err)
		}
		if !told {
			o.Progress("waiting for another command that starts or stops the sandbox")
		}
		if err := sleep(ctx, lockPoll); err != nil {
			return err
		}
	}
}

// daemonPID gives the process of the daemon that runs in a folder, 0 if none
// does. The daemon holds its lock as long as it lives.
func daemonPID(o Options) (int, error) {
	file, err := os.OpenFile(o.lock(), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return 0, nil // closing the file gives the lock back
	}
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return 0, fmt.Errorf("locking %s: %w", o.lock(), err)
	}
	text, err := os.ReadFile(o.lock())
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s names no process: %w", filepath.Base(o.lock()), err)
	}
	return pid, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
