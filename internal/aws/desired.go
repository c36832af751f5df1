package aws

import (
	"fmt"
	"strconv"
	"strings"
)

// desired is what git wants, given what kops has made. What only AWS can tell
// is empty: the IDs of things that don't exist yet.
type desired struct {
	group    group
	balancer balancer
	// nodeRules let the load balancer reach the nodes; they are rules of
	// kops' group.
	nodeRules []rule
	// targetGroups are in the order of the listeners.
	targetGroups []targetGroup
	record       record
	mark         record
}

// descriptionOfGroup can't be changed once the group is made.
const descriptionOfGroup = "Ingress load balancer"

const (
	attributeCrossZone    = "load_balancing.cross_zone.enabled"
	attributeProtection   = "deletion_protection.enabled"
	attributeProxy        = "proxy_protocol_v2.enabled"
	attributeClientIP     = "preserve_client_ip.enabled"
	attributeDeregister   = "deregistration_delay.timeout_seconds"
	deregistrationSeconds = 60
)

// markTTL is that of external-dns' ownership records: they are hardly read.
const markTTL = 300

// desire says what there should be. have is our load balancer as it is, if
// there is one.
func desire(spec Spec, s *state, have *balancer) desired {
	var current map[string]string
	if have != nil {
		current = have.Subnets
	}
	groupID := ""
	if groups := s.ourGroups(spec.Cluster); len(groups) > 0 {
		groupID = groups[0].ID
	}
	d := desired{
		group: group{ID: groupID, Name: groupName(spec.Cluster), Tags: tagsFor(spec, groupName(spec.Cluster))},
		balancer: balancer{
			Name: spec.Ingress.Name, Type: "network", Scheme: spec.Ingress.Scheme, VPC: s.vpc,
			Subnets: s.balancerSubnets(spec.Ingress.Scheme, current),
			Attributes: map[string]string{
				// Without it a zone's clients reach only the nodes in that
				// zone, which may have no ingress pod.
				attributeCrossZone:  "true",
				attributeProtection: strconv.FormatBool(spec.Ingress.DeletionProtection),
			},
			Tags: tagsFor(spec, spec.Ingress.Name),
		},
	}
	for _, name := range spec.listeners() {
		l := spec.Ingress.Listeners[name]
		for _, network := range spec.Ingress.Access {
			d.group.Rules = append(d.group.Rules, rule{Protocol: "tcp", From: l.Port, To: l.Port, Peer: network, Description: "clients of " + name})
		}
		d.nodeRules = append(d.nodeRules, rule{Protocol: "tcp", From: l.NodePort, To: l.NodePort, Peer: groupID, Description: "ingress " + name, Tags: ruleTags(spec)})
		d.targetGroups = append(d.targetGroups, desireTargetGroup(spec, s.vpc, name))
		d.balancer.Listeners = append(d.balancer.Listeners, listener{Port: l.Port, Protocol: protocolTCP})
	}
	// AWS gives it to every new group. Where the load balancer may connect to
	// is for the nodes' group to say.
	d.group.Rules = append(d.group.Rules, allowAll)
	d.record = record{Name: spec.Wildcard, Type: "A", Alias: &alias{Evaluate: true}}
	if have != nil {
		d.record.Alias.Name, d.record.Alias.Zone = canonicalName(have.DNSName), have.Zone
	}
	d.mark = record{
		Name: markName(spec.Wildcard), Type: "TXT", TTL: markTTL,
		Values: []string{mark{Cluster: spec.Cluster, Record: spec.Wildcard, Type: "A"}.text()},
	}
	return d
}

var allowAll = rule{Egress: true, Protocol: "-1", From: -1, To: -1, Peer: "0.0.0.0/0"}

// allowAll6 is added by AWS to groups that have allowAll when their VPC gets
// IPv6 addresses, as kops' VPCs do.
var allowAll6 = rule{Egress: true, Protocol: "-1", From: -1, To: -1, Peer: "::/0"}

func desireTargetGroup(spec Spec, vpc, name string) targetGroup {
	l := spec.Ingress.Listeners[name]
	t := targetGroup{
		VPC: vpc, Protocol: protocolTCP, Port: l.NodePort, TargetType: "instance",
		// The checks have to go to the node port itself: they carry the PROXY
		// header too, which nothing else on a node understands.
		Check: check{Protocol: protocolTCP, Port: "traffic-port", Interval: 10, Timeout: 6, Healthy: 2, Unhealthy: 2},
		Attributes: map[string]string{
			attributeProxy: "true",
			// The PROXY header has the client's address. With it in the IP
			// header too, a pod that calls the load balancer and ends up on
			// its own node gets no answer.
			attributeClientIP: "false",
			// nginx ends idle connections well before; the default of five
			// minutes for each node makes a rolling update drag on.
			attributeDeregister: strconv.Itoa(deregistrationSeconds),
		},
		Tags: tagsFor(spec, spec.Ingress.Name+"-"+name),
	}
	t.Tags[tagListener] = name
	if vpc != "" {
		t.Name = targetGroupName(spec, vpc, name)
	}
	if l.HealthCheckPath != "" {
		t.Check.Protocol, t.Check.Path, t.Check.Matcher = "HTTP", l.HealthCheckPath, "200"
	}
	return t
}

func tagsFor(spec Spec, name string) map[string]string {
	return map[string]string{tagName: name, tagCluster: spec.Cluster, tagComponent: component}
}

// ruleTags are the tags of rules in a group that isn't ours.
func ruleTags(spec Spec) map[string]string {
	return map[string]string{tagCluster: spec.Cluster, tagComponent: component}
}

// Resources as plans and events name them.
func groupResource(name string) string           { return "SecurityGroup/" + name }
func targetGroupResource(listener string) string { return "TargetGroup/" + listener }
func balancerResource(name string) string        { return "LoadBalancer/" + name }
func listenerResource(name string) string        { return "Listener/" + name }
func recordResource(name string) string          { return "Record/" + name }

// strayListener names a listener that git doesn't know.
func strayListener(l listener) string {
	return listenerResource(fmt.Sprintf("%s-%d", strings.ToLower(l.Protocol), l.Port))
}
