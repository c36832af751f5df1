package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"platform/internal/addons"
	"platform/internal/config"
	"platform/internal/git"
	"platform/internal/plan"
	"platform/internal/reconcile"
	"platform/internal/record"
	"platform/internal/ui"
)

// deployment is one run of up as the cluster keeps it on record: it honours a
// pause, holds the lock, and writes the history. Before there is an API there is
// nowhere to do so; it begins with it as soon as the API serves.
type deployment struct {
	*target
	f        *factory
	o        upOptions
	config   *config.Config
	source   *source
	progress *ui.Progress

	start time.Time
	entry record.Deployment
	// store is nil until the API serves.
	store *record.Store
	lock  *record.Lock
	// before is what was on record when this began.
	before record.State
	begun  bool
}

// introduce fills in who deploys what.
func (d *deployment) introduce(ctx context.Context) {
	by := record.Whoami(os.Getenv, git.User(ctx, d.source.home))
	by.ARN = d.account.ARN
	d.start = time.Now()
	d.entry = record.Deployment{
		ID: record.NewID(d.start), Repository: d.config.Repository, By: by, Tool: version, Started: d.start.UTC().Truncate(time.Second),
		Commit: d.source.commit.Hash, Subject: d.source.commit.Subject, Branch: d.source.branch, From: d.source.from, Dirty: len(d.source.changed) > 0,
	}
}

// open reads what is on record, refuses a paused cluster and takes the lock. It
// does nothing as long as no API serves; called again, it tries again.
func (d *deployment) open(ctx context.Context) error {
	if d.lock != nil {
		return nil
	}
	api, err := d.connect(ctx, true)
	if errors.Is(err, addons.ErrNoCluster) {
		return nil
	}
	if err != nil {
		return err
	}
	store, err := record.Open(api)
	if err != nil {
		return err
	}
	if d.before, err = store.Read(ctx); err != nil {
		return err
	}
	if pause := d.before.Pause; pause != nil {
		if !d.o.evenIfPaused {
			return pausedError(d.Name, *pause, "go ahead all the same with --even-if-paused")
		}
		d.entry.WhilePaused = true
	}
	d.lock, err = store.Lock(ctx, d.entry.ID, d.entry.By, func(h record.Holder) {
		d.progress.Step("%s: waiting to see whether the deployment by %s is still under way", d.Name, h)
	})
	if held := new(record.HeldError); errors.As(err, &held) {
		return &advisedError{err, fmt.Sprintf("wait until it has ended: `platform history %s` shows when", d.Name)}
	}
	if err != nil {
		return err
	}
	d.store = store
	return nil
}

// hold gives the context to work under: it ends when the lock is lost.
func (d *deployment) hold(ctx context.Context) context.Context {
	if d.lock == nil {
		return ctx
	}
	return d.lock.Context()
}

// begin puts the deployment on record. It is called before anything is changed,
// and again if there was no API then.
func (d *deployment) begin(ctx context.Context) error {
	if d.begun || d.store == nil {
		return nil
	}
	d.entry.Result = record.InProgress
	if err := d.store.Put(ctx, d.entry); err != nil {
		return err
	}
	d.begun = true
	return nil
}

// stopped gives the error behind one that came of a lost lock.
func (d *deployment) stopped(err error) error {
	if d.lock == nil || err == nil {
		return err
	}
	if lost := new(record.LostError); errors.As(context.Cause(d.lock.Context()), &lost) {
		return &advisedError{lost, fmt.Sprintf("what was under way has been stopped; `platform status %s` shows where it has led", d.Name)}
	}
	return err
}

// end puts on record how it ended. Where nothing was to do, only a commit that
// wasn't deployed before is worth an entry.
func (d *deployment) end(ctx context.Context, steps []reconcile.Step, err error) {
	if d.store == nil || !d.begun && (err != nil || d.known()) {
		return
	}
	e := &d.entry
	e.Ended = time.Now().UTC().Truncate(time.Second)
	e.Seconds = time.Since(d.start).Round(100 * time.Millisecond).Seconds()
	switch {
	case err == nil:
		e.Result = record.Succeeded
	case ctx.Err() != nil:
		e.Result = record.Interrupted
	default:
		e.Result, e.Reason = record.Failed, shortReason(err)
	}
	e.Changes = map[plan.Op]int{}
	for _, step := range steps {
		for _, c := range step.Changes {
			e.Changes[c.Op]++
		}
	}
	// An interrupt mustn't keep it from being recorded.
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if writeErr := d.store.Put(writing, *e); writeErr != nil {
		// The deployment is what it is, whatever becomes of its record.
		d.progress.Step("%s: this deployment isn't on record: %v", d.Name, writeErr)
	}
}

// known reports whether the newest deployment is of the same commit and was well.
func (d *deployment) known() bool {
	newest := record.Newest(d.before.Deployments, d.entry.Repository)
	return newest != nil && newest.Result == record.Succeeded && newest.Commit == d.entry.Commit && newest.Dirty == d.entry.Dirty
}

// lastGood is what can be gone back to: the newest deployment that went well,
// other than of exactly what this one is of.
func (d *deployment) lastGood() *record.Deployment {
	except := d.entry.Commit
	if d.entry.Dirty {
		except = ""
	}
	return record.LastGood(d.before.Deployments, d.entry.Repository, except)
}

// close gives the lock back.
func (d *deployment) close() {
	if d.lock != nil {
		d.lock.Release()
		d.lock = nil
	}
}

// shortReason is an error's first line.
func shortReason(err error) string {
	if errors.Is(err, errReported) {
		return "not confirmed" // the question in the middle of it
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

// advisedError is an error and what to do about it.
type advisedError struct {
	error
	advice string
}

func (e *advisedError) Unwrap() error { return e.error }

// pausedError refuses to change a paused cluster.
func pausedError(cluster string, pause record.Pause, otherwise string) error {
	return &advisedError{&record.PausedError{Pause: pause}, fmt.Sprintf("`platform resume %s` releases them; %s", cluster, otherwise)}
}
