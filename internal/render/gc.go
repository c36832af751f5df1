package render

import (
	"runtime"
	"runtime/debug"
	"sync"
)

// Evaluation makes much garbage and keeps little: collecting it at the default
// pace is a fifth of the time. gcPercent lets the heap grow further than by
// default, and ballast, which is reserved and never touched, so that it costs
// no memory, lets a small heap grow as if it were larger: a tree of ordinary
// size renders with no collection at all. More than that is collected as ever.
const (
	gcPercent = 800
	ballast   = 64 << 20
)

var gc struct {
	sync.Mutex
	users    int
	previous int
	ballast  []byte
}

// relaxGC has effect until the last of those that called it call the function
// that it returns. A GOGC from the environment that is higher stays.
func relaxGC() (restore func()) {
	gc.Lock()
	defer gc.Unlock()
	if gc.users++; gc.users == 1 {
		gc.ballast = make([]byte, ballast)
		gc.previous = debug.SetGCPercent(gcPercent)
		if gc.previous < 0 || gc.previous > gcPercent {
			debug.SetGCPercent(gc.previous)
		}
	}
	return sync.OnceFunc(func() {
		gc.Lock()
		defer gc.Unlock()
		if gc.users--; gc.users == 0 {
			runtime.KeepAlive(gc.ballast)
			gc.ballast = nil
			debug.SetGCPercent(gc.previous)
		}
	})
}
