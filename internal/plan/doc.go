// Package plan is the data that crosses between planning, applying, printing
// and reporting: what differs between git and reality (Change), what a layer
// did while applying (Event) and how healthy the result is (Health).
//
// It imports no client and nothing else of the project, so that every other
// package can import it. Nothing in here talks to AWS or Kubernetes, and
// nothing outside of it decides how a change is spelled on paper.
package plan
