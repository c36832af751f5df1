// Package watch waits until one of some files is saved. What counts is what is
// in the files: the system's notifications only say when to look, and where
// there are none it looks now and then. A file that isn't there yet can be
// waited for, too.
package watch
