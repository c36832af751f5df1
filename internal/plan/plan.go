package plan

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// Layer names one of the three layers of a cluster.
type Layer string

// The layers, in the order in which they are reconciled.
const (
	Kops   Layer = "kops"
	AWS    Layer = "aws"
	Addons Layer = "addons"
)

// Op says what applying a Change does to its resource.
type Op string

// The operations. Replace deletes the resource and creates it anew; Roll
// replaces running machines so that they pick up a configuration that is
// already in place.
const (
	Create  Op = "create"
	Update  Op = "update"
	Delete  Op = "delete"
	Replace Op = "replace"
	Roll    Op = "roll"
)

// Ops lists every operation in the order in which summaries name them.
var Ops = []Op{Create, Update, Replace, Roll, Delete}

// Destructive reports whether the operation takes something away that is
// running or stored.
func (o Op) Destructive() bool { return o == Delete || o == Replace || o == Roll }

// unknown is the type of Unknown; its JSON is the text that people see.
type unknown struct{}

func (unknown) String() string               { return "(known after apply)" }
func (unknown) MarshalJSON() ([]byte, error) { return json.Marshal(unknown{}.String()) }

// Unknown is the value of a field that only applying can tell, such as the
// random part of an ARN.
var Unknown any = unknown{}

// Field is one field that differs. A nil From means that the field isn't
// there yet, a nil To that it goes away.
type Field struct {
	// Path is the field's place in its resource, dots between the names and
	// the index or key of a list element in brackets:
	// spec.template.spec.containers[name="nginx"].image.
	Path string `json:"path"`
	From any    `json:"from"`
	To   any    `json:"to"`
	// Manager is the field manager that holds the field in the cluster, and
	// Written when that manager last wrote the object: no earlier than the
	// field itself. Both are missing where that isn't known, as of fields that
	// were removed and of AWS.
	Manager string     `json:"manager,omitempty"`
	Written *time.Time `json:"written,omitempty"`
}

// Change is one resource that differs between git and reality.
type Change struct {
	Layer Layer `json:"layer"`
	Op    Op    `json:"op"`
	// Resource is the resource as its users name it: Deployment
	// monitoring/prometheus, AutoscalingGroup/nodes-a.dev.example.net.
	Resource string `json:"resource"`
	// Diff is sorted by path. It may be empty where the operation says all.
	Diff []Field `json:"diff"`
	// Reason says why, where the diff doesn't (needs rolling update: …).
	Reason string `json:"reason,omitempty"`
	// Source is the file in git that declares the resource, where one does.
	Source string `json:"source,omitempty"`
	// Seen is the state of the resource that was compared, as an opaque text,
	// where the diff hides values: equal diffs could be of different values.
	Seen string `json:"seen,omitempty"`
}

// Plan is everything that differs for one cluster.
type Plan struct {
	Cluster string `json:"cluster"`
	// Changes are in the order in which they would be applied.
	Changes []Change `json:"changes"`
	// Unchanged are the declared resources that are as git says, in the order
	// of the layers, named as in Change.
	Unchanged []string `json:"unchanged,omitempty"`
	// Requests is how many requests planning made to the cluster's API server.
	Requests int `json:"requests"`
}

// Empty reports whether reality is what git says.
func (p Plan) Empty() bool { return len(p.Changes) == 0 }

// Summary counts the changes by operation; it names every operation.
func (p Plan) Summary() map[Op]int {
	counts := make(map[Op]int, len(Ops))
	for _, op := range Ops {
		counts[op] = 0
	}
	for _, c := range p.Changes {
		counts[c.Op]++
	}
	return counts
}

// ByLayer gives one layer's changes.
func (p Plan) ByLayer(layer Layer) []Change {
	var out []Change
	for _, c := range p.Changes {
		if c.Layer == layer {
			out = append(out, c)
		}
	}
	return out
}

// MarshalJSON writes the form that scripts rely on: cluster, changes (never
// null) and summary.
func (p Plan) MarshalJSON() ([]byte, error) {
	changes := make([]Change, len(p.Changes))
	for i, c := range p.Changes {
		if c.Diff == nil {
			c.Diff = []Field{}
		}
		changes[i] = c
	}
	return json.Marshal(struct {
		Cluster string     `json:"cluster"`
		Changes []Change   `json:"changes"`
		Summary map[Op]int `json:"summary"`
		// Left out unless it was asked for.
		Unchanged []string `json:"unchanged,omitempty"`
		Requests  int      `json:"requests"`
	}{p.Cluster, changes, p.Summary(), p.Unchanged, p.Requests})
}

// SortFields orders a diff by path.
func SortFields(fields []Field) {
	slices.SortStableFunc(fields, func(a, b Field) int { return cmp.Compare(a.Path, b.Path) })
}
