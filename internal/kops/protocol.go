package kops

import (
	"time"

	"platform/internal/plan"
)

// Verb is what a worker is asked to do.
type Verb string

// The verbs.
const (
	// VerbPlan compares: it writes nothing, anywhere.
	VerbPlan Verb = "plan"
	// VerbNetwork stores the spec and brings up the network alone (VPC,
	// subnets, routes), for what must exist before the cluster does.
	VerbNetwork Verb = "network"
	// VerbApply stores the spec and reconciles the whole cluster, machines
	// included.
	VerbApply Verb = "apply"
	// VerbVerify validates the running cluster.
	VerbVerify Verb = "verify"
	// VerbConnect issues credentials for the cluster's API.
	VerbConnect Verb = "connect"
	// VerbValidate judges the manifests by themselves, without AWS.
	VerbValidate Verb = "validate"
	// VerbPlanDelete lists what deleting the cluster would delete.
	VerbPlanDelete Verb = "plan-delete"
	// VerbDelete deletes the cluster and its state.
	VerbDelete Verb = "delete"
)

// Settings are the patience and the pace of a worker.
type Settings struct {
	// APITimeout is how long to wait for the control plane to serve.
	APITimeout time.Duration `json:"apiTimeout"`
	// ValidationTimeout is how long the cluster may take to validate, each
	// time that it has to.
	ValidationTimeout time.Duration `json:"validationTimeout"`
	// ValidateTick is the time between two validations.
	ValidateTick time.Duration `json:"validateTick"`
	// ValidateSuccess is how long the cluster must stay valid before the
	// next machine is replaced.
	ValidateSuccess time.Duration `json:"validateSuccess"`
	// Interval is the least time to wait after stopping a machine.
	Interval time.Duration `json:"interval"`
	// DrainDelay is how long to wait after draining a node.
	DrainDelay time.Duration `json:"drainDelay"`
	// DrainTimeout is how long draining a node may take.
	DrainTimeout time.Duration `json:"drainTimeout"`
	// DeleteTimeout is how long deleting all of a cluster may take.
	DeleteTimeout time.Duration `json:"deleteTimeout"`
}

// DefaultSettings are the defaults of the kops command.
func DefaultSettings() Settings {
	return Settings{
		APITimeout:        10 * time.Minute,
		ValidationTimeout: 15 * time.Minute,
		ValidateTick:      30 * time.Second,
		ValidateSuccess:   10 * time.Second,
		Interval:          15 * time.Second,
		DrainDelay:        5 * time.Second,
		DrainTimeout:      15 * time.Minute,
		DeleteTimeout:     10 * time.Minute,
	}
}

// Request is all that a worker needs to know.
type Request struct {
	Verb Verb `json:"verb"`
	Spec Spec `json:"spec"`
	// TargetGroups are the ARNs of the target groups that every instance
	// group of role Node is registered with.
	TargetGroups []string `json:"targetGroups,omitempty"`
	// Proxy is the URL of the proxy through which the API is reached, if
	// any.
	Proxy    string   `json:"proxy,omitempty"`
	Settings Settings `json:"settings"`
}

// Message is one line of a worker's output: an event, or, as the last line,
// either a result or an error. An error may come with a result that says what
// had been done until then.
type Message struct {
	Event  *plan.Event `json:"event,omitempty"`
	Result *Result     `json:"result,omitempty"`
	Error  *Error      `json:"error,omitempty"`
}

// Result is what a verb found or did.
type Result struct {
	// Exists says whether the cluster is in the state store.
	Exists  bool          `json:"exists"`
	Changes []plan.Change `json:"changes,omitempty"`
	Health  []plan.Health `json:"health,omitempty"`
	// Connection is how to reach the API; nil while there is no cluster.
	Connection *Connection `json:"connection,omitempty"`
	// Problems are what VerbValidate found.
	Problems []Problem `json:"problems,omitempty"`
}

// Problem is what kops has against a manifest.
type Problem struct {
	// Resource is named as in plan.Change; empty where it can't be told.
	Resource string `json:"resource,omitempty"`
	// Path is the field, as kops spells it.
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
}

// Connection is how to reach and authenticate to a cluster's API. It holds a
// private key: it crosses the pipe between worker and parent and goes into a
// kubeconfig, nowhere else.
type Connection struct {
	// Name is the cluster's name and that of its kubeconfig context.
	Name          string    `json:"name"`
	Server        string    `json:"server"`
	TLSServerName string    `json:"tlsServerName,omitempty"`
	CA            []byte    `json:"ca"`
	ClientCert    []byte    `json:"clientCert"`
	ClientKey     []byte    `json:"clientKey"`
	Proxy         string    `json:"proxy,omitempty"`
	Expires       time.Time `json:"expires"`
}

// Error is an error that crosses the pipe.
type Error struct {
	// Kind lets callers tell errors apart; it is empty for most.
	Kind    ErrorKind `json:"kind,omitempty"`
	Message string    `json:"message"`
}

// ErrorKind is a class of errors with a remedy of its own.
type ErrorKind string

// The kinds.
const (
	// KindInterrupted: the worker was told to stop and has.
	KindInterrupted ErrorKind = "interrupted"
	// KindInvalid: kops refuses the spec.
	KindInvalid ErrorKind = "invalid"
	// KindNotValidated: the machines are there but the cluster doesn't
	// validate.
	KindNotValidated ErrorKind = "not-validated"
	// KindCredentials: AWS doesn't know or doesn't accept the credentials.
	KindCredentials ErrorKind = "credentials"
	// KindStateStore: the state store can't be read or isn't there.
	KindStateStore ErrorKind = "state-store"
)

func (e *Error) Error() string { return e.Message }
