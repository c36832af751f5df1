// Package embedded are the rules about configuration that is text inside of an
// object: what Prometheus, Alertmanager, fluentd, nginx and Jenkins read when
// they start.
//
// A program's configuration is found as the program itself would: by its
// container, the file that its arguments or variables name, and the volumes that
// are mounted there. No name of an object is built in. Where a Go library reads a
// program's configuration, that does the judging; package fluentd is a parser of
// our own, and package ruletest runs the unit tests of Prometheus' rules.
package embedded
