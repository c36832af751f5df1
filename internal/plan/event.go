package plan

// Event is one thing that a layer did, or is waiting for, while it applies.
// Layers emit events; only a view decides how to show them.
type Event struct {
	Layer Layer `json:"layer"`
	// Resource is named as in Change. It is empty for a step of the layer as
	// a whole.
	Resource string `json:"resource,omitempty"`
	// Action is what happened, in the past tense once done (created, updated,
	// deleted, rolled) and in the present while under way (waiting, rolling).
	Action string `json:"action"`
	// Detail is the rest of the sentence, such as the last status seen.
	Detail string `json:"detail,omitempty"`
	// Transient marks an event that a terminal may overwrite with the next
	// one and that plain logs show only now and then.
	Transient bool `json:"transient,omitempty"`
}

// Report receives events. It is called from several goroutines at once.
type Report func(Event)

// State is how a resource is doing.
type State string

// The states. Failed needs somebody; Progressing may come right by itself.
const (
	Ready       State = "ready"
	Progressing State = "progressing"
	Failed      State = "failed"
	Missing     State = "missing"
)

// Health is one resource's state, as verify found it.
type Health struct {
	Layer    Layer  `json:"layer"`
	Resource string `json:"resource"`
	// Stack groups the resources that people think of as one thing: an addon
	// stack, the control plane, an instance group.
	Stack string `json:"stack"`
	// Source is the file in git that declares the resource, where one does.
	Source string `json:"source,omitempty"`
	State  State  `json:"state"`
	// Reason says what is wrong, or what is worth knowing of something that is
	// ready, such as that its rollout is paused.
	Reason string `json:"reason,omitempty"`
	// Final says that it won't come right by itself, so that nobody need wait.
	Final bool `json:"-"`
	// Undoable says that `kubectl rollout undo` has an earlier revision of it
	// to go back to.
	Undoable bool `json:"-"`
}
