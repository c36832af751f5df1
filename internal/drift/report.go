package drift

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"platform/internal/plan"
)

// SchemaVersion is the version of the report's format, which
// docs/drift-report.schema.json describes. It grows when a reader of the format
// before would take something for what it isn't; new fields don't count.
const SchemaVersion = 1

// What drifts besides the three layers that are reconciled.
const (
	// Versions are components that run in another version than the matrix says.
	Versions plan.Layer = "versions"
	// Certificates are those that expire soon.
	Certificates plan.Layer = "certificates"
	// Undeclared is what nobody declared in our namespaces and hosted zone.
	Undeclared plan.Layer = "undeclared"
)

// Layers lists what can drift, in the order in which reports name it.
var Layers = []plan.Layer{plan.Kops, plan.AWS, plan.Addons, Versions, Certificates, Undeclared}

// None is the operation of a finding that applying wouldn't mend, such as
// something that nobody declared: somebody has to look.
const None plan.Op = "none"

// Ops lists the operations in the order in which reports name them.
var Ops = append(slices.Clone(plan.Ops), None)

// Report is one look at some clusters.
type Report struct {
	SchemaVersion int       `json:"schemaVersion"`
	Time          time.Time `json:"time"`
	// Tool is the version of the tool that looked.
	Tool       string `json:"tool"`
	Repository string `json:"repository"`
	// Commit is the one that the clusters were compared with.
	Commit string `json:"commit"`
	// Previous is the time of the newest report that this one was compared
	// with; it is missing from a first one.
	Previous *time.Time   `json:"previous,omitempty"`
	Clusters []Cluster    `json:"clusters"`
	Ignore   []IgnoreRule `json:"ignore"`
}

// State is how a cluster is doing, in one word.
type State string

// The states; a cluster that several of them fit is in the first of these.
const (
	// Unreachable: at least a part of the cluster couldn't be read, so that
	// nobody can say that it is as git says.
	Unreachable State = "unreachable"
	// Paused: somebody has paused deployments, so that it may well differ.
	Paused State = "paused"
	// Drifted: it differs from git.
	Drifted State = "drifted"
	// Clean: it is as git says, what is ignored aside.
	Clean State = "clean"
)

// Cluster is what is known of one cluster.
type Cluster struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// Time is when the cluster was looked at: the report's, but in one that was
	// merged of others.
	Time time.Time `json:"time"`
	// Error says why the cluster, or a part of it, couldn't be read.
	Error string `json:"error,omitempty"`
	// Unread are the layers that couldn't be read; none with an Error means
	// all of them.
	Unread []plan.Layer `json:"unread,omitempty"`
	// Seen is when all of the cluster was read last: the report's time, unless
	// there is an Error. It is missing if that never happened.
	Seen *time.Time `json:"seen,omitempty"`
	// Previous is the time of the report that the cluster was compared with.
	Previous *time.Time `json:"previous,omitempty"`

	Server  string `json:"server,omitempty"`
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	// Requests and Seconds are what looking has cost.
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`

	Paused   *Pause             `json:"paused,omitempty"`
	Versions map[string]Version `json:"versions"`
	// Counts are the current findings, by layer and operation.
	Counts   map[plan.Layer]map[plan.Op]int `json:"counts"`
	Findings []Finding                      `json:"findings"`
}

// Version is a component's version in a cluster.
type Version struct {
	Wanted string `json:"wanted"`
	// Running is empty where it couldn't be told.
	Running string `json:"running,omitempty"`
}

// Behind reports whether another version runs than the one that is wanted.
func (v Version) Behind() bool { return v.Running != "" && v.Running != v.Wanted }

// Pause says who has paused deployments.
type Pause struct {
	By     string     `json:"by"`
	Since  *time.Time `json:"since,omitempty"`
	Reason string     `json:"reason,omitempty"`
}

// Status is what has become of a finding since the last report.
type Status string

// The statuses.
const (
	// New: the last report didn't have it.
	New Status = "new"
	// Open: the last report had it too.
	Open Status = "open"
	// Unknown: the last report had it; this time its layer couldn't be read.
	Unknown Status = "unknown"
	// Resolved: the last report had it, and it is gone.
	Resolved Status = "resolved"
)

// Finding is one resource that differs from git. It stays the same finding as
// long as one of its fields goes on to differ, whatever the fields' values.
type Finding struct {
	// ID is kept from report to report.
	ID       string     `json:"id"`
	Layer    plan.Layer `json:"layer"`
	Op       plan.Op    `json:"op"`
	Resource string     `json:"resource"`
	Source   string     `json:"source,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	Diff     []Field    `json:"diff"`
	Status   Status     `json:"status"`
	// FirstSeen is the time of the first report that had it, LastSeen that of
	// the last one that could look and found it.
	FirstSeen time.Time `json:"firstSeen"`
	LastSeen  time.Time `json:"lastSeen"`
	// UnknownSince is the time of the first report that couldn't look.
	UnknownSince *time.Time `json:"unknownSince,omitempty"`
	// AgeSeconds is how long it has been there, or was, seen from the report.
	AgeSeconds int64 `json:"ageSeconds"`
	// Ignored is set if a rule says that the finding is to be let be.
	Ignored *Ignored `json:"ignored,omitempty"`
}

// Field is a field that differs. A field without a manager is one whose owner
// nobody knows.
type Field struct {
	plan.Field
	// Since is the time of the first report in which it differed.
	Since time.Time `json:"since"`
}

