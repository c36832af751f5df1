// Package sandbox starts, asks and stops the sandbox: AWS and Kubernetes on this
// machine, run by the daemon sandboxd (see sandbox/README.md). All that the rest
// of the tool gets of it is an environment that points at it.
package sandbox
