package aws

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The tags by which things are found.
const (
	tagCluster   = "platform:cluster"
	tagComponent = "platform:component"
	tagListener  = "platform:listener"
	tagName      = "Name"

	component = "ingress"
)

const protocolTCP = "TCP"

// state is what there is. It holds more than what is ours: whatever could be
// in the way of what git declares.
type state struct {
	// vpc is the ID of the cluster's VPC, empty until kops has made it.
	vpc     string
	subnets []subnet
	// groups are the VPC's security groups. The rules are filled in of ours,
	// of the nodes' and of those that refer to ours.
	groups       []group
	balancers    []balancer
	targetGroups []targetGroup
	// zones are the hosted zones of the spec's name.
	zones []zone
}

type subnet struct {
	ID   string
	Zone string
	Tags map[string]string
}

type group struct {
	ID    string
	Name  string
	Tags  map[string]string
	Rules []rule
	// Refers are the IDs of the groups that its rules name.
	Refers []string
}

// rule is a rule of a security group. Its peer is a network, the ID of a
// security group or of a prefix list.
type rule struct {
	ID          string
	Egress      bool
	Protocol    string
	From, To    int32
	Peer        string
	Description string
	Tags        map[string]string
}

// key identifies a rule within its group: there is never a second one that
// allows the same.
func (r rule) key() string {
	var ports string
	switch {
	case r.Protocol == "-1":
		ports = "all"
	case r.From == r.To:
		ports = fmt.Sprintf("%s/%d", r.Protocol, r.From)
	default:
		ports = fmt.Sprintf("%s/%d-%d", r.Protocol, r.From, r.To)
	}
	if r.Egress {
		return ports + " to " + r.Peer
	}
	return ports + " from " + r.Peer
}

type balancer struct {
	ARN, Name string
	Type      string
	Scheme    string
	VPC       string
	DNSName   string
	// Zone is the ID of the hosted zone that the DNS name is in, which an
	// alias has to name.
	Zone string
	// State is active, provisioning, active_impaired or failed.
	State, StateReason string
	// Subnets are IDs by availability zone.
	Subnets    map[string]string
	Groups     []string
	Attributes map[string]string
	Tags       map[string]string
	Listeners  []listener
}

type listener struct {
	ARN      string
	Port     int32
	Protocol string
	// TargetGroup is the ARN of the group that it forwards to, empty if it
	// does anything else.
	TargetGroup string
}

type targetGroup struct {
	ARN, Name  string
	VPC        string
	Protocol   string
	Port       int32
	TargetType string
	Check      check
	Attributes map[string]string
	Tags       map[string]string
}

// check is a health check.
type check struct {
	Protocol  string
	Port      string
	Path      string // HTTP only
	Matcher   string // HTTP only
	Interval  int32
	Timeout   int32
	Healthy   int32
	Unhealthy int32
}

type zone struct {
	ID      string
	Name    string
	Private bool
	// Records are those of the wildcard's name and those that marks of the
	// cluster name, the marks included.
	Records []record
}

// record is a resource record set.
type record struct {
	Name string
	Type string
	// Policy is the identifier of a record with a routing policy.
	Policy string
	TTL    int64
	Values []string
	Alias  *alias
}

type alias struct {
	// Name and Zone are the target's.
	Name     string
	Zone     string
	Evaluate bool
}

func (z zone) find(name, kind string) *record {
	for i, r := range z.Records {
		if r.Name == name && r.Type == kind {
			return &z.Records[i]
		}
	}
	return nil
}

// mark reads who owns the record of a name.
func (z zone) mark(name string) (mark, bool) {
	if r := z.find(markName(name), "TXT"); r != nil {
		for _, value := range r.Values {
			if m, ok := parseMark(value); ok && m.Record == name {
				return m, true
			}
		}
	}
	return mark{}, false
}

// marked lists the names of the records that are the cluster's, sorted.
func (z zone) marked(cluster string) []string {
	names := map[string]bool{}
	for _, r := range z.Records {
		if r.Type != "TXT" {
			continue
		}
		for _, value := range r.Values {
			if m, ok := parseMark(value); ok && m.Cluster == cluster && r.Name == markName(m.Record) {
				names[m.Record] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// ours reports whether tags say that a thing is the cluster's.
func ours(tags map[string]string, cluster string) bool {
	return tags[tagCluster] == cluster && tags[tagComponent] == component
}

func (s *state) ourGroups(cluster string) []group {
	return filter(s.groups, func(g group) bool { return ours(g.Tags, cluster) })
}

func (s *state) ourBalancers(cluster string) []balancer {
	return filter(s.balancers, func(b balancer) bool { return ours(b.Tags, cluster) })
}

func (s *state) ourTargetGroups(cluster string) []targetGroup {
	return filter(s.targetGroups, func(t targetGroup) bool { return ours(t.Tags, cluster) })
}

func (s *state) groupNamed(name string) *group {
	for i, g := range s.groups {
		if g.Name == name {
			return &s.groups[i]
		}
	}
	return nil
}

// balancerSubnets chooses a subnet in each zone, as the tags say that kops
// gives to those that are for load balancers of the scheme. Where there are
// several, one that is in use already stays.
func (s *state) balancerSubnets(scheme string, current map[string]string) map[string]string {
	role := "kubernetes.io/role/internal-elb"
	if scheme == schemePublic {
		role = "kubernetes.io/role/elb"
	}
	chosen := map[string]string{}
	for _, sub := range s.subnets { // sorted by ID
		if sub.Tags[role] != "1" {
			continue
		}
		if _, taken := chosen[sub.Zone]; !taken || current[sub.Zone] == sub.ID {
			chosen[sub.Zone] = sub.ID
		}
	}
	return chosen
}

// sort gives everything an order that doesn't depend on AWS.
func (s *state) sort() {
	slices.SortFunc(s.subnets, func(a, b subnet) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.groups, func(a, b group) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.balancers, func(a, b balancer) int { return cmp.Compare(a.ARN, b.ARN) })
	slices.SortFunc(s.targetGroups, func(a, b targetGroup) int { return cmp.Compare(a.ARN, b.ARN) })
	slices.SortFunc(s.zones, func(a, b zone) int { return cmp.Compare(a.ID, b.ID) })
	for _, b := range s.balancers {
		slices.SortFunc(b.Listeners, func(a, b listener) int { return cmp.Compare(a.Port, b.Port) })
	}
}

func filter[T any](all []T, keep func(T) bool) []T {
	var out []T
	for _, v := range all {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}

// shortID is the part of an ARN that people use.
func shortID(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }
