// Package atomicfile writes files in one step: whoever reads one, or interrupts the
// writing, has all of the old file or all of the new one.
package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// Write writes a file aside, in the same folder, and renames it.
func Write(path string, data []byte, mode os.FileMode) error {
	aside, err := os.CreateTemp(filepath.Dir(path), ".writing-*")
	if err != nil {
		return err
	}
	defer os.Remove(aside.Name())
	_, err = aside.Write(data)
	if err := errors.Join(err, aside.Chmod(mode), aside.Close()); err != nil {
		return err
	}
	return os.Rename(aside.Name(), path)
}
