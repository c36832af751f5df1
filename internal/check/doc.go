// Package check is the offline tests of a repository: everything that is safe to
// run on a pull request, without credentials and without a network.
//
// A Rule looks at a Repository, rendered once for all rules, and returns
// Findings as data. The rules live in packages below this one; package rules
// lists them. Run runs them side by side, finds out which line of jsonnet each
// finding is about, and gives them in one order.
package check
