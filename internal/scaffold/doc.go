// Package scaffold writes the repository of a new organisation: the library
// and the stacks as they are here, and clusters of its own. Whatever names an
// organisation is in few files, so that rewriting those is enough.
package scaffold
