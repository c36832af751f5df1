// Package addons is the layer of Kubernetes objects: what git declares for a
// cluster, one apply set for each file, planned, applied and verified.
//
// Planning is exact and cheap. One LIST for each type of object tells, by the
// fields that the API server records for our field manager and by their
// values, which objects are as declared; only the others are asked about, by
// a dry run of the very apply that would follow. Applying is server-side
// apply, in stages (see Stage) and in parallel inside of each; it can be
// interrupted anywhere and run again. What git no longer declares is found by
// the apply set's label and deleted last.
package addons
