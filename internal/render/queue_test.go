package render

import (
	"slices"
	"testing"
)

func TestQueue(t *testing.T) {
	for _, workers := range []int{1, 2, 3, 7} {
		q := newQueue(7, workers)
		var got []int
		// The last worker alone gets everything, its own first.
		for {
			job, ok := q.next(workers - 1)
			if !ok {
				break
			}
			got = append(got, job)
		}
		if len(got) == 0 || got[0] != (7*(workers-1)+workers-1)/workers {
			t.Errorf("%d workers: begins with %v", workers, got)
		}
		slices.Sort(got)
		if !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6}) {
			t.Errorf("%d workers: got %v", workers, got)
		}
	}
}