// Ignored is the rule that a finding is ignored by.
type Ignored struct {
	// Rule is its place in the report's list.
	Rule    int    `json:"rule"`
	Reason  string `json:"reason"`
	Expires string `json:"expires"`
}

// Current reports whether the finding is there, as far as is known, and not
// to be ignored.
func (f Finding) Current() bool { return f.Status != Resolved && f.Ignored == nil }

// Age is how long the finding has been there.
func (f Finding) Age() time.Duration { return time.Duration(f.AgeSeconds) * time.Second }

// NewFields counts the fields that an open finding didn't have before.
func (f Finding) NewFields() int {
	if f.Status != Open {
		return 0
	}
	n := 0
	for _, field := range f.Diff {
		if field.Since.Equal(f.LastSeen) {
			n++
		}
	}
	return n
}

// Read reports whether a layer of the cluster could be read.
func (c Cluster) Read(layer plan.Layer) bool {
	return c.Error == "" || len(c.Unread) > 0 && !slices.Contains(c.Unread, layer)
}

// Tally counts a cluster's findings.
type Tally struct {
	State State `json:"state"`
	// Current are those that are there and not ignored; New and Unknown are
	// among them.
	Current  int `json:"current"`
	New      int `json:"new,omitempty"`
	Unknown  int `json:"unknown,omitempty"`
	Resolved int `json:"resolved,omitempty"`
	Ignored  int `json:"ignored,omitempty"`
}

// Tally counts the cluster's findings.
func (c Cluster) Tally() Tally {
	t := Tally{State: c.State}
	for _, f := range c.Findings {
		switch {
		case f.Ignored != nil:
			t.Ignored++
		case f.Status == Resolved:
			t.Resolved++
		default:
			t.Current++
			switch f.Status {
			case New:
				t.New++
			case Unknown:
				t.Unknown++
			}
		}
	}
	return t
}

// Oldest is the age of the oldest current finding; 0 if there is none.
func (c Cluster) Oldest() time.Duration {
	var age time.Duration
	for _, f := range c.Findings {
		if f.Current() {
			age = max(age, f.Age())
		}
	}
	return age
}

// Totals counts over all clusters of a report.
type Totals struct {
	Clusters    int
	Clean       int // in every part read, and as git says
	Differing   int // with findings
	Unreachable int
	Paused      int
	Tally
}

// Totals counts over all clusters. Its Tally has no state.
func (r *Report) Totals() Totals {
	out := Totals{Clusters: len(r.Clusters)}
	for _, c := range r.Clusters {
		t := c.Tally()
		if c.State == Unreachable {
			out.Unreachable++
		} else if t.Current == 0 {
			out.Clean++
		}
		if t.Current > 0 {
			out.Differing++
		}
		if c.Paused != nil {
			out.Paused++
		}
		out.Current += t.Current
		out.New += t.New
		out.Unknown += t.Unknown
		out.Resolved += t.Resolved
		out.Ignored += t.Ignored
	}
	return out
}

// ExitCode answers whether there is drift: 2 for yes, 0 for no, and 1 if none
// was found but not everything could be read.
func (r *Report) ExitCode() int {
	switch t := r.Totals(); {
	case t.Current > t.Unknown:
		return 2
	case t.Unreachable > 0:
		return 1
	}
	return 0
}

// Order puts the clusters into the order of a list of names; those that it
// doesn't have come last.
func (r *Report) Order(names []string) {
	place := make(map[string]int, len(names))
	for i, name := range names {
		place[name] = i - len(names)
	}
	slices.SortStableFunc(r.Clusters, func(a, b Cluster) int { return cmp.Compare(place[a.Name], place[b.Name]) })
}

// settle fills in what follows from the findings: order, counts and state.
func (c *Cluster) settle() {
	slices.SortStableFunc(c.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(layerPlace(a.Layer), layerPlace(b.Layer)), cmp.Compare(a.Layer, b.Layer),
			cmp.Compare(a.Resource, b.Resource), cmp.Compare(opPlace(a.Op), opPlace(b.Op)),
			cmp.Compare(a.standing(), b.standing()), cmp.Compare(a.places()[0], b.places()[0]), cmp.Compare(a.ID, b.ID))
	})
	c.Counts = map[plan.Layer]map[plan.Op]int{}
	current := false
	for _, f := range c.Findings {
		if !f.Current() {
			continue
		}
		current = true
		if c.Counts[f.Layer] == nil {
			c.Counts[f.Layer] = map[plan.Op]int{}
		}
		c.Counts[f.Layer][f.Op]++
	}
	switch {
	case c.Error != "":
		c.State = Unreachable
	case c.Paused != nil:
		c.State = Paused
	case current:
		c.State = Drifted
	default:
		c.State = Clean
	}
}

// standing orders findings of one resource: what is there, what is ignored,
// what was.
func (f Finding) standing() int {
	switch {
	case f.Status == Resolved:
		return 2
	case f.Ignored != nil:
		return 1
	}
	return 0
}

func layerPlace(layer plan.Layer) int {
	if i := slices.Index(Layers, layer); i >= 0 {
		return i
	}
	return len(Layers)
}

func opPlace(op plan.Op) int { return slices.Index(Ops, op) }

// LayersOf lists the layers that a cluster has current findings in, in order.
func (c Cluster) LayersOf() []plan.Layer {
	return slices.SortedFunc(maps.Keys(c.Counts), func(a, b plan.Layer) int {
		return cmp.Or(cmp.Compare(layerPlace(a), layerPlace(b)), cmp.Compare(a, b))
	})
}
