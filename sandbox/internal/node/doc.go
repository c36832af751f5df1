// Package node is the Kubernetes side of a machine: the Node that its kubelet
// would register, as the cloud controller and kops-controller would complete
// it, and on control planes the pods that its kubelet would run from files.
package node
