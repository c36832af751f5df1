// Package openapi is what Kubernetes releases say about the objects that they
// serve: which kinds there are and which form their objects have. It is vendored
// from Kubernetes' own OpenAPI documents, one file for each minor version; see
// data/NOTICE. Nothing is read before somebody asks for it.
package openapi
