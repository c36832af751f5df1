// Package schema is the rule that the API server would take every object: that
// the cluster's version of Kubernetes serves its kind, that each field exists and
// has a value of its type, and that values are what the API server's own
// validation wants, as far as that can be told from the object alone.
//
// Kubernetes' own kinds are judged by what their release publishes (package
// openapi), custom resources by the definitions that the same cluster declares,
// with the API server's own code. A test sends thousands of mutated objects to a
// real API server and compares the verdicts.
package schema
