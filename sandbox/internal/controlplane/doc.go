// Package controlplane turns what kops configured for a control-plane machine
// into processes on loopback: kube-apiserver, kube-controller-manager,
// kube-scheduler and, in the place of every kubelet, KWOK. The flags are those
// that kops' nodeup would write into the static pods' manifests, made by kops'
// own code; replaced are only paths, ports and what has no counterpart here. The
// certificates are issued by the cluster's CA in kops' state store.
package controlplane
