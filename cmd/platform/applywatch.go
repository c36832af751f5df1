package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"platform/internal/render"
	"platform/internal/ui"
	"platform/internal/watch"
)

// watch applies the file again and again, until ctx ends. A save ends the wait
// of the round before: nobody waits for what has been written over.
func (a *applying) watch(ctx context.Context) error {
	watcher := watch.New(a.options.Root)
	defer watcher.Close()
	defer func() { a.progress.Step("stopped") }()
	var paths []string
	start := time.Now()
	for first := true; ; first = false {
		paths = a.follow(watcher, paths)
		round, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			a.round(ctx, round, start)
		}()
		if first {
			a.progress.Step("watching %s and the files that it imports; Ctrl-C ends it", a.file.source)
		}
		changed, err := watcher.Wait(ctx)
		cancel()
		<-ended
		if err != nil {
			return nil
		}
		start = time.Now()
		a.progress.Step("\n%s %s", a.paint.Grey(start.Format(time.TimeOnly)), savedText(changed))
	}
}

// follow makes the watcher watch whatever the file's rendering depends on now,
// and returns that. As long as it is what it was before, what the watcher has
// seen stays what it compares with, since all that will be read is read later.
func (a *applying) follow(watcher *watch.Watcher, before []string) []string {
	for {
		// The error of a file that can't be parsed is the round's to print;
		// the paths are those with which it may be mended.
		paths, _ := render.Lookups(a.options, a.file.source)
		if len(paths) == 0 {
			paths = []string{a.file.source}
		}
		if slices.Equal(paths, before) {
			return paths
		}
		watcher.Set(paths)
		before = paths
	}
}

// savedText says what was saved.
func savedText(changed []string) string {
	const shown = 3
	if more := len(changed) - shown; more > 0 {
		return fmt.Sprintf("%s and %d more saved", strings.Join(changed[:shown], ", "), more)
	}
	return strings.Join(changed, ", ") + " saved"
}

// round is one round: compare, show, ask if need be, apply, wait. Afterwards it
// goes on telling of events until its context ends, with the next save. Its
// errors are for whoever is editing. It counts the time from start.
func (a *applying) round(ctx, round context.Context, start time.Time) {
	trial, p, err := a.compare(round)
	if err != nil {
		a.fail(round, err)
		return
	}
	a.show(a.f.Streams.Err, a.paint, trial, p)
	if a.o.dryRun {
		return
	}
	if !p.Empty() && !a.o.yes && (!a.agreed || len(destructiveChanges(p)) > 0) {
		// A save doesn't take the question back: the answer to come would be
		// taken for one to the next.
		if err := confirm(ctx, a.f, false, a.question()); err != nil {
			if !errors.Is(err, errReported) {
				a.fail(ctx, err)
			}
			return
		}
		a.agreed = true
		if round.Err() != nil {
			a.progress.Step("  something was saved meanwhile: looking again")
			return
		}
		start = time.Now()
	}
	compared := time.Since(start)
	result := a.newApplied(p)
	observer, err := a.apply(round, trial, result)
	defer func() { observer.Stop(round) }()
	if err != nil {
		a.fail(round, err)
	} else {
		result.Seconds.Applied += compared.Seconds()
		result.Seconds.Ready += compared.Seconds()
		a.progress.Clear()
		fmt.Fprintln(a.f.Streams.Out, a.summary(result))
	}
	observer.Rest()
	<-round.Done()
}

// fail prints an error, unless it is that the round was cut short.
func (a *applying) fail(round context.Context, err error) {
	if round.Err() == nil {
		a.progress.Step("%s", reasons(a.paint, err))
	}
}

// reasons are the lines of an error, as part of a round.
func reasons(paint ui.Paint, err error) string {
	lines := strings.Split(strings.TrimRight(err.Error(), "\n"), "\n")
	return "  " + paint.Red("error:") + " " + strings.Join(lines, "\n  ")
}
