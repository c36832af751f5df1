// Package actions reads a workflow of GitHub Actions, checks what can be checked
// without GitHub, and tells which commands it would run for an event.
//
// It takes the keys that our workflow uses and refuses all others, as package
// declarative does.
package actions
