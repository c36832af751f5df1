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

// places bound what is done at once where work makes further work: as many do
// something as there are places, and whoever waits for a place has none.
type places chan struct{}

// take takes a place as soon as one is free.
func (p places) take() { p <- struct{}{} }

// leave gives one back.
func (p places) leave() { <-p }

// each calls work for 0 … n-1 for somebody who has a place: there, and side by
// side in those that are free. Otherwise it is like each.
func (p places) each(ctx context.Context, n int, work func(i int) error) []error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		if err := ctx.Err(); err != nil {
			errs[i] = err
			continue
		}
		select {
		case p <- struct{}{}:
			group.Go(func() {
				defer p.leave()
				errs[i] = work(i)
			})
		default:
			errs[i] = work(i)
		}
	}
	group.Wait()
	return errs
}
