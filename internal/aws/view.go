package aws

import (
	"fmt"
	"slices"

	"platform/internal/plan"
)

// The views below say how a resource looks in a plan. What is compared is what
// is seen: a difference that isn't in the view isn't one.

// known is a value that may not be known yet.
func known(value string) any {
	if value == "" {
		return plan.Unknown
	}
	return value
}

// managed picks those of a resource's tags or attributes that git declares;
// others may have reasons of their own for the rest.
func managed(have, want map[string]string) map[string]any {
	out := map[string]any{}
	for key := range want {
		if value, ok := have[key]; ok {
			out[key] = value
		}
	}
	return out
}

// rulesView has the rules by what they allow. names are the names of security
// groups by ID.
func rulesView(rules []rule, names map[string]string) map[string]any {
	out := map[string]any{}
	for _, r := range rules {
		named := r
		if name, ok := names[r.Peer]; ok {
			named.Peer = name
		}
		out[named.key()] = "allow"
	}
	return out
}

func groupView(g group, want group, vpc string) map[string]any {
	ingress := filter(g.Rules, func(r rule) bool { return !r.Egress })
	egress := filter(g.Rules, func(r rule) bool { return r.Egress && r.key() != allowAll6.key() })
	return map[string]any{
		"vpc": known(vpc), "tags": managed(g.Tags, want.Tags),
		"ingress": rulesView(ingress, nil), "egress": rulesView(egress, nil),
	}
}

func targetGroupView(t, want targetGroup) map[string]any {
	health := map[string]any{
		"protocol": t.Check.Protocol, "port": t.Check.Port, "interval": t.Check.Interval, "timeout": t.Check.Timeout,
		"healthyThreshold": t.Check.Healthy, "unhealthyThreshold": t.Check.Unhealthy,
	}
	if t.Check.Path != "" {
		health["path"], health["matcher"] = t.Check.Path, t.Check.Matcher
	}
	return map[string]any{
		"name": known(t.Name), "vpc": known(t.VPC), "protocol": t.Protocol, "port": t.Port, "targetType": t.TargetType,
		"healthCheck": health, "attributes": managed(t.Attributes, want.Attributes), "tags": managed(t.Tags, want.Tags),
	}
}

func balancerView(b, want balancer, names map[string]string) map[string]any {
	var subnets any = plan.Unknown
	if len(b.Subnets) > 0 {
		zones := map[string]any{}
		for zone, id := range b.Subnets {
			zones[zone] = id
		}
		subnets = zones
	}
	groups := make([]any, len(b.Groups))
	for i, id := range b.Groups {
		groups[i] = id
		if name, ok := names[id]; ok {
			groups[i] = name
		}
	}
	return map[string]any{
		"name": b.Name, "type": b.Type, "scheme": b.Scheme, "vpc": known(b.VPC), "subnets": subnets, "securityGroups": groups,
		"attributes": managed(b.Attributes, want.Attributes), "tags": managed(b.Tags, want.Tags),
	}
}

// listenerView has the target group by name; an ARN tells nobody anything.
func listenerView(l listener, target any) map[string]any {
	return map[string]any{"port": l.Port, "protocol": l.Protocol, "targetGroup": target}
}

func recordView(r record, owner any) map[string]any {
	view := map[string]any{"type": r.Type, "owner": owner}
	if r.Alias != nil {
		view["alias"] = map[string]any{"name": known(r.Alias.Name), "zone": known(r.Alias.Zone), "evaluateTargetHealth": r.Alias.Evaluate}
		return view
	}
	values := make([]any, len(r.Values))
	for i, v := range slices.Sorted(slices.Values(r.Values)) {
		values[i] = v
	}
	view["values"], view["ttl"] = values, fmt.Sprint(r.TTL)
	return view
}
