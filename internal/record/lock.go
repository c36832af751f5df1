package record

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pace is how the lock is kept.
type pace struct {
	// renew is how often whoever holds the lock says so, and answer how long
	// the API server may take for it.
	renew, answer time.Duration
	// stale is how long the lock may go unrenewed until somebody else takes it.
	stale time.Duration
	// look is how often those who wait for that look.
	look time.Duration
}

// Somebody who was killed keeps others waiting for a third of a minute; an API
// server that is away for a moment costs nobody the lock.
var defaultPace = pace{renew: 5 * time.Second, answer: 4 * time.Second, stale: 20 * time.Second, look: time.Second}

const annotationBy = "platform/by"

// Holder is who holds the lock.
type Holder struct {
	// ID is the deployment's.
	ID    string
	By    string
	Since time.Time
}

func (h Holder) String() string {
	text := h.By
	if !h.Since.IsZero() {
		text += " since " + Time(h.Since)
	}
	return text
}

// HeldError means that somebody else is deploying to the cluster.
type HeldError struct{ Holder }

func (e *HeldError) Error() string {
	return "a deployment to the cluster is under way, by " + e.Holder.String()
}

// LostError means that somebody else has taken the lock, because it wasn't
// renewed for too long: the machine was asleep, or cut off.
type LostError struct{ Holder }

func (e *LostError) Error() string {
	if e.By == "" {
		return "the lock on deployments to the cluster is gone"
	}
	return "the lock on deployments to the cluster has been taken over by " + e.Holder.String()
}

// Lock is held by whoever deploys to the cluster, as long as it is renewed.
type Lock struct {
	store *Store
	lease *coordinationv1.Lease
	ctx   context.Context
	lose  context.CancelCauseFunc
	stop  chan struct{}
	group sync.WaitGroup
}

// Lock takes the lock. If it is held, that is a HeldError as soon as its holder
// is seen to be at work. Where nobody renews it any more, Lock waits until that
// is certain and takes it over: only what it sees itself counts, not the time on
// somebody else's clock. Before it waits it calls waiting.
func (s *Store) Lock(ctx context.Context, id string, by Author, waiting func(Holder)) (*Lock, error) {
	var seen string
	var seenAt time.Time
	for {
		lease, err := s.leases.Get(ctx, lockName, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			lease, err = s.leases.Create(ctx, claim(nil, id, by, s.pace), metav1.CreateOptions{FieldManager: manager})
		case err != nil:
		case heldBy(lease).ID == "", lease.ResourceVersion == seen && time.Since(seenAt) >= staleAfter(lease):
			lease, err = s.leases.Update(ctx, claim(lease, id, by, s.pace), metav1.UpdateOptions{FieldManager: manager})
		case seen == "":
			seen, seenAt = lease.ResourceVersion, time.Now()
			waiting(heldBy(lease))
			fallthrough
		case lease.ResourceVersion == seen:
			if err := sleep(ctx, s.pace.look); err != nil {
				return nil, err
			}
			continue
		default:
			return nil, &HeldError{heldBy(lease)}
		}
		if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
			continue // somebody was faster
		}
		if err != nil {
			return nil, s.failed("locking the cluster for this deployment", err)
		}
		return s.hold(ctx, lease), nil
	}
}

// hold renews the lock until it is released or lost.
func (s *Store) hold(ctx context.Context, lease *coordinationv1.Lease) *Lock {
	l := &Lock{store: s, lease: lease, stop: make(chan struct{})}
	l.ctx, l.lose = context.WithCancelCause(ctx)
	l.group.Go(func() {
		ticker := time.NewTicker(s.pace.renew)
		defer ticker.Stop()
		for {
			select {
			case <-l.stop:
				return
			case <-ticker.C:
			}
			if lost := l.renew(); lost != nil {
				l.lose(lost)
				return
			}
		}
	})
	return l
}

