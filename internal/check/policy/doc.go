// Package policy is the rules about what objects may be, whatever they are for:
// rule policy, how pods run and what is open to the world; and rule secrets, that
// nothing secret is in git.
//
// What a cluster refuses at admission is written once, as admission policies in
// addons/guardrails, and judged by package admission. What can't be said there,
// because it needs other objects or would hold up pods that run already, is
// written in Go here.
package policy
