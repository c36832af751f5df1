package controlplane

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/kops/pkg/apis/nodeup"
	"k8s.io/kops/upup/pkg/fi"
	"k8s.io/kops/util/pkg/vfs"

	"platform/sandbox/internal/ports"
	"platform/sandbox/internal/supervise"
)

// Site is where a cluster's control plane runs on this machine.
type Site struct {
	Cluster string
	// Dir holds the files of the components; it is made anew by each Prepare.
	Dir string
	// Binary is the program that all components are in, of the right version.
	Binary string
	// KWOK is the program, Stages are the folders of its stages.
	KWOK   string
	Stages []string
	// Etcd is the URL of the etcd that all clusters share.
	Etcd  string
	Ports Ports
	// LogDir is for the API server's audit log.
	LogDir string
}

// Ports are the components' ports on loopback.
type Ports struct{ APIServer, ControllerManager, Scheduler, KWOK int }

// PortsOf chooses, or remembers, the ports of a cluster's components.
func PortsOf(book *ports.Book, cluster string) (Ports, error) {
	out := Ports{}
	into := []*int{&out.APIServer, &out.KWOK, &out.ControllerManager, &out.Scheduler}
	for i, component := range Components {
		port, err := book.Port(ProcessName(cluster, component))
		if err != nil {
			return out, err
		}
		*into[i] = port
	}
	return out, nil
}

// Names of the components, of their processes and of their ports.
const (
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	kwok              = "kwok"
)

// Components are all components, in the order in which they start.
var Components = []string{apiServer, kwok, controllerManager, scheduler}

// Processes are the names of a cluster's components for the supervisor, the
// API server, which the others need, last.
func Processes(cluster string) []string {
	out := make([]string, len(Components))
	for i, component := range Components {
		out[len(out)-1-i] = ProcessName(cluster, component)
	}
	return out
}

// ProcessName is the name of a cluster's component for the supervisor.
func ProcessName(cluster, component string) string { return cluster + "/" + component }

// APIServerProcess is the name of a cluster's API server for the supervisor.
func APIServerProcess(cluster string) string { return ProcessName(cluster, apiServer) }

// EtcdPrefix is the part of the shared etcd that is a cluster's.
func EtcdPrefix(cluster string) string { return "/registry-" + cluster }

// Plane is a control plane that is ready to be started.
type Plane struct {
	Processes []supervise.Process
	// Admin is a connection to the API with all rights.
	Admin *rest.Config
}

// Fingerprint tells configurations apart that make different control planes.
// What differs between the machines of one control plane doesn't count.
func Fingerprint(config *nodeup.Config) (string, error) {
	data, err := json.Marshal([]any{
		config.KubernetesVersion, config.APIServerConfig, config.ControlPlaneConfig, config.CAs["kubernetes-ca"],
		config.KeypairIDs["kubernetes-ca"], config.KeypairIDs["service-account"], config.KeypairIDs["apiserver-aggregator-ca"],
		config.ApiserverAdditionalIPs, config.FileAssets,
	})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// Prepare writes the files of a control plane that a machine with the given
// address and configuration would run.
func Prepare(ctx context.Context, site Site, config *nodeup.Config, address string) (*Plane, error) {
	if config.APIServerConfig == nil || config.APIServerConfig.KubeAPIServer == nil || config.ControlPlaneConfig == nil || config.ConfigStore == nil {
		return nil, fmt.Errorf("the nodeup configuration of %s isn't a control plane's", site.Cluster)
	}
	keys, err := vfs.Context.BuildVfsPath(config.ConfigStore.Keypairs)
	if err != nil {
		return nil, fmt.Errorf("key store %s: %w", config.ConfigStore.Keypairs, err)
	}
	if err := os.RemoveAll(site.Dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(site.Dir, 0o700); err != nil {
		return nil, err
	}
	b := &builder{
		site: site, config: config, address: address,
		pki: pkiDir{dir: site.Dir, reader: fi.NewVFSKeystoreReader(keys), ids: config.KeypairIDs},
	}
	if err := b.writeFileAssets(); err != nil {
		return nil, err
	}
	if b.admin, err = b.adminConfig(ctx); err != nil {
		return nil, err
	}
	plane := &Plane{Admin: b.admin}
	for _, build := range []func(context.Context) (supervise.Process, error){b.apiServer, b.kwok, b.controllerManager, b.scheduler} {
		process, err := build(ctx)
		if err != nil {
			return nil, err
		}
		plane.Processes = append(plane.Processes, process)
	}
	return plane, nil
}

// builder builds the components of one control plane.
type builder struct {
	site    Site
	config  *nodeup.Config
	address string
	pki     pkiDir
	admin   *rest.Config
	// assets are the files that kops puts on the machine, by their path there.
	assets map[string]string
}

func (b *builder) file(name string) string { return filepath.Join(b.site.Dir, name) }

// writeFileAssets writes the files that kops wants on the machine, such as an
// audit policy, into a folder in the place of the machine's root.
func (b *builder) writeFileAssets() error {
	b.assets = map[string]string{}
	for _, asset := range b.config.FileAssets {
		if asset.Path == "" || asset.IsBase64 {
			continue
		}
		file := filepath.Join(b.site.Dir, "root", filepath.Clean("/"+asset.Path))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(asset.Content), 0o600); err != nil {
			return err
		}
		b.assets[asset.Path] = file
	}
	return nil
}

// localPaths points flags that name a file of the machine at the one here.
func (b *builder) localPaths(flags []string) []string {
	out := make([]string, len(flags))
	for i, flag := range flags {
		name, value, _ := strings.Cut(flag, "=")
		if local, ok := b.assets[value]; ok {
			flag = name + "=" + local
		}
		out[i] = flag
	}
	return out
}

func (b *builder) process(component string, flags []string, ready func(context.Context) error) supervise.Process {
	p := supervise.Process{
		Name:    ProcessName(b.site.Cluster, component),
		Command: append([]string{b.site.Binary, component}, flags...),
		Env:     []string{"PATH=/usr/bin:/bin", "HOME=" + b.site.Dir},
		Dir:     b.site.Dir,
		Ready:   ready,
		Grace:   3 * time.Second,
	}
	if component != apiServer {
		p.After = []string{APIServerProcess(b.site.Cluster)}
	}
	return p
}

func loopback(port int) string { return "https://127.0.0.1:" + strconv.Itoa(port) }

// firstAddress is the address of the service `kubernetes`: the first one of the
// services' range.
func firstAddress(cidrs string) (string, error) {
	first, _, _ := strings.Cut(cidrs, ",")
	prefix, err := netip.ParsePrefix(first)
	if err != nil {
		return "", fmt.Errorf("the services' range %q: %w", cidrs, err)
	}
	return prefix.Masked().Addr().Next().String(), nil
}
