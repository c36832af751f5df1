package addons

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// prune deletes what git no longer declares, the stages backwards, so that a
// controller outlives the custom resources that it has to clean up after. It
// returns the members that it couldn't delete.
func (a *applier) prune(ctx context.Context) (failed []*member, err error) {
	for _, m := range a.kept {
		a.report(m.String(), "kept", keptDetail, false)
	}
	var errs []error
	for rest := a.strays; len(rest) > 0; {
		// Strays are sorted by stage.
		n := 1
		for n < len(rest) && StageOf(rest[n].GroupKind) == StageOf(rest[0].GroupKind) {
			n++
		}
		batch := rest[:n]
		rest = rest[n:]
		var deleted []*member
		for i, err := range each(ctx, a.parallel, n, func(i int) error {
			return a.delete(ctx, batch[i].kind, batch[i].ref, batch[i].uid, metav1.DeletePropagationBackground)
		}) {
			if err != nil {
				failed = append(failed, batch[i])
				errs = append(errs, &ObjectError{Doing: "deleting", Resource: batch[i].String(), Err: err})
				continue
			}
			deleted = append(deleted, batch[i])
			a.done = append(a.done, batch[i].deletion())
			a.report(batch[i].String(), "deleted", "", false)
		}
		left, err := a.awaitGone(ctx, deleted)
		if err != nil {
			// They stay on record until they are gone for good.
			failed = append(failed, left...)
			errs = append(errs, err)
		}
		if len(errs) > 0 {
			failed = append(failed, rest...)
			break
		}
	}
	return failed, join(errs)
}

// awaitGone waits until objects that are being deleted are gone. If it fails it
// returns those that are left, or may be.
func (a *applier) awaitGone(ctx context.Context, left []*member) ([]*member, error) {
	deadline := time.Now().Add(a.opts.Timeout)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		there := make([]*unstructured.Unstructured, len(left))
		errs := each(ctx, a.parallel, len(left), func(i int) error {
			u, err := a.get(ctx, left[i].kind, left[i].ref)
			if err != nil {
				return fmt.Errorf("%s: %w", left[i], err)
			}
			if u != nil && u.GetUID() == left[i].uid {
				there[i] = u
			}
			return nil
		})
		if err := join(errs); err != nil {
			return left, err
		}
		var still []*member
		var last *unstructured.Unstructured
		for i, u := range there {
			if u != nil {
				still = append(still, left[i])
				last = u
			}
		}
		if left = still; len(left) == 0 {
			return nil, nil
		}
		if time.Now().After(deadline) {
			reason := "it is still being deleted"
			if finalizers := last.GetFinalizers(); len(finalizers) > 0 {
				reason = "its deletion waits for " + strings.Join(finalizers, ", ")
			}
			return left, &NotReadyError{Resource: left[len(left)-1].String(), Reason: reason, After: a.opts.Timeout}
		}
		a.report(left[0].String(), "waiting", "for its deletion", true)
		if err := sleep(ctx, wait); err != nil {
			return left, err
		}
	}
}
