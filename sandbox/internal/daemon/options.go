package daemon

import (
	"fmt"
	"path/filepath"

	"platform/sandbox/internal/account"
)

// Options are what the sandbox is asked to be.
type Options struct {
	// Root is the repository's folder; all state is below its .sandbox.
	Root string
	// Content is what the AWS account has from the start.
	Content account.Content
	// KopsVersion is the kops release that the mirror stands in for.
	KopsVersion string
}

func (o Options) dir(elem ...string) string {
	return filepath.Join(append([]string{o.Root, ".sandbox"}, elem...)...)
}

// Paths that the tool knows as well (internal/sandbox).
func (o Options) socket() string   { return o.dir("sandboxd.sock") }
func (o Options) lockFile() string { return o.dir("sandboxd.lock") }
func (o Options) logDir() string   { return o.dir("logs") }
func (o Options) stateDir() string { return o.dir("state") }

func (o Options) validate() error {
	for name, value := range map[string]string{
		"root": o.Root, "region": o.Content.Region, "zone": o.Content.HostedZone, "state-bucket": o.Content.StateBucket,
		"discovery-bucket": o.Content.DiscoveryBucket, "kops-version": o.KopsVersion,
	} {
		if value == "" {
			return fmt.Errorf("--%s is missing", name)
		}
	}
	return nil
}
