package render

import "sync"

// queue deals jobs to workers such that each worker gets neighbours: files of
// one name, which import the same, are parsed once if one worker has them all.
// A worker that has none left takes from the end of the longest rest.
type queue struct {
	mu    sync.Mutex
	rests [][]int
}

// newQueue splits the jobs 0 to n-1 over workers.
func newQueue(n, workers int) *queue {
	q := &queue{rests: make([][]int, workers)}
	for i := range n {
		w := i * workers / n
		q.rests[w] = append(q.rests[w], i)
	}
	return q
}

func (q *queue) next(worker int) (job int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if own := q.rests[worker]; len(own) > 0 {
		q.rests[worker] = own[1:]
		return own[0], true
	}
	longest := 0
	for w, rest := range q.rests {
		if len(rest) > len(q.rests[longest]) {
			longest = w
		}
	}
	last := len(q.rests[longest]) - 1
	if last < 0 {
		return 0, false
	}
	job = q.rests[longest][last]
	q.rests[longest] = q.rests[longest][:last]
	return job, true
}
