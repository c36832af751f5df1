package machine

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/kops/pkg/apis/kops"
	"k8s.io/kops/pkg/apis/nodeup"
	"k8s.io/kops/upup/pkg/fi/utils"
	"k8s.io/kops/util/pkg/vfs"
)

// Boot is what a machine booted with.
type Boot struct {
	Machine Machine
	// Joins tells whether the machine becomes a node, as all but bastions do.
	Joins         bool
	InstanceGroup string
	Role          kops.InstanceGroupRole
	// ConfigBase is the cluster's part of the state store.
	ConfigBase string
	// NodeupConfig is the text of nodeupconfig.yaml.
	NodeupConfig string
	// StaticPods are the manifests that a control plane's kubelet also runs.
	StaticPods []string
	Size       Size
	Time       time.Time

	parse  sync.Once
	parsed *nodeup.Config
	err    error
}

// ErrNoControlPlane means that a machine gets its configuration from a control
// plane, and none is there yet to give it.
var ErrNoControlPlane = errors.New("waiting for a control plane to get its configuration from")

// Config is the machine's configuration, parsed. It is shared: not to be written
// to.
func (b *Boot) Config() (*nodeup.Config, error) {
	b.parse.Do(func() {
		b.parsed = &nodeup.Config{}
		if err := utils.YamlUnmarshal([]byte(b.NodeupConfig), b.parsed); err != nil {
			b.err = fmt.Errorf("parsing the nodeup configuration of %s: %w", b.Machine.ID, err)
		}
	})
	return b.parsed, b.err
}

// ControlPlane tells whether the machine runs a control plane.
func (b *Boot) ControlPlane() bool { return b.Role == kops.InstanceGroupRoleControlPlane }

// Boot does what kops' nodeup does first on a machine (upup/pkg/fi/nodeup): it
// takes the boot configuration from the user data, fetches the configuration
// that it names, and checks that it is the very one that the machine was made
// for. Control planes read the state store. Nodes ask a control plane, which
// reads it for them from controlPlaneBase, empty while there is none.
func (f *Fleet) Boot(ctx context.Context, m Machine, controlPlaneBase string) (*Boot, error) {
	userData, err := f.userData(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	bootConfig, err := parseUserData(userData)
	if errors.Is(err, errNotKops) {
		return &Boot{Machine: m, Time: time.Now().UTC()}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("booting %s: %w", m.ID, err)
	}
	base, err := configBase(bootConfig, controlPlaneBase)
	if err != nil {
		return nil, err
	}
	text, err := readConfig(ctx, base, bootConfig)
	if err != nil {
		return nil, fmt.Errorf("booting %s: %w", m.ID, err)
	}
	boot := &Boot{
		Machine: m, Joins: bootConfig.InstanceGroupRole != kops.InstanceGroupRoleBastion,
		InstanceGroup: bootConfig.InstanceGroupName, Role: bootConfig.InstanceGroupRole,
		ConfigBase: base, NodeupConfig: string(text), Time: time.Now().UTC(),
	}
	parsed, err := boot.Config()
	if err != nil {
		return nil, err
	}
	manifests := slices.Clone(parsed.EtcdManifests)
	if parsed.ChannelsManifest != "" {
		manifests = append(manifests, parsed.ChannelsManifest)
	}
	for _, file := range manifests {
		text, err := read(ctx, file)
		if err != nil {
			return nil, fmt.Errorf("booting %s: %w", m.ID, err)
		}
		boot.StaticPods = append(boot.StaticPods, string(text))
	}
	if boot.Size, err = f.size(ctx, m); err != nil {
		return nil, err
	}
	return boot, nil
}

func configBase(config *nodeup.BootConfig, controlPlaneBase string) (string, error) {
	if config.ConfigServer != nil && len(config.ConfigServer.Servers) > 0 {
		if controlPlaneBase == "" {
			return "", ErrNoControlPlane
		}
		return controlPlaneBase, nil
	}
	if config.ConfigBase == nil || *config.ConfigBase == "" {
		return "", errors.New("the boot configuration names neither a state store nor a control plane")
	}
	return *config.ConfigBase, nil
}

func readConfig(ctx context.Context, base string, config *nodeup.BootConfig) ([]byte, error) {
	file := strings.Join([]string{strings.TrimSuffix(base, "/"), "igconfig", config.InstanceGroupRole.ToLowerString(), config.InstanceGroupName, "nodeupconfig.yaml"}, "/")
	text, err := read(ctx, file)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	if got := base64.StdEncoding.EncodeToString(sum[:]); config.NodeupConfigHash != "" && got != config.NodeupConfigHash {
		return nil, fmt.Errorf("%s isn't what this machine was made for (its hash is %s, the user data wants %s): it was changed without the launch template, or the other way round", file, got, config.NodeupConfigHash)
	}
	return text, nil
}

// read reads a file of the state store.
func read(ctx context.Context, url string) ([]byte, error) {
	path, err := vfs.Context.BuildVfsPath(url)
	if err != nil {
		return nil, fmt.Errorf("state store: %s: %w", url, err)
	}
	data, err := path.ReadFile(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", url, err)
	}
	return data, nil
}
