// Package volume does what the controllers of the EBS CSI driver do, which run
// as pods and so not at all: it makes a volume in EC2 and a PersistentVolume for
// each claim that waits for one, takes both away again, and confirms that a
// volume is attached where a pod uses it.
package volume
