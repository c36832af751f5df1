package sandbox

import (
	"cmp"
	"path/filepath"
)

// Options say which sandbox. Only Root is needed; the names default to those
// that this repository's clusters use.
type Options struct {
	// Root is the repository's folder. All that the sandbox writes is below its
	// .sandbox.
	Root string
	// Progress is told what is being waited for; nil is fine.
	Progress func(string)

	Region string
	// HostedZone is the public zone that the AWS account has from the start.
	HostedZone string
	// StateBucket is for kops' state, DiscoveryBucket for the documents of the
	// clusters' service-account issuers.
	StateBucket, DiscoveryBucket string
	// KopsVersion is the kops release whose files the mirror stands in for.
	KopsVersion string
}

func (o Options) withDefaults() (Options, error) {
	root, err := filepath.Abs(o.Root)
	if err != nil {
		return o, err
	}
	o.Root = root
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	o.Region = cmp.Or(o.Region, "eu-central-1")
	o.HostedZone = cmp.Or(o.HostedZone, "example.net")
	o.StateBucket = cmp.Or(o.StateBucket, "example-net-kops-state")
	o.DiscoveryBucket = cmp.Or(o.DiscoveryBucket, "example-net-kops-oidc")
	o.KopsVersion = cmp.Or(o.KopsVersion, "1.36.2")
	return o, nil
}

// arguments are the daemon's.
func (o Options) arguments() []string {
	return []string{
		"--root", o.Root, "--region", o.Region, "--zone", o.HostedZone,
		"--state-bucket", o.StateBucket, "--discovery-bucket", o.DiscoveryBucket, "--kops-version", o.KopsVersion,
	}
}

func (o Options) dir(elem ...string) string {
	return filepath.Join(append([]string{o.Root, ".sandbox"}, elem...)...)
}

// Paths that the daemon knows as well (sandbox/internal/daemon).
func (o Options) program() string { return o.dir("bin", "sandboxd") }
func (o Options) socket() string  { return o.dir("sandboxd.sock") }
func (o Options) lock() string    { return o.dir("sandboxd.lock") }
func (o Options) log() string     { return o.dir("logs", "sandboxd.log") }

func (o Options) kubeconfig() string     { return o.dir("kubeconfig") }
func (o Options) awsConfig() string      { return o.dir("aws-config") }
func (o Options) awsCredentials() string { return o.dir("aws-credentials") }
