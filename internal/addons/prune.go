package addons

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
		if err := a.awaitGone(ctx, deleted); err != nil {
			// They stay on record until they are gone for good.
			failed = append(failed, deleted...)
			errs = append(errs, err)
		}
		if len(errs) > 0 {
			failed = append(failed, rest...)
			break
		}
	}
	return failed, join(errs)
}

// awaitGone waits until objects that are being deleted are gone.
func (a *applier) awaitGone(ctx context.Context, members []*member) error {
	deadline := time.Now().Add(a.opts.Timeout)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		finalizers := make([][]string, len(members))
		errs := each(ctx, a.parallel, len(members), func(i int) error {
			m := members[i]
			u, err := a.get(ctx, m.kind, m.ref)
			if err != nil {
				return fmt.Errorf("%s: %w", m, err)
			}
			if u == nil || u.GetUID() != m.uid {
				members[i] = nil
				return nil
			}
			finalizers[i] = u.GetFinalizers()
			return nil
		})
		if err := join(errs); err != nil {
			return err
		}
		var left []*member
		var why []string
		for i, m := range members {
			if m != nil {
				left = append(left, m)
				why = finalizers[i]
			}
		}
		if members = left; len(members) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			reason := "it is still being deleted"
			if len(why) > 0 {
				reason = "its deletion waits for " + strings.Join(why, ", ")
			}
			return &NotReadyError{Resource: members[len(members)-1].String(), Reason: reason, After: a.opts.Timeout}
		}
		a.report(members[0].String(), "waiting", "for its deletion", true)
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}
