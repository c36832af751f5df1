package daemon

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// takeLock makes this the only daemon of its folder. The kernel gives the lock
// back however the daemon ends, so none is ever stale. The file names the
// daemon's process.
func takeLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, fmt.Errorf("another sandbox runs in this folder (%s is locked): %w", path, err)
	}
	if err := file.Truncate(0); err != nil {
		file.Close()
		return nil, err
	}
	if _, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
