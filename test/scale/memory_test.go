package scale

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// peak runs something and gives how many bytes more were reachable on the heap
// at the most, than before. The collector runs often, so that each high is
// seen; what it would collect doesn't count.
func peak(do func()) int {
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	before := live()
	most := before
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				most = max(most, live())
			}
		}
	})
	do()
	close(stop)
	watching.Wait()
	return most - before
}

// live is what the last collection left.
func live() int {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int(sample[0].Value.Uint64())
}

func kib(bytes int) int { return bytes >> 10 }
