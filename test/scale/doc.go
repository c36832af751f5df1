// Package scale tests drift over fleets of clusters, which a single API server
// plays: each cluster is one of its namespaces, with sets of its own, seen
// through a window that shows no other. What is looked at is real, and so are
// the requests; they are counted on their way.
//
// An ordinary run takes a sample; SOAK=1 takes a hundred clusters.
package scale
