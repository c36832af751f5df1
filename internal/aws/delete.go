package aws

import (
	"context"

	"platform/internal/plan"
)

// PlanDelete lists what Delete would delete.
func (l *Layer) PlanDelete(ctx context.Context) ([]plan.Change, error) {
	s, err := l.observe(ctx)
	if err != nil {
		return nil, err
	}
	return planned(deletion(l.spec, s)), nil
}

// Delete deletes all that is the cluster's, whatever git declares. It has to
// be done before kops deletes the VPC, and can be run again.
func (l *Layer) Delete(ctx context.Context) ([]plan.Change, error) {
	s, err := l.observe(ctx)
	if err != nil {
		return nil, err
	}
	return l.newSession(s).run(ctx, deletion(l.spec, s))
}

// deletion says what to do so that nothing of the cluster's is left: first
// what points at the others. It is pure.
func deletion(spec Spec, s *state) []step {
	var steps []step
	add := func(op plan.Op, resource, reason string, fields []plan.Field, calls ...call) {
		steps = append(steps, step{
			change: &plan.Change{Layer: plan.AWS, Op: op, Resource: resource, Reason: reason, Diff: fields}, calls: calls,
		})
	}
	for _, z := range s.zones {
		for _, name := range z.marked(spec.Cluster) {
			steps = append(steps, deleteRecord(z, name, ""))
		}
	}
	for _, b := range s.ourBalancers(spec.Cluster) {
		add(plan.Delete, balancerResource(b.Name), "", nil, deleteBalancerCalls(b)...)
	}
	for _, t := range s.ourTargetGroups(spec.Cluster) {
		name := t.Tags[tagListener]
		if name == "" {
			name = t.Name
		}
		add(plan.Delete, targetGroupResource(name), "", nil, deleteTargetGroup{ARN: t.ARN, Name: t.Name})
	}
	groups := s.ourGroups(spec.Cluster)
	ours := map[string]string{}
	for _, g := range groups {
		ours[g.ID] = g.Name
	}
	for _, g := range s.groups {
		// Whoever made a rule that names our group: the group can't go
		// before it.
		naming := filter(g.Rules, func(r rule) bool { return ours[r.Peer] != "" })
		if len(naming) == 0 || ours[g.ID] != "" && len(groups) == 1 {
			continue
		}
		fields := plan.Diff("rules", rulesView(naming, ours), map[string]any{})
		add(plan.Update, groupResource(g.Name), "", fields, ruleCalls(g.ID, nil, naming)...)
	}
	for _, g := range groups {
		add(plan.Delete, groupResource(g.Name), "", nil, deleteGroup{ID: g.ID, Name: g.Name})
	}
	return steps
}
