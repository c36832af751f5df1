package aws

import (
	"context"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"platform/internal/plan"
)

const (
	// patience bounds every wait for AWS to finish something: minutes are
	// usual until a load balancer's network interfaces are gone.
	patience = 10 * time.Minute
	tick     = 2 * time.Second
)

// Layer is the aws layer of one cluster.
type Layer struct {
	clients
	spec     Spec
	report   plan.Report
	patience time.Duration
	// tick is the time between two looks while waiting.
	tick time.Duration
}

// New makes the layer. It does nothing yet. The spec's region goes before the
// configuration's.
func New(cfg awssdk.Config, spec Spec, report plan.Report) *Layer {
	cfg = cfg.Copy()
	cfg.Region = spec.Region
	if report == nil {
		report = func(plan.Event) {}
	}
	return &Layer{clients: newClients(cfg), spec: spec, report: report, patience: patience, tick: tick}
}

// Name is plan.AWS.
func (l *Layer) Name() plan.Layer { return plan.AWS }

// Plan lists what differs. As long as there is no VPC everything is to be
// created, and what depends on it is plan.Unknown.
func (l *Layer) Plan(ctx context.Context) ([]plan.Change, error) {
	steps, _, err := l.diff(ctx)
	return planned(steps), err
}

// Apply makes reality what git says, and returns what it did, also with an
// error. It needs the cluster's network and the nodes' security group.
func (l *Layer) Apply(ctx context.Context) ([]plan.Change, error) {
	steps, s, err := l.diff(ctx)
	if err != nil || len(steps) == 0 {
		return nil, err
	}
	if err := require(l.spec, s); err != nil {
		return nil, err
	}
	return l.newSession(s).run(ctx, steps)
}

// Declared lists what git declares.
func (l *Layer) Declared() []string {
	out := []string{groupResource(groupName(l.spec.Cluster))}
	for _, name := range l.spec.listeners() {
		out = append(out, targetGroupResource(name))
	}
	out = append(out, balancerResource(l.spec.Ingress.Name))
	for _, name := range l.spec.listeners() {
		out = append(out, listenerResource(name))
	}
	return append(out, recordResource(l.spec.Wildcard))
}

func (l *Layer) diff(ctx context.Context) ([]step, *state, error) {
	s, err := l.observe(ctx)
	if err != nil {
		return nil, nil, err
	}
	steps, err := diff(l.spec, s)
	return steps, s, err
}

// TargetGroups finds the target groups that git declares and that exist, as
// ARNs by listener.
func (l *Layer) TargetGroups(ctx context.Context) (map[string]string, error) {
	s, err := l.observeForTargetGroups(ctx)
	if err != nil || s.vpc == "" {
		return map[string]string{}, err
	}
	return l.declaredTargetGroups(s), nil
}

func (l *Layer) declaredTargetGroups(s *state) map[string]string {
	found := map[string]string{}
	groups := s.ourTargetGroups(l.spec.Cluster)
	for _, name := range l.spec.listeners() {
		if t := byName(groups, targetGroupName(l.spec, s.vpc, name)); t != nil {
			found[name] = t.ARN
		}
	}
	return found
}

// EnsureTargetGroups creates the target groups that are missing and corrects
// the others, so that kops can attach the nodes to them. It needs the VPC and
// deletes nothing.
func (l *Layer) EnsureTargetGroups(ctx context.Context) (map[string]string, []plan.Change, error) {
	s, err := l.observeForTargetGroups(ctx)
	if err != nil {
		return nil, nil, err
	}
	if s.vpc == "" {
		return nil, nil, &MissingError{Resource: "VPC", Cluster: l.spec.Cluster}
	}
	if err := foreignTargetGroup(l.spec, s); err != nil {
		return nil, nil, err
	}
	d := newDiffer(l.spec, s, nil)
	d.targetGroups()
	run := l.newSession(s)
	done, err := run.run(ctx, d.steps)
	if err != nil {
		return nil, done, err
	}
	groups := map[string]string{}
	for _, name := range l.spec.listeners() {
		groups[name] = run.targetGroups[targetGroupName(l.spec, s.vpc, name)]
	}
	return groups, done, nil
}

// observeForTargetGroups reads only what target groups depend on.
func (l *Layer) observeForTargetGroups(ctx context.Context) (*state, error) {
	s := &state{}
	var err error
	if s.vpc, err = l.findVPC(ctx); err != nil {
		return nil, err
	}
	if err := l.observeTargetGroups(ctx, s); err != nil {
		return nil, err
	}
	s.sort()
	return s, nil
}

// Address is the load balancer's DNS name, empty if there is none.
func (l *Layer) Address(ctx context.Context) (string, error) {
	s := &state{}
	if err := l.observeBalancers(ctx, s); err != nil {
		return "", err
	}
	b, err := single(l.spec, s)
	if err != nil || b == nil {
		return "", err
	}
	return canonicalName(b.DNSName), nil
}

// persist tries again as long as AWS answers with one of the codes, which say
// that something else has to go first.
func (run *session) persist(ctx context.Context, what string, codes []string, try func() error) error {
	deadline := time.Now().Add(run.patience)
	for {
		err := try()
		if err == nil || !hasCode(err, codes...) || time.Now().After(deadline) {
			return err
		}
		run.event(run.waiting, "waiting", "for "+what, true)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(run.tick):
		}
	}
}

func (l *Layer) event(resource, action, detail string, transient bool) {
	l.report(plan.Event{Layer: plan.AWS, Resource: resource, Action: action, Detail: detail, Transient: transient})
}
