// Package simulator makes the clusters follow the machines: it watches the
// emulated EC2 and, for each cluster that kops has there, boots the machines,
// runs the control plane that they configure, and keeps the Kubernetes objects
// that real machines would keep.
package simulator
