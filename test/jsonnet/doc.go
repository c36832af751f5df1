// Package jsonnet tests what the repository declares: that the library's
// functions do what their comments say, that every cluster renders to objects
// that a real API server takes, field by field, and keeps, that pods fit the
// Pod Security level of their namespace, and that two instances of a stack can
// live in one namespace.
package jsonnet
