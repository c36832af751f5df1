// Package apiserver runs a real etcd and kube-apiserver, and on demand a
// kube-controller-manager, for tests. They listen on free loopback ports and
// keep their data in a temporary directory.
//
// A package that uses it calls Main from its TestMain; Shared then starts one
// server for all of the package's tests, so each test works in namespaces of
// its own.
package apiserver
