package addons

import "k8s.io/apimachinery/pkg/runtime/schema"

// Stage is when an object is applied, relative to all others of the cluster.
// A stage begins when the one before it is done.
type Stage int

// The stages. Each needs only what the ones before it made.
const (
	// Definitions are namespaces and custom resource definitions: until they
	// are there, the API server refuses whatever lives in them.
	Definitions Stage = iota + 1
	// Configuration is what pods read when they start and what bounds them:
	// accounts, roles, configuration, policies, quotas, classes.
	Configuration
	// Workloads are services, storage claims and everything that makes pods.
	Workloads
	// Admission is what the API server calls: webhooks and aggregated APIs.
	// With no pod behind them they would block the stages before.
	Admission
	// Resources are custom resources and ingresses, which controllers and
	// webhooks of the stages before act on.
	Resources
)

// Stages lists all stages in order.
var Stages = []Stage{Definitions, Configuration, Workloads, Admission, Resources}

func (s Stage) String() string {
	switch s {
	case Definitions:
		return "definitions"
	case Configuration:
		return "configuration"
	case Workloads:
		return "workloads"
	case Admission:
		return "admission"
	case Resources:
		return "resources"
	}
	return "unknown stage"
}

// awaited reports whether applying waits for the stage's objects to become
// ready before it goes on. Configuration is ready once it is stored.
func (s Stage) awaited() bool { return s != Configuration }

// StageOf gives the stage of a kind of object.
func StageOf(kind schema.GroupKind) Stage {
	if !builtin[kind.Group] {
		return Resources
	}
	switch kind.Group {
	case "":
		switch kind.Kind {
		case "Namespace":
			return Definitions
		case "Service", "Endpoints", "Pod", "ReplicationController", "PersistentVolumeClaim":
			return Workloads
		}
	case "apiextensions.k8s.io":
		return Definitions
	case "apps", "batch", "autoscaling", "discovery.k8s.io":
		return Workloads
	case "admissionregistration.k8s.io", "apiregistration.k8s.io":
		return Admission
	case "networking.k8s.io":
		if kind.Kind == "Ingress" {
			return Resources
		}
	}
	return Configuration
}

// builtin are the API groups that Kubernetes itself serves. The suffix .k8s.io
// doesn't tell: gateway.networking.k8s.io, say, is served from definitions.
var builtin = map[string]bool{
	"":                             true,
	"admissionregistration.k8s.io": true,
	"apiextensions.k8s.io":         true,
	"apiregistration.k8s.io":       true,
	"apps":                         true,
	"autoscaling":                  true,
	"batch":                        true,
	"certificates.k8s.io":          true,
	"coordination.k8s.io":          true,
	"discovery.k8s.io":             true,
	"events.k8s.io":                true,
	"flowcontrol.apiserver.k8s.io": true,
	"networking.k8s.io":            true,
	"node.k8s.io":                  true,
	"policy":                       true,
	"rbac.authorization.k8s.io":    true,
	"resource.k8s.io":              true,
	"scheduling.k8s.io":            true,
	"storage.k8s.io":               true,
	"storagemigration.k8s.io":      true,
}
