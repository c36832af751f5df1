// Package render turns the jsonnet of clusters/ into plain objects and writes
// them to generated/, one file per object, for people to review.
package render
