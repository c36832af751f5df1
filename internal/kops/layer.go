package kops

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"platform/internal/plan"
)

// Options are what a Layer works with.
type Options struct {
	Spec Spec
	// Worker is the command that starts a worker: the tool itself and its
	// hidden subcommand.
	Worker []string
	// TargetGroups finds the ARNs of the target groups to attach the nodes
	// to. It returns none as long as they don't exist.
	TargetGroups func(context.Context) ([]string, error)
	// EnsureTargetGroups creates them where they are missing. It is called
	// once the network stands and before any machine does.
	EnsureTargetGroups func(context.Context) ([]string, []plan.Change, error)
	// Proxy is the URL of the proxy through which the API is reached.
	Proxy    string
	Settings Settings
	Report   plan.Report
}

// Layer is the kops layer of one cluster.
type Layer struct {
	opts Options

	mu         sync.Mutex
	connection *Connection
}

// New makes the layer. It does nothing yet.
func New(opts Options) *Layer {
	if opts.Report == nil {
		opts.Report = func(plan.Event) {}
	}
	return &Layer{opts: opts}
}

// Name is plan.Kops.
func (l *Layer) Name() plan.Layer { return plan.Kops }

// Plan lists what differs between git and the state store, AWS and the
// machines, what kops would delete, and which machines would be rolled.
func (l *Layer) Plan(ctx context.Context) ([]plan.Change, error) {
	arns, err := l.opts.TargetGroups(ctx)
	if err != nil {
		return nil, err
	}
	result, err := l.run(ctx, VerbPlan, arns)
	if err != nil {
		return nil, err
	}
	return result.Changes, nil
}

// Declared lists the manifests.
func (l *Layer) Declared() []string {
	out := []string{"Cluster/" + l.opts.Spec.Name()}
	for _, name := range l.opts.Spec.groupNames() {
		out = append(out, "InstanceGroup/"+name)
	}
	return out
}

// Apply makes it so, in the order of kops' own reconcile, and returns what it
// did. The target groups that nodes register with are made on the way, after
// the network and before the machines.
func (l *Layer) Apply(ctx context.Context) ([]plan.Change, error) {
	var done []plan.Change
	arns, err := l.opts.TargetGroups(ctx)
	if err != nil {
		return nil, err
	}
	if l.opts.EnsureTargetGroups != nil {
		if len(arns) == 0 {
			result, err := l.run(ctx, VerbNetwork, nil)
			done = append(done, result.Changes...)
			if err != nil {
				return done, err
			}
		}
		var made []plan.Change
		arns, made, err = l.opts.EnsureTargetGroups(ctx)
		done = append(done, made...)
		if err != nil {
			return done, err
		}
	}
	result, err := l.run(ctx, VerbApply, arns)
	return append(done, result.Changes...), err
}

// Verify validates the cluster as `kops validate cluster` does, once.
func (l *Layer) Verify(ctx context.Context) ([]plan.Health, error) {
	result, err := l.run(ctx, VerbVerify, nil)
	if err != nil {
		return nil, err
	}
	if !result.Exists {
		return []plan.Health{{
			Layer: plan.Kops, Stack: "cluster", Resource: "Cluster/" + l.opts.Spec.Name(), State: plan.Missing,
			Reason: "not in the state store " + l.opts.Spec.StateStore,
		}}, nil
	}
	return result.Health, nil
}

// Validate judges the manifests by themselves, as kops' API does. It needs
// neither a network nor credentials.
func (l *Layer) Validate(ctx context.Context) ([]Problem, error) {
	result, err := l.run(ctx, VerbValidate, nil)
	return result.Problems, err
}

// PlanDelete lists what Delete would delete.
func (l *Layer) PlanDelete(ctx context.Context) ([]plan.Change, error) {
	result, err := l.run(ctx, VerbPlanDelete, nil)
	if err != nil {
		return nil, err
	}
	return result.Changes, nil
}

// Delete deletes the cluster's AWS resources and then its state.
func (l *Layer) Delete(ctx context.Context) ([]plan.Change, error) {
	result, err := l.run(ctx, VerbDelete, nil)
	return result.Changes, err
}

// Connect gives credentials for the cluster's API, or nil while there is no
// cluster. They are issued once per Layer and cluster.
func (l *Layer) Connect(ctx context.Context) (*Connection, error) {
	l.mu.Lock()
	connection := l.connection
	l.mu.Unlock()
	if connection != nil {
		return connection, nil
	}
	result, err := l.run(ctx, VerbConnect, nil)
	if err != nil {
		return nil, err
	}
	return result.Connection, nil
}

// stopGrace is how long an interrupted worker has for the AWS calls that are
// under way.
const stopGrace = 20 * time.Second

// run starts a worker for one verb. The result is never nil.
func (l *Layer) run(ctx context.Context, verb Verb, targetGroups []string) (*Result, error) {
	empty := &Result{}
	request, err := json.Marshal(Request{
		Verb: verb, Spec: l.opts.Spec, TargetGroups: targetGroups, Proxy: l.opts.Proxy, Settings: l.opts.Settings,
	})
	if err != nil {
		return empty, err
	}
	cmd := exec.CommandContext(ctx, l.opts.Worker[0], l.opts.Worker[1:]...)
	cmd.Stdin = strings.NewReader(string(request))
	// The terminal's Ctrl-C must reach the parent alone, which then stops
	// the worker in its own time.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopGrace
	var stderr tail
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return empty, err
	}
	if err := cmd.Start(); err != nil {
		return empty, fmt.Errorf("kops: starting the worker: %w", err)
	}
	result, workErr := l.read(stdout)
	waitErr := cmd.Wait()
	if result == nil {
		result = empty
	}
	l.mu.Lock()
	if result.Connection != nil {
		l.connection = result.Connection
	}
	if verb == VerbDelete {
		l.connection = nil
	}
	l.mu.Unlock()
	switch {
	case workErr != nil:
		return result, workErr
	case ctx.Err() != nil:
		return result, ctx.Err()
	case waitErr != nil:
		return result, fmt.Errorf("kops: the worker for %q broke off: %w\n%s", verb, waitErr, stderr.String())
	}
	return result, nil
}

func (l *Layer) read(stdout io.Reader) (result *Result, err error) {
	reader := bufio.NewReader(stdout)
	for {
		line, readErr := reader.ReadBytes('\n')
		if len(line) > 0 {
			var m Message
			if jsonErr := json.Unmarshal(line, &m); jsonErr != nil {
				return result, fmt.Errorf("kops: the worker wrote %.80q: %w", line, jsonErr)
			}
			if m.Event != nil {
				l.opts.Report(*m.Event)
			}
			if m.Result != nil {
				result = m.Result
			}
			if m.Error != nil {
				err = m.Error
			}
		}
		if errors.Is(readErr, io.EOF) {
			return result, err
		}
		if readErr != nil {
			return result, readErr
		}
	}
}

// tail keeps the last few kilobytes written to it.
type tail struct{ text []byte }

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailSize; extra > 0 {
		t.text = t.text[extra:]
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.text)) }
