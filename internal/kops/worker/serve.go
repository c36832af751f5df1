package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"k8s.io/klog/v2"

	"platform/internal/kops"
	"platform/internal/plan"
)

// Serve reads one request, does what it asks and writes messages, the result
// or the error last. It takes over the process: kops prints to standard output
// and logs by klog, both of which become events.
func Serve(ctx context.Context, in io.Reader, out *os.File) error {
	var request kops.Request
	if err := json.NewDecoder(in).Decode(&request); err != nil {
		return fmt.Errorf("kops worker: reading the request: %w", err)
	}
	w := &writer{out: out}
	restore, err := captureOutput(w, request.Verb)
	if err != nil {
		return err
	}
	result, err := do(ctx, request, w.event)
	said := restore()
	message := kops.Message{Result: result}
	if err != nil {
		message.Error = describe(ctx, err)
		if said != "" {
			message.Error.Message += ": " + said
		}
	}
	return w.write(message)
}

func do(ctx context.Context, request kops.Request, report plan.Report) (*kops.Result, error) {
	if request.Verb == kops.VerbValidate {
		return validate(request)
	}
	s, err := open(ctx, request, report)
	if err != nil {
		return nil, err
	}
	switch request.Verb {
	case kops.VerbPlan:
		return s.plan(ctx)
	case kops.VerbNetwork:
		return s.network(ctx)
	case kops.VerbApply:
		return s.apply(ctx)
	case kops.VerbVerify:
		return s.verify(ctx)
	case kops.VerbConnect:
		return s.connect(ctx)
	case kops.VerbPlanDelete:
		return s.planDelete(ctx)
	case kops.VerbDelete:
		return s.delete(ctx)
	}
	return nil, fmt.Errorf("kops worker: unknown verb %q", request.Verb)
}

// writer writes messages, one line each, from any goroutine.
type writer struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *writer) write(m kops.Message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err = w.out.Write(append(line, '\n'))
	return err
}

// event ignores a write that fails: it means that the parent is gone, which
// the next read or the signal that follows will tell.
func (w *writer) event(e plan.Event) { _ = w.write(kops.Message{Event: &e}) }

// captureOutput turns what kops logs into events, and what it prints into
// events, too, while it deletes. What else it prints is kept, since it belongs
// to the error that may follow: kops prints why it refuses a version, and
// returns only that it does. restore gives that back.
func captureOutput(w *writer, verb kops.Verb) (restore func() (said string), err error) {
	stdout := os.Stdout
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	// Each line once, and not once more for every lower severity.
	for name, value := range map[string]string{"logtostderr": "false", "one_output": "true", "stderrthreshold": "FATAL"} {
		if err := flags.Set(name, value); err != nil {
			return nil, err
		}
	}
	logs, logWriter := io.Pipe()
	klog.SetOutput(logWriter)
	var done sync.WaitGroup
	done.Go(func() {
		eachLine(logs, func(line string) {
			if e, ok := logEvent(line); ok {
				w.event(e)
			}
		})
	})
	reader, printed, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	var said []string
	done.Go(func() {
		eachLine(reader, func(line string) {
			text := strings.TrimSpace(line)
			if e, ok := deletionEvent(line); ok && verb == kops.VerbDelete {
				w.event(e)
			} else if strings.Trim(text, "*") != "" && len(said) < maxSaid {
				said = append(said, text)
			}
		})
	})
	os.Stdout = printed
	return func() string {
		os.Stdout = stdout
		printed.Close()
		klog.Flush()
		klog.SetOutput(io.Discard)
		logWriter.Close()
		done.Wait()
		return strings.Join(said, " ")
	}, nil
}

// eachLine visits the lines of r to its end. What comes behind a line too long
// to be one is read and dropped, so that the writer is never held up.
func eachLine(r io.Reader, visit func(line string)) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		visit(lines.Text())
	}
	_, _ = io.Copy(io.Discard, r)
}

// maxSaid bounds what is kept of the text that kops prints. A dry run ends by
// printing its whole plan, which nobody needs: the plan crosses as data.
const maxSaid = 12

// logEvent reads a line that klog wrote: a letter for the severity, date,
// time, process, place, a bracket, the message.
func logEvent(line string) (plan.Event, bool) {
	_, text, found := strings.Cut(line, "] ")
	if !found || text == "" {
		return plan.Event{}, false
	}
	e := plan.Event{Layer: plan.Kops, Action: "log", Detail: text, Transient: true}
	if line[0] == 'E' || line[0] == 'F' {
		e.Action = "warning"
		e.Transient = false
	}
	return e, true
}

// deletionEvent reads a line that kops prints while it deletes: the resource's
// type and name, a tab, and what became of it.
func deletionEvent(line string) (plan.Event, bool) {
	resource, outcome, found := strings.Cut(line, "\t")
	if !found || resource == "" {
		return plan.Event{}, false
	}
	if outcome == "ok" {
		return plan.Event{Layer: plan.Kops, Resource: resource, Action: "deleted"}, true
	}
	return plan.Event{Layer: plan.Kops, Resource: resource, Action: "waiting", Detail: outcome, Transient: true}, true
}

// describe gives an error the kind by which the parent knows its remedy.
func describe(ctx context.Context, err error) *kops.Error {
	var known *kops.Error
	switch {
	case errors.As(err, &known):
		return &kops.Error{Kind: known.Kind, Message: err.Error()}
	case ctx.Err() != nil:
		return &kops.Error{Kind: kops.KindInterrupted, Message: "kops: interrupted: " + err.Error()}
	}
	return &kops.Error{Kind: kindOf(err), Message: "kops: " + err.Error()}
}
