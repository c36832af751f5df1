// Package worker is the kops layer's work, done with kops' own packages in a
// process of its own (see package kops): it is the one place of the project
// that imports kops.
package worker
