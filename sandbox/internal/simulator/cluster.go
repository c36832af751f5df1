package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kops/util/pkg/vfs"

	"platform/sandbox/internal/build"
	"platform/sandbox/internal/controlplane"
	"platform/sandbox/internal/machine"
	"platform/sandbox/internal/node"
)

const (
	startingTick = 300 * time.Millisecond
	steadyTick   = 2 * time.Second
	bootRetry    = 3 * time.Second
	stepTimeout  = 30 * time.Second

	controlPlaneTag = "k8s.io/role/control-plane"
)

// cluster makes one cluster follow its machines. Only its own goroutine touches
// what isn't behind the lock.
type cluster struct {
	s    *Simulator
	name string
	dir  string
	log  *slog.Logger
	// machines holds the newest list of machines that wasn't looked at yet.
	machines chan []machine.Machine

	plane *plane
	// failures are the boots that failed, by machine.
	failures map[string]failure

	mu     sync.Mutex
	status ClusterStatus
}

type failure struct {
	message string
	next    time.Time
}

func newCluster(s *Simulator, name string) *cluster {
	return &cluster{
		s: s, name: name, dir: filepath.Join(s.clustersDir(), name), log: s.o.Log.With("cluster", name),
		machines: make(chan []machine.Machine, 1), failures: map[string]failure{},
		status: ClusterStatus{Name: name, State: StateStarting, Machines: []MachineStatus{}},
	}
}

// give hands over a new list of machines in the place of one not looked at yet.
func (c *cluster) give(machines []machine.Machine) {
	select {
	case <-c.machines:
	default:
	}
	c.machines <- machines
}

func (c *cluster) get() ClusterStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

func (c *cluster) set(status ClusterStatus) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if status.State != c.status.State || status.Message != c.status.Message {
		c.log.Info("cluster", "state", status.State, "message", status.Message)
	}
	c.status = status
}

// run follows the machines until ctx is done or the cluster is gone.
func (c *cluster) run(ctx context.Context) {
	defer func() { c.plane.leave() }()
	// Before the first list nothing is known, not even that there are none.
	var machines []machine.Machine
	select {
	case <-ctx.Done():
	case machines = <-c.machines:
	}
	for ctx.Err() == nil {
		step, cancel := context.WithTimeout(ctx, stepTimeout)
		gone := c.reconcile(step, machines)
		cancel()
		if gone {
			return
		}
		tick := steadyTick
		if c.get().State == StateStarting {
			tick = startingTick
		}
		select {
		case <-ctx.Done():
		case machines = <-c.machines:
		case <-time.After(tick):
		}
	}
}

// reconcile does what is to do now. It tells whether the cluster is gone.
func (c *cluster) reconcile(ctx context.Context, machines []machine.Machine) (gone bool) {
	status := ClusterStatus{Name: c.name, State: StateStopped}
	nodes := map[string]*corev1.Node{}
	defer func() {
		status.Machines = c.machineStatus(machines, nodes)
		c.set(status)
	}()
	fail := func(err error) {
		status.State, status.Message = StateFailed, err.Error()
	}
	if err := c.forget(machines); err != nil {
		fail(err)
		return false
	}
	c.boot(ctx, machines, "")
	host := c.host()
	if host == nil {
		status.Message = "no control-plane machine is running"
		c.stopPlane()
		gone, err := c.removeIfDeleted(ctx, machines)
		if err != nil {
			fail(err)
		}
		return gone
	}
	if err := c.remember(host); err != nil {
		fail(err)
		return false
	}
	if err := c.ensurePlane(ctx, host); err != nil {
		if fail(err); errors.Is(err, errBuilding) {
			status.State = StateBuilding
		}
		return false
	}
	status.Version, status.API = c.plane.version, c.plane.admin.Host
	client, err := c.plane.ready(c)
	if err != nil {
		fail(err)
		return false
	}
	if client == nil {
		status.State, status.Message = StateStarting, "the API server is starting"
		return false
	}
	status.State = StateReady
	status.Addons = c.plane.addonsMessage()
	c.boot(ctx, machines, host.ConfigBase)
	if nodes, err = node.Sync(ctx, client, c.booted(machines)); err != nil {
		status.Message = err.Error()
	}
	for _, boot := range c.booted(machines) {
		if here := nodes[boot.Machine.ID]; here != nil && boot.ControlPlane() {
			if err := node.SyncStaticPods(ctx, client, boot, here, status.Addons == ""); err != nil {
				status.Message = err.Error()
			}
		}
	}
	return false
}

