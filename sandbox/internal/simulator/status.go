package simulator

// State is where a cluster is in its life.
type State string

// The states of a cluster.
const (
	// StateStopped: no control-plane machine, so no control plane.
	StateStopped State = "stopped"
	// StateBuilding: the control plane's program is being built.
	StateBuilding State = "building"
	StateStarting State = "starting"
	StateReady    State = "ready"
	// StateFailed: the message says why, and it is tried again.
	StateFailed State = "failed"
)

// ClusterStatus is how a cluster does.
type ClusterStatus struct {
	Name    string `json:"name"`
	State   State  `json:"state"`
	Message string `json:"message,omitempty"`
	// Version is the control plane's.
	Version string `json:"version,omitempty"`
	// API is the API server's address on this machine.
	API string `json:"api,omitempty"`
	// Addons says why kops' addons aren't all applied yet.
	Addons   string          `json:"addons,omitempty"`
	Machines []MachineStatus `json:"machines"`
}

// MachineStatus is how a machine does.
type MachineStatus struct {
	ID            string `json:"id"`
	InstanceGroup string `json:"instanceGroup,omitempty"`
	Role          string `json:"role,omitempty"`
	Zone          string `json:"zone,omitempty"`
	// Version is what its kubelet runs.
	Version string `json:"version,omitempty"`
	// Ready tells whether its Node is.
	Ready   bool   `json:"ready"`
	Message string `json:"message,omitempty"`
}
