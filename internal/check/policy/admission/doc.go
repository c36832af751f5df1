// Package admission judges objects by the admission policies that a cluster's own
// files declare, without the cluster: what the API server would complete or refuse
// when the objects are deployed. So one rule, written in CEL, serves both.
//
// It compiles and evaluates with the API server's packages, and follows its order:
// defaults, mutating policies, validating policies. Some things only a cluster
// has: the objects that are already there (every object is judged as a new one),
// who asks (somebody who may do everything), and the schemas that an
// ApplyConfiguration needs (such mutations are left out). Of the API server's
// defaults it knows those that policies are likely to ask for: see defaults.go.
package admission
