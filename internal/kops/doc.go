// Package kops is the layer that makes the kops cluster itself — its spec in
// the state store, its AWS resources and its machines — what git says.
//
// kops is used as a library, but its state is global to a process (the VFS
// context, a cache of clouds per region, feature flags, standard output). So
// this package never imports kops: it starts the tool itself once more as a
// worker (package worker), sends one Request to its standard input and reads
// Messages, a line of JSON each, from its standard output. Several clusters
// are worked on at once by several workers.
package kops
