// Package reconcile walks a cluster's layers in order: it plans them, applies
// those that differ, and verifies the result. It knows the layers by the
// interface below and nothing about AWS or Kubernetes.
package reconcile
