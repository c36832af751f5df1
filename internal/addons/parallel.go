package addons

import (
	"context"
	"sync"
)

// each calls work for 0 … n-1, at most limit at once. Once ctx is done it
// starts no more, and what wasn't started has ctx's error. Errors are by
// index, so that the outcome doesn't depend on the order of events.
func each(ctx context.Context, limit, n int, work func(i int) error) []error {
	errs := make([]error, n)
	next := make(chan int)
	var group sync.WaitGroup
	for range min(limit, n) {
		group.Go(func() {
			for i := range next {
				errs[i] = work(i)
			}
		})
	}
	for i := range n {
		if err := ctx.Err(); err != nil {
			errs[i] = err
			continue
		}
		next <- i
	}
	close(next)
	group.Wait()
	return errs
}
