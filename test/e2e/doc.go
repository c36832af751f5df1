// Package e2e runs the tool as its users do, on a sandbox of its own: the
// whole life of a cluster, interruptions, drift and deletion. It is behind the
// build tag e2e, since it takes minutes; `make e2e` runs it.
package e2e
