package simulator

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/kops/util/pkg/vfs"

	"platform/sandbox/internal/channel"
	"platform/sandbox/internal/controlplane"
	"platform/sandbox/internal/machine"
	"platform/sandbox/internal/volume"
)

const (
	// kops-channels retries after 5 s until its first success, then looks every
	// 60 s. Here it also looks as soon as the channel was rewritten.
	addonsRetry = 2 * time.Second
	addonsLook  = 3 * time.Second
	addonsAgain = 60 * time.Second
)

var errBuilding = errors.New("the control plane's program isn't there yet")

// plane is a control plane that was started.
type plane struct {
	version     string
	fingerprint string
	configBase  string
	// hosts are the machines that it runs on behalf of.
	hosts map[string]bool
	admin *rest.Config

	// client is there once the API server has been ready.
	client kubernetes.Interface
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu     sync.Mutex
	addons string
}

// ensurePlane sees to it that the control plane of a machine's configuration
// runs: another configuration or version, or none left of the machines that it
// was started for, starts a new one over the same data.
func (c *cluster) ensurePlane(ctx context.Context, host *machine.Boot) error {
	config, err := host.Config()
	if err != nil {
		return err
	}
	fingerprint, err := controlplane.Fingerprint(config)
	if err != nil {
		return err
	}
	hosts := c.hosts()
	if c.plane != nil && c.plane.fingerprint == fingerprint && c.plane.shares(hosts) {
		c.plane.hosts = hosts
		return nil
	}
	if c.plane != nil && !c.plane.shares(hosts) {
		c.stopPlane()
	}
	version := strings.TrimPrefix(config.KubernetesVersion, "v")
	binary, err := c.s.o.Builder.ControlPlane(version)
	if err != nil {
		return fmt.Errorf("%w: %w", errBuilding, err)
	}
	c.stopPlane()
	ports, err := controlplane.PortsOf(c.s.o.Ports, c.name)
	if err != nil {
		return err
	}
	made, err := controlplane.Prepare(ctx, controlplane.Site{
		Cluster: c.name, Dir: filepath.Join(c.dir, "controlplane"), Binary: binary,
		KWOK: c.s.o.KWOK, Stages: c.s.o.Stages, Etcd: c.s.o.Etcd, Ports: ports, LogDir: c.s.o.LogDir,
	}, config, host.Machine.PrivateIP)
	if err != nil {
		return fmt.Errorf("control plane: %w", err)
	}
	c.log.Info("starting the control plane", "version", version, "machine", host.Machine.ID)
	for _, process := range made.Processes {
		if process.Name == controlplane.APIServerProcess(c.name) {
			process.After = []string{c.s.o.EtcdProcess}
		}
		c.s.o.Supervisor.Start(process)
	}
	c.plane = &plane{
		version: version, fingerprint: fingerprint, configBase: host.ConfigBase, hosts: hosts, admin: made.Admin,
		addons: "not applied yet",
	}
	return nil
}

// shares tells whether one of the machines that the plane runs for is still
// there.
func (p *plane) shares(hosts map[string]bool) bool {
	for id := range p.hosts {
		if hosts[id] {
			return true
		}
	}
	return false
}

// ready gives a client as soon as the API server is ready, nil before. The
// first time it begins what works on the API all along.
func (p *plane) ready(c *cluster) (kubernetes.Interface, error) {
	if !c.s.o.Supervisor.Ready(controlplane.APIServerProcess(c.name)) {
		return nil, nil
	}
	if p.client != nil {
		return p.client, nil
	}
	client, err := kubernetes.NewForConfig(p.admin)
	if err != nil {
		return nil, err
	}
	p.client = client
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.work.Go(func() { p.applyAddons(ctx, c) })
	p.work.Go(func() { volume.New(c.name, client, c.s.ec2, c.log).Run(ctx) })
	return client, nil
}

// leave ends what works on the API.
func (p *plane) leave() {
	if p != nil && p.cancel != nil {
		p.cancel()
		p.work.Wait()
	}
}

// stopPlane stops the control plane.
func (c *cluster) stopPlane() {
	if c.plane == nil {
		return
	}
	c.plane.leave()
	c.log.Info("stopping the control plane")
	c.s.o.Supervisor.Stop(controlplane.Processes(c.name)...)
	c.plane = nil
}

// addonsMessage says why kops' addons aren't all applied, empty if they are.
func (p *plane) addonsMessage() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addons
}

// applyAddons keeps kops' addons applied.
func (p *plane) applyAddons(ctx context.Context, c *cluster) {
	location := channel.Location(p.configBase)
	var applied string
	var last time.Time
	for {
		text, err := readText(ctx, location)
		if err == nil && (text != applied || time.Since(last) > addonsAgain) {
			var names []string
			if names, err = channel.Apply(ctx, p.admin, location); len(names) > 0 {
				c.log.Info("addons applied", "addons", names)
			}
			if err == nil {
				applied, last = text, time.Now()
			}
		}
		wait, message := addonsLook, ""
		if err != nil {
			wait, message = addonsRetry, err.Error()
		}
		p.mu.Lock()
		changed := p.addons != message
		p.addons = message
		p.mu.Unlock()
		if changed && message != "" && ctx.Err() == nil {
			c.log.Warn("addons", "error", message)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func readText(ctx context.Context, url string) (string, error) {
	path, err := vfs.Context.BuildVfsPath(url)
	if err != nil {
		return "", err
	}
	data, err := path.ReadFile(ctx)
	return string(data), err
}
