// Package daemon puts the sandbox together: the processes in their order, the
// mirror, the proxy, the simulator, and the status that the tool asks for.
package daemon
