// Package objects is the rules about objects as others see them: that they are in
// a namespace that exists, that what they refer to exists, and that each is
// declared once.
//
// What exists in a cluster is what its files declare; what Kubernetes itself
// makes (see builtin.go); what programs in the cluster make, where the object
// that runs or asks for them says so (see provided.go); and what the
// configuration lists as provided from outside.
package objects
