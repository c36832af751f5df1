// Package fluentd reads fluentd's configuration, in the format that it has since
// version 1, and judges it.
//
// fluentd is Ruby, and no library of another language reads what it reads: Parse
// follows its grammar, character by character, but evaluates no Ruby. Lint then
// says what fluentd would refuse when it starts, and what it would take but never
// use.
package fluentd
