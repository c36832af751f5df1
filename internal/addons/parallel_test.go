package addons

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// TestPlacesBoundWorkInsideOfWork has work make further work, as reading a page
// does, and wants no more done at once than there are places, but so much.
func TestPlacesBoundWorkInsideOfWork(t *testing.T) {
	const limit, outer, inner = 4, 6, 30
	p := make(places, limit)
	var now, most, done atomic.Int64
	work := func(int) error {
		n := now.Add(1)
		for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
		}
		time.Sleep(time.Millisecond)
		now.Add(-1)
		done.Add(1)
		return nil
	}
	errs := each(t.Context(), limit, outer, func(int) error {
		p.take()
		defer p.leave()
		return join(p.each(t.Context(), inner, work))
	})
	if err := join(errs); err != nil {
		t.Fatal(err)
	}
	if done.Load() != outer*inner || most.Load() != limit {
		t.Errorf("%d done, %d at once; want %d, %d at once", done.Load(), most.Load(), outer*inner, limit)
	}
	if len(p) > 0 {
		t.Errorf("%d places weren't given back", len(p))
	}

	ctx, cancel := context.WithCancel(t.Context())
	for range limit {
		p.take() // one of them is the caller's own: none is free, so that the work is done in turn
	}
	errs = p.each(ctx, 3, func(int) error {
		cancel()
		return nil
	})
	if errs[0] != nil || errs[1] == nil || errs[2] == nil {
		t.Errorf("%v, want no more begun once the context is done", errs)
	}
}
