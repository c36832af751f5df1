// Package record is what a cluster keeps about its own deployments, in the
// cluster itself: who deployed what and when, whether deployments are paused,
// and who is deploying right now.
//
// Three objects in kube-system hold it: the history and the pause are
// ConfigMaps, the lock is a Lease. They are in no apply set, so that nothing
// prunes them, and they go with the cluster.
package record
