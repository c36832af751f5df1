package simulator

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"platform/sandbox/internal/build"
	"platform/sandbox/internal/machine"
	"platform/sandbox/internal/ports"
	"platform/sandbox/internal/supervise"
)

const (
	// While something happens EC2 is asked this often; when nothing has for a
	// while, less.
	leastInterval = 300 * time.Millisecond
	busyInterval  = time.Second
	idleInterval  = 3 * time.Second
	idleAfter     = time.Minute
	listTimeout   = 20 * time.Second
)

// Options are what the simulator works with.
type Options struct {
	AWS        aws.Config
	Supervisor *supervise.Supervisor
	Builder    *build.Builder
	Ports      *ports.Book
	Log        *slog.Logger
	// StateDir is where it remembers, LogDir is for audit logs.
	StateDir, LogDir string
	// KWOK is the program, Stages are the folders of its stages.
	KWOK   string
	Stages []string
	// Etcd is the URL of the etcd of all clusters, EtcdProcess its name for the
	// supervisor.
	Etcd, EtcdProcess string
	// StateStore is the URL of kops' state store, for clusters that no machine
	// tells about.
	StateStore string
}

// Simulator watches over all clusters.
type Simulator struct {
	o     Options
	fleet *machine.Fleet
	ec2   *ec2.Client
	boots *machine.Store
	apis  *apiNames

	wake chan struct{}

	mu       sync.Mutex
	clusters map[string]*cluster
	polled   bool
	err      error
}

// New gives a simulator that remembers what the one before it did.
func New(o Options) (*Simulator, error) {
	boots, err := machine.OpenStore(filepath.Join(o.StateDir, "machines"))
	if err != nil {
		return nil, err
	}
	return &Simulator{
		o: o, fleet: machine.NewFleet(o.AWS), ec2: ec2.NewFromConfig(o.AWS), boots: boots, apis: newAPINames(o.AWS),
		wake: make(chan struct{}, 1), clusters: map[string]*cluster{},
	}, nil
}

// Run works until ctx is done and waits for what it started.
func (s *Simulator) Run(ctx context.Context) {
	var clusters sync.WaitGroup
	defer clusters.Wait()
	for _, name := range s.remembered() {
		s.cluster(ctx, name, &clusters)
	}
	last := ""
	changed := time.Now()
	for ctx.Err() == nil {
		began := time.Now()
		listing, cancel := context.WithTimeout(ctx, listTimeout)
		machines, err := s.fleet.List(listing)
		cancel()
		if err != nil && ctx.Err() == nil {
			s.o.Log.Warn("machines", "error", err)
		}
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
		if err == nil {
			if now := fingerprint(machines); now != last {
				last, changed = now, time.Now()
			}
			s.hand(ctx, machines, &clusters)
		}
		interval := busyInterval
		if time.Since(changed) > idleAfter && !s.unsettled() {
			interval = idleInterval
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
			changed = time.Now()
			sleep(ctx, leastInterval-time.Since(began))
		case <-time.After(interval):
		}
	}
}

// Wake says that something is about to happen.
func (s *Simulator) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// hand gives every cluster its machines, also those that have none any more.
func (s *Simulator) hand(ctx context.Context, machines []machine.Machine, wait *sync.WaitGroup) {
	byCluster := map[string][]machine.Machine{}
	for _, m := range machines {
		byCluster[m.Cluster] = append(byCluster[m.Cluster], m)
	}
	for name := range byCluster {
		s.cluster(ctx, name, wait)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, c := range s.clusters {
		c.give(byCluster[name])
	}
	s.polled = true
}

// cluster gives the named cluster, begun if it is new.
func (s *Simulator) cluster(ctx context.Context, name string, wait *sync.WaitGroup) *cluster {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.clusters[name]
	if !ok {
		c = newCluster(s, name)
		s.clusters[name] = c
		wait.Go(func() {
			c.run(ctx)
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.clusters[name] == c {
				delete(s.clusters, name)
			}
		})
	}
	return c
}

// remembered are the clusters that there were.
func (s *Simulator) remembered() []string {
	entries, err := os.ReadDir(s.clustersDir())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.o.Log.Error("reading the clusters", "error", err)
	}
	var out []string
	for _, entry := range entries {
		if entry.IsDir() {
			out = append(out, entry.Name())
		}
	}
	return out
}

func (s *Simulator) clustersDir() string { return filepath.Join(s.o.StateDir, "clusters") }

// unsettled tells whether a cluster is still on its way.
func (s *Simulator) unsettled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clusters {
		if status := c.get(); status.State != StateReady && status.State != StateStopped {
			return true
		}
	}
	return false
}

// Settled tells whether every cluster that has machines serves its API, or
// can't for a reason that waiting doesn't mend.
func (s *Simulator) Settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.polled {
		return false
	}
	for _, c := range s.clusters {
		if status := c.get(); status.State == StateStarting {
			return false
		}
	}
	return true
}

// Status is how every cluster does, by name, and why EC2 couldn't be read.
func (s *Simulator) Status() ([]ClusterStatus, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]ClusterStatus, 0, len(s.clusters))
	for _, c := range s.clusters {
		out = append(out, c.get())
	}
	slices.SortFunc(out, func(a, b ClusterStatus) int { return strings.Compare(a.Name, b.Name) })
	return out, s.err
}

func fingerprint(machines []machine.Machine) string {
	ids := make([]string, len(machines))
	for i, m := range machines {
		ids[i] = m.ID
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}
