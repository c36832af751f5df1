package render

import (
	"runtime/debug"
	"sync"
)

// gcPercent lets the heap of a rendering process grow further than by default:
// evaluation makes much garbage, of which a fifth of its time would go into
// collecting, and little that stays.
const gcPercent = 800

var gc struct {
	sync.Mutex
	users    int
	previous int
}

// relaxGC has effect until the last of those that called it call the function
// that it returns. A GOGC from the environment that is higher stays.
func relaxGC() (restore func()) {
	gc.Lock()
	defer gc.Unlock()
	if gc.users++; gc.users == 1 {
		gc.previous = debug.SetGCPercent(gcPercent)
		if gc.previous < 0 || gc.previous > gcPercent {
			debug.SetGCPercent(gc.previous)
		}
	}
	return sync.OnceFunc(func() {
		gc.Lock()
		defer gc.Unlock()
		if gc.users--; gc.users == 0 {
			debug.SetGCPercent(gc.previous)
		}
	})
}
