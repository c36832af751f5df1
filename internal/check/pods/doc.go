// Package pods finds the pods that rendered objects make: those of workloads,
// of jobs, and bare ones. Rules that look into pods share it.
package pods