// forget forgets machines that are gone.
func (c *cluster) forget(machines []machine.Machine) error {
	alive := map[string]bool{}
	for _, m := range machines {
		alive[m.ID] = true
	}
	for id := range c.failures {
		if !alive[id] {
			delete(c.failures, id)
		}
	}
	for _, boot := range c.s.boots.Of(c.name) {
		if !alive[boot.Machine.ID] {
			c.log.Info("machine gone", "machine", boot.Machine.ID, "instance group", boot.InstanceGroup)
			if err := c.s.boots.Forget(boot.Machine.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// boot boots the machines that haven't yet. Nodes get their configuration from
// a control plane, that is only once controlPlaneBase is known.
func (c *cluster) boot(ctx context.Context, machines []machine.Machine, controlPlaneBase string) {
	for _, m := range machines {
		_, isControlPlane := m.Tags[controlPlaneTag]
		if c.s.boots.Get(m.ID) != nil || (!isControlPlane && controlPlaneBase == "") || time.Now().Before(c.failures[m.ID].next) {
			continue
		}
		boot, err := c.s.fleet.Boot(ctx, m, controlPlaneBase)
		if err == nil {
			err = c.s.boots.Put(boot)
		}
		if err != nil {
			// As nodeup does, which retries for ever.
			if c.failures[m.ID].message != err.Error() {
				c.log.Warn("boot failed", "machine", m.ID, "error", err)
			}
			c.failures[m.ID] = failure{message: err.Error(), next: time.Now().Add(bootRetry)}
			continue
		}
		delete(c.failures, m.ID)
		c.log.Info("machine booted", "machine", m.ID, "instance group", boot.InstanceGroup, "role", boot.Role)
	}
}

// booted are the machines that have booted, in the order of their IDs.
func (c *cluster) booted(machines []machine.Machine) []*machine.Boot {
	var out []*machine.Boot
	for _, m := range machines {
		if boot := c.s.boots.Get(m.ID); boot != nil {
			out = append(out, boot)
		}
	}
	slices.SortFunc(out, func(a, b *machine.Boot) int { return strings.Compare(a.Machine.ID, b.Machine.ID) })
	return out
}

// host is the machine whose configuration the control plane runs with: of those
// with the newest Kubernetes version the one that booted last. An API server is
// not taken back to an older version while a newer one is still there.
func (c *cluster) host() *machine.Boot {
	var best *machine.Boot
	version := ""
	for _, boot := range c.s.boots.Of(c.name) {
		config, err := boot.Config()
		if err != nil || !boot.ControlPlane() {
			continue
		}
		order := 1
		if best != nil {
			if order = build.CompareVersions(config.KubernetesVersion, version); order == 0 {
				order = boot.Time.Compare(best.Time)
			}
		}
		if order > 0 {
			best, version = boot, config.KubernetesVersion
		}
	}
	return best
}

// hosts are the control-plane machines.
func (c *cluster) hosts() map[string]bool {
	out := map[string]bool{}
	for _, boot := range c.s.boots.Of(c.name) {
		if boot.ControlPlane() {
			out[boot.Machine.ID] = true
		}
	}
	return out
}

// memory is what is remembered of a cluster when its machines are gone.
type memory struct {
	ConfigBase string `json:"configBase"`
}

func (c *cluster) memoryFile() string { return filepath.Join(c.dir, "cluster.json") }

func (c *cluster) remember(host *machine.Boot) error {
	if _, err := os.Stat(c.memoryFile()); err == nil {
		return nil
	}
	data, err := json.Marshal(memory{ConfigBase: host.ConfigBase})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(c.memoryFile(), data, 0o644)
}

// removeIfDeleted removes what is left of a cluster that kops has deleted, so
// that one of its name begins from nothing. Deleted means: no machine, and no
// configuration in the state store, which kops takes away last.
func (c *cluster) removeIfDeleted(ctx context.Context, machines []machine.Machine) (bool, error) {
	if len(machines) > 0 {
		return false, nil
	}
	m := memory{ConfigBase: c.s.o.StateStore + "/" + c.name}
	if data, err := os.ReadFile(c.memoryFile()); err == nil {
		if err := json.Unmarshal(data, &m); err != nil {
			return false, fmt.Errorf("reading %s: %w", c.memoryFile(), err)
		}
	}
	path, err := vfs.Context.BuildVfsPath(m.ConfigBase + "/config")
	if err != nil {
		return false, err
	}
	if _, err := path.ReadFile(ctx); !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	if !c.s.o.Supervisor.Ready(c.s.o.EtcdProcess) {
		return false, nil // next time
	}
	if err := deletePrefix(ctx, c.s.o.Etcd, controlplane.EtcdPrefix(c.name)+"/"); err != nil {
		return false, err
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return false, err
	}
	if err := c.s.o.Ports.Forget(controlplane.Processes(c.name)...); err != nil {
		return false, err
	}
	c.log.Info("cluster deleted: its data was removed")
	return true, nil
}

func (c *cluster) machineStatus(machines []machine.Machine, nodes map[string]*corev1.Node) []MachineStatus {
	out := make([]MachineStatus, 0, len(machines))
	for _, m := range machines {
		status := MachineStatus{ID: m.ID, InstanceGroup: m.Tags["kops.k8s.io/instancegroup"], Zone: m.Zone, Message: c.failures[m.ID].message}
		if boot := c.s.boots.Get(m.ID); boot != nil {
			status.Role = boot.Role.ToLowerString()
			if config, err := boot.Config(); err == nil {
				status.Version = config.KubernetesVersion
			}
		} else if status.Message == "" {
			status.Message = machine.ErrNoControlPlane.Error()
		}
		if here := nodes[m.ID]; here != nil {
			status.Ready = node.IsReady(here)
		}
		out = append(out, status)
	}
	slices.SortFunc(out, func(a, b MachineStatus) int {
		return strings.Compare(a.InstanceGroup+a.ID, b.InstanceGroup+b.ID)
	})
	return out
}
