package record

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

const (
	// namespace is the one that every cluster has before anything is deployed
	// to it.
	namespace   = "kube-system"
	historyName = "platform-history"
	pauseName   = "platform-pause"
	lockName    = "platform-deployment"

	// label is on all three objects; its value says which one it is.
	label = "platform/record"

	// manager is the field manager of the records. It isn't that of declared
	// objects, so that nothing takes them for any.
	manager = "platform-record"

	requestTimeout = 10 * time.Second
)

// Store is the way to one cluster's records. It is for one goroutine.
type Store struct {
	server     string
	configMaps corev1client.ConfigMapInterface
	leases     coordinationv1client.LeaseInterface

	// history is the history as it was last read or written.
	history *corev1.ConfigMap
	// pace is how the lock is kept.
	pace pace
}

// Open makes a Store. It doesn't ask the cluster for anything yet.
func Open(given *rest.Config) (*Store, error) {
	config := rest.CopyConfig(given)
	config.QPS = -1
	config.UserAgent = "platform"
	config.Timeout = requestTimeout
	// Over HTTP/1.1 a request that gets no answer takes its connection with it,
	// and the next one makes another. Those who keep a lock mustn't wait for a
	// connection to be found dead, as after a control plane was replaced.
	config.NextProtos = []string{"http/1.1"}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to API server %s: %w", config.Host, err)
	}
	core, err := corev1client.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, fmt.Errorf("connecting to API server %s: %w", config.Host, err)
	}
	coordination, err := coordinationv1client.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, fmt.Errorf("connecting to API server %s: %w", config.Host, err)
	}
	return &Store{
		server: config.Host, configMaps: core.ConfigMaps(namespace), leases: coordination.Leases(namespace),
		pace: defaultPace,
	}, nil
}

// State is what the records say.
type State struct {
	// Pause is nil unless deployments are paused.
	Pause *Pause
	// Deployments are the newest first.
	Deployments []Deployment
}

// Read reads the pause and the history, in one request; in a second one, only
// if a deployment is on record that hasn't ended, whether it is still under way.
func (s *Store) Read(ctx context.Context) (State, error) {
	list, err := s.configMaps.List(ctx, metav1.ListOptions{LabelSelector: label})
	if err != nil {
		return State{}, s.failed("reading the cluster's records", err)
	}
	var state State
	s.history = nil
	for i := range list.Items {
		switch item := &list.Items[i]; item.Name {
		case pauseName:
			pause := readPause(item)
			state.Pause = &pause
		case historyName:
			s.history = item
			state.Deployments = readHistory(item)
		}
	}
	return state, s.findInterrupted(ctx, state.Deployments)
}

// findInterrupted tells those deployments that are under way from those that
// were killed before they could say how they ended.
func (s *Store) findInterrupted(ctx context.Context, deployments []Deployment) error {
	var holder string
	asked := false
	for i := range deployments {
		d := &deployments[i]
		if d.Result != InProgress {
			continue
		}
		if !asked {
			lease, err := s.leases.Get(ctx, lockName, metav1.GetOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				return s.failed("reading who is deploying", err)
			}
			if err == nil && !looksStale(lease, time.Now()) {
				holder = heldBy(lease).ID
			}
			asked = true
		}
		if d.ID != holder {
			d.Result = Interrupted
		}
	}
	return nil
}

// failed says what couldn't be done, and where.
func (s *Store) failed(doing string, err error) error {
	var network net.Error
	if errors.As(err, &network) {
		return fmt.Errorf("%s: API server %s can't be reached: %w", doing, s.server, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
