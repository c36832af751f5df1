// Package machine is the EC2 side of the sandbox: it lists the instances that
// kops' Auto Scaling groups made in the emulated AWS and does for each what its
// boot would do, as far as the configuration goes. What an instance booted with
// is remembered, so that a later configuration reaches only later instances.
package machine
