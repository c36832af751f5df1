package aws

import (
	"context"
	"maps"
	"slices"

	"platform/internal/plan"
)

// call is one write to AWS.
type call interface {
	do(context.Context, *session) error
}

// session is what calls share while a list of steps is carried out: what
// earlier ones have made and later ones need.
type session struct {
	*Layer
	// group is the ID of our security group.
	group string
	// balancer has the ARN, DNS name and zone of our load balancer.
	balancer balancer
	// targetGroups are ARNs by name.
	targetGroups map[string]string
	// waiting names the resource that a call may have to wait for.
	waiting string
}

func (l *Layer) newSession(s *state) *session {
	run := &session{Layer: l, targetGroups: map[string]string{}}
	for _, g := range s.ourGroups(l.spec.Cluster) {
		run.group = g.ID
	}
	for _, b := range s.ourBalancers(l.spec.Cluster) {
		run.balancer = b
	}
	for _, t := range s.ourTargetGroups(l.spec.Cluster) {
		run.targetGroups[t.Name] = t.ARN
	}
	return run
}

// run carries out steps one after the other. What has been done, also by half,
// is returned with the error.
func (run *session) run(ctx context.Context, steps []step) ([]plan.Change, error) {
	var done []plan.Change
	for _, s := range steps {
		if s.change != nil {
			run.waiting = s.change.Resource
		}
		for i, c := range s.calls {
			err := ctx.Err()
			if err == nil {
				err = c.do(ctx, run)
			}
			if err == nil {
				continue
			}
			if i > 0 && s.change != nil {
				half := *s.change
				half.Reason = "not finished"
				done = append(done, half)
			}
			return done, err
		}
		if s.change != nil {
			done = append(done, *s.change)
			run.event(s.change.Resource, past[s.change.Op], s.change.Reason, false)
		}
	}
	return done, nil
}

var past = map[plan.Op]string{plan.Create: "created", plan.Update: "updated", plan.Replace: "replaced", plan.Delete: "deleted"}

// require makes sure that what kops makes is there, so that nothing is begun
// that can't be finished.
func require(spec Spec, s *state) error {
	if s.vpc == "" {
		return &MissingError{Resource: "VPC", Cluster: spec.Cluster}
	}
	if len(s.balancerSubnets(spec.Ingress.Scheme, nil)) == 0 {
		return &MissingError{Resource: "subnets for load balancers of scheme " + spec.Ingress.Scheme, Cluster: spec.Cluster}
	}
	if s.groupNamed(nodesGroupName(spec.Cluster)) == nil {
		return &MissingError{Resource: groupResource(nodesGroupName(spec.Cluster)), Cluster: spec.Cluster}
	}
	return nil
}

// planned is a diff as a plan.
func planned(steps []step) []plan.Change {
	var out []plan.Change
	for _, s := range steps {
		if s.change != nil {
			out = append(out, *s.change)
		}
	}
	return out
}

// subnetIDs orders subnets by their zones.
func subnetIDs(byZone map[string]string) []string {
	var out []string
	for _, zone := range slices.Sorted(maps.Keys(byZone)) {
		out = append(out, byZone[zone])
	}
	return out
}
