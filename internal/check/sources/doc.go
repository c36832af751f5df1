// Package sources has the rules about jsonnet as text and as programs, and
// about what is generated from it.
package sources
