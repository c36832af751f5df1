// Package ruletest runs unit tests of Prometheus' rules, in the format and with
// the meaning of `promtool test rules`: input series, and what alerts and
// expressions must give at some moments.
//
// Rules are evaluated by Prometheus' own engine and rule manager. Two things
// differ from promtool: the rules' files come as text and not from a disk, since
// they are rendered, and samples are kept in memory, which makes a test a matter
// of a millisecond instead of a database.
package ruletest
