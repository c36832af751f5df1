package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"golang.org/x/sync/errgroup"

	"platform/internal/plan"
)

// stack is what people see all of this as.
const stack = "ingress"

// target is a machine behind a target group.
type target struct {
	ID          string
	State       string
	Reason      string
	Description string
}

// Verify says how the load balancer, what is behind it and the record that
// points at it are doing. DNS is looked up in the zone itself: what a resolver
// says may be old, or meant for another network.
func (l *Layer) Verify(ctx context.Context) ([]plan.Health, error) {
	s, err := l.observe(ctx)
	if err != nil {
		return nil, err
	}
	b, err := single(l.spec, s)
	if err != nil {
		return nil, err
	}
	z, err := chooseZone(l.spec, s.zones)
	if err != nil {
		return nil, err
	}
	targets, err := l.targets(ctx, s)
	if err != nil {
		return nil, err
	}
	return health(l.spec, s, b, z, targets), nil
}

// targets reads who is behind the declared target groups, by listener.
func (l *Layer) targets(ctx context.Context, s *state) (map[string][]target, error) {
	found := map[string][]target{}
	if s.vpc == "" {
		return found, nil
	}
	var mu sync.Mutex
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(readLimit)
	for name, arn := range l.declaredTargetGroups(s) {
		work.Go(func() error {
			out, err := l.elb.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &arn})
			if err != nil {
				return failed(err, "reading the health of the targets of %s", shortID(arn))
			}
			var list []target
			for _, d := range out.TargetHealthDescriptions {
				t := target{State: "unavailable"}
				if d.Target != nil {
					t.ID = awssdk.ToString(d.Target.Id)
				}
				if d.TargetHealth != nil {
					t.State, t.Reason, t.Description = string(d.TargetHealth.State), string(d.TargetHealth.Reason), awssdk.ToString(d.TargetHealth.Description)
				}
				list = append(list, t)
			}
			mu.Lock()
			defer mu.Unlock()
			found[name] = list
			return nil
		})
	}
	return found, work.Wait()
}

// health judges what was found. It is pure.
func health(spec Spec, s *state, b *balancer, z zone, targets map[string][]target) []plan.Health {
	var out []plan.Health
	add := func(resource string, state plan.State, reason string) {
		out = append(out, plan.Health{Layer: plan.AWS, Stack: stack, Resource: resource, State: state, Reason: reason})
	}
	balancerState, reason := balancerHealth(b)
	add(balancerResource(spec.Ingress.Name), balancerState, reason)
	for _, name := range spec.listeners() {
		state, reason := listenerHealth(spec, s, b, name)
		add(listenerResource(name), state, reason)
	}
	for _, name := range spec.listeners() {
		list, there := targets[name]
		if !there {
			add(targetGroupResource(name), plan.Missing, "there is no target group")
			continue
		}
		state, reason := targetsHealth(list)
		add(targetGroupResource(name), state, reason)
	}
	state, reason := recordHealth(spec, b, z)
	add(recordResource(spec.Wildcard), state, reason)
	return out
}

func balancerHealth(b *balancer) (plan.State, string) {
	if b == nil {
		return plan.Missing, "there is no load balancer"
	}
	why := "it is " + b.State
	if b.StateReason != "" {
		why += ": " + b.StateReason
	}
	switch b.State {
	case "active":
		return plan.Ready, ""
	case "provisioning":
		return plan.Progressing, why
	}
	return plan.Failed, why
}

func listenerHealth(spec Spec, s *state, b *balancer, name string) (plan.State, string) {
	port := spec.Ingress.Listeners[name].Port
	if b == nil {
		return plan.Missing, "there is no load balancer"
	}
	i := slices.IndexFunc(b.Listeners, func(l listener) bool { return l.Port == port })
	if i < 0 {
		return plan.Missing, fmt.Sprintf("the load balancer doesn't listen on port %d", port)
	}
	if s.vpc == "" {
		return plan.Failed, "the cluster has no VPC"
	}
	want := targetGroupName(spec, s.vpc, name)
	if t := byName(s.ourTargetGroups(spec.Cluster), want); t == nil || t.ARN != b.Listeners[i].TargetGroup {
		return plan.Failed, fmt.Sprintf("port %d isn't forwarded to target group %s", port, want)
	}
	return plan.Ready, ""
}

// targetsHealth wants one healthy target. The others may well be unhealthy: a
// node without an ingress pod answers no health check, so that it gets no
// traffic.
func targetsHealth(targets []target) (plan.State, string) {
	if len(targets) == 0 {
		return plan.Progressing, "no node is registered: kops' Auto Scaling groups register theirs as they start"
	}
	states, reasons := map[string]int{}, map[string]string{}
	for _, t := range targets {
		states[t.State]++
		if text := strings.Trim(t.Reason+": "+t.Description, ": "); reasons[t.State] == "" && text != "" {
			reasons[t.State] = text
		}
	}
	if states["healthy"] > 0 {
		return plan.Ready, ""
	}
	var parts []string
	for _, state := range slices.Sorted(maps.Keys(states)) {
		part := fmt.Sprintf("%d %s", states[state], state)
		if reasons[state] != "" {
			part += " (" + reasons[state] + ")"
		}
		parts = append(parts, part)
	}
	why := fmt.Sprintf("none of %d nodes is healthy: %s", len(targets), strings.Join(parts, ", "))
	if states["initial"]+states["draining"] > 0 {
		return plan.Progressing, why
	}
	return plan.Failed, why
}

func recordHealth(spec Spec, b *balancer, z zone) (plan.State, string) {
	r := z.find(spec.Wildcard, "A")
	switch {
	case r == nil:
		return plan.Missing, fmt.Sprintf("hosted zone %s has no such record", z.Name)
	case b == nil:
		return plan.Failed, fmt.Sprintf("it points at %s, but there is no load balancer", r.points())
	case r.Alias == nil || r.Alias.Name != canonicalName(b.DNSName):
		return plan.Failed, fmt.Sprintf("it points at %s instead of the load balancer %s", r.points(), canonicalName(b.DNSName))
	}
	if owner, ok := z.mark(spec.Wildcard); !ok || owner.Cluster != spec.Cluster {
		return plan.Failed, fmt.Sprintf("TXT record %s, which says that it is this cluster's, is missing or another's", markName(spec.Wildcard))
	}
	return plan.Ready, ""
}
