package supervise

import (
	"context"
	"slices"
	"time"
)

// Process is a program to keep running.
type Process struct {
	// Name is unique; its slashes are dashes in the name of the log file.
	Name string
	// Command is the program and its arguments.
	Command []string
	// Env is the whole environment: nothing of this process's own is passed on,
	// least of all a person's AWS credentials.
	Env []string
	Dir string
	// After names the processes that must be ready before this one starts.
	After []string
	// Before runs before each start, if it isn't nil; its error counts as a crash.
	Before func(context.Context) error
	// Ready returns nil as soon as the process does its work.
	Ready func(context.Context) error
	// Grace is how long it may take to end by itself once asked to.
	Grace time.Duration
	// Keeps says that the process has something to save. If the supervisor dies
	// it is asked to end; the others, which lose nothing, are killed.
	Keeps bool
}

// same tells whether a running process is the one that is wanted.
func (p Process) same(q Process) bool {
	return slices.Equal(p.Command, q.Command) && slices.Equal(p.Env, q.Env) && p.Dir == q.Dir
}

// State is where a process is in its life.
type State string

// The states of a process.
const (
	Waiting  State = "waiting"  // for the processes that it comes after
	Starting State = "starting" // runs, isn't ready yet
	Ready    State = "ready"
	Crashed  State = "crashed" // will be started again in a moment
	Stopping State = "stopping"
)

// Status is how a process does.
type Status struct {
	Name  string    `json:"name"`
	State State     `json:"state"`
	PID   int       `json:"pid,omitempty"`
	Since time.Time `json:"since"`
	// Restarts counts the starts after the first.
	Restarts int    `json:"restarts"`
	LastExit string `json:"lastExit,omitempty"`
	Log      string `json:"log"`
}