// renew says that the lock is still held. An API server that doesn't answer is
// no reason to give up: nobody else can take the lock from it either.
func (l *Lock) renew() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), l.store.pace.answer)
	defer cancel()
	next := l.lease.DeepCopy()
	now := metav1.NewMicroTime(time.Now())
	next.Spec.RenewTime = &now
	renewed, err := l.store.leases.Update(ctx, next, metav1.UpdateOptions{FieldManager: manager})
	switch {
	case err == nil:
		l.lease = renewed
	case apierrors.IsNotFound(err):
		return &LostError{}
	case apierrors.IsConflict(err):
		there, err := l.store.leases.Get(ctx, lockName, metav1.GetOptions{})
		switch {
		case err != nil:
		case heldBy(there).ID != heldBy(l.lease).ID:
			return &LostError{heldBy(there)}
		default:
			// An answer was lost on the way, or somebody has labelled it.
			l.lease = there
		}
	}
	return nil
}

// Context is done when the one that the lock was taken with is, or when the
// lock is lost; its cause is then a LostError.
func (l *Lock) Context() context.Context { return l.ctx }

// Release gives the lock back, as far as that is possible: whoever comes next
// finds out in any case.
func (l *Lock) Release() {
	close(l.stop)
	l.group.Wait()
	defer l.lose(context.Canceled)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), l.store.pace.answer)
	defer cancel()
	free := l.lease.DeepCopy()
	free.Spec.HolderIdentity, free.Spec.AcquireTime, free.Spec.RenewTime = nil, nil, nil
	delete(free.Annotations, annotationBy)
	_, _ = l.store.leases.Update(ctx, free, metav1.UpdateOptions{FieldManager: manager})
}

// claim is the Lease as it is once it is ours.
func claim(lease *coordinationv1.Lease, id string, by Author, p pace) *coordinationv1.Lease {
	var transitions int32
	if lease == nil {
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: lockName, Labels: map[string]string{label: "lock"}}}
	} else {
		lease = lease.DeepCopy()
		if n := lease.Spec.LeaseTransitions; n != nil {
			transitions = *n
		}
		transitions++
	}
	if lease.Annotations == nil {
		lease.Annotations = map[string]string{}
	}
	lease.Annotations[annotationBy] = by.String()
	// kubectl shows the identity, so that it begins with a name.
	identity := by.Machine + "/" + id
	now := metav1.NewMicroTime(time.Now())
	seconds := max(1, int32(p.stale.Seconds()))
	lease.Spec = coordinationv1.LeaseSpec{
		HolderIdentity: &identity, AcquireTime: &now, RenewTime: &now,
		LeaseDurationSeconds: &seconds, LeaseTransitions: &transitions,
	}
	return lease
}

// heldBy tells who holds the lock; nobody, if the ID is empty.
func heldBy(lease *coordinationv1.Lease) Holder {
	if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" {
		return Holder{}
	}
	machine, id, found := strings.Cut(*lease.Spec.HolderIdentity, "/")
	if !found {
		id = machine
	}
	h := Holder{ID: id, By: lease.Annotations[annotationBy]}
	if h.By == "" {
		h.By = machine
	}
	if lease.Spec.AcquireTime != nil {
		h.Since = lease.Spec.AcquireTime.Time
	}
	return h
}

// staleAfter is how long its holder allows the lock to go unrenewed.
func staleAfter(lease *coordinationv1.Lease) time.Duration {
	if s := lease.Spec.LeaseDurationSeconds; s != nil && *s > 0 {
		return time.Duration(*s) * time.Second
	}
	return defaultPace.stale
}

// looksStale judges by the clocks, which may be apart: good enough to tell
// people, not to take anything over.
func looksStale(lease *coordinationv1.Lease, now time.Time) bool {
	const apart = time.Minute
	return lease.Spec.RenewTime == nil || now.Sub(lease.Spec.RenewTime.Time) > staleAfter(lease)+apart
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("waiting for the lock: %w", ctx.Err())
	case <-timer.C:
		return nil
	}
}
