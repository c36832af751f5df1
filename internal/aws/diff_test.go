package aws

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platform/internal/plan"
)

var update = flag.Bool("update", false, "write the golden files")

// bare is what kops leaves: a network, and nothing of ours.
func bare(spec Spec) *state {
	s := &state{vpc: "vpc-1", zones: []zone{{ID: "Z1", Name: spec.HostedZone}}}
	for _, name := range []string{"a", "b", "c"} {
		az := "eu-central-1" + name
		s.subnets = append(s.subnets,
			subnet{ID: "subnet-private-" + name, Zone: az, Tags: map[string]string{"kubernetes.io/role/internal-elb": "1"}},
			subnet{ID: "subnet-utility-" + name, Zone: az, Tags: map[string]string{"kubernetes.io/role/elb": "1"}})
	}
	s.groups = append(s.groups, group{ID: "sg-nodes", Name: nodesGroupName(spec.Cluster), Rules: []rule{
		{ID: "sgr-own", Protocol: "-1", From: -1, To: -1, Peer: "sg-nodes"},
		{ID: "sgr-ssh", Protocol: "tcp", From: 22, To: 22, Peer: "10.0.0.0/8"},
	}})
	return s
}

// settled is what there is after everything has been applied.
func settled(spec Spec) *state {
	s := bare(spec)
	s.groups = append(s.groups, group{ID: "sg-ingress", Name: groupName(spec.Cluster), Tags: tagsFor(spec, groupName(spec.Cluster))})
	d := desire(spec, s, nil)
	for i, r := range d.group.Rules {
		r.ID = fmt.Sprintf("sgr-%d", i)
		s.groups[1].Rules = append(s.groups[1].Rules, r)
	}
	for i, r := range d.nodeRules {
		r.ID = fmt.Sprintf("sgr-node-%d", i)
		s.groups[0].Rules = append(s.groups[0].Rules, r)
		s.groups[0].Refers = append(s.groups[0].Refers, r.Peer)
	}
	b := d.balancer
	b.ARN, b.DNSName, b.Zone, b.State = "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/net/i/1", "i-1.elb.eu-central-1.amazonaws.com", "ZELB", "active"
	b.Groups = []string{"sg-ingress"}
	for i, t := range d.targetGroups {
		t.ARN = "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/" + t.Name + "/1"
		t.Attributes = maps.Clone(t.Attributes)
		t.Attributes["stickiness.enabled"] = "false" // of no concern to us
		s.targetGroups = append(s.targetGroups, t)
		b.Listeners[i].ARN, b.Listeners[i].TargetGroup = fmt.Sprintf("arn:listener/%d", b.Listeners[i].Port), t.ARN
	}
	s.balancers = append(s.balancers, b)
	r := d.record
	r.Alias = &alias{Name: b.DNSName, Zone: b.Zone, Evaluate: true}
	s.zones[0].Records = append(s.zones[0].Records, r, d.mark)
	return s
}

// written is a list of steps as a test compares it: changes with their fields,
// and under them the calls.
func written(steps []step) string {
	var out strings.Builder
	for _, s := range steps {
		if s.change == nil {
			out.WriteString("(then)\n")
		} else {
			fmt.Fprintf(&out, "%s %s", s.change.Op, s.change.Resource)
			if s.change.Reason != "" {
				fmt.Fprintf(&out, " (%s)", s.change.Reason)
			}
			out.WriteString("\n")
			for _, f := range s.change.Diff {
				fmt.Fprintf(&out, "    %s: %v -> %v\n", f.Path, f.From, f.To)
			}
		}
		for _, c := range s.calls {
			fmt.Fprintf(&out, "  %s\n", strings.TrimPrefix(fmt.Sprintf("%T", c), "aws."))
		}
	}
	if out.Len() == 0 {
		return "nothing\n"
	}
	return out.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./internal/aws -update writes it)", err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestDiffFromNothing(t *testing.T) {
	spec := testSpec(t)
	for name, s := range map[string]*state{
		"before-the-network": {zones: []zone{{ID: "Z1", Name: spec.HostedZone}}},
		"after-the-network":  bare(spec),
	} {
		t.Run(name, func(t *testing.T) {
			steps, err := diff(spec, s)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, written(steps))
		})
	}
}

func TestDiffSettled(t *testing.T) {
	spec := testSpec(t)
	steps, err := diff(spec, settled(spec))
	if err != nil || len(steps) != 0 {
		t.Errorf("%v\n%s", err, written(steps))
	}
}

// Each case is a way in which git or reality moves on from a settled state.
func TestDiff(t *testing.T) {
	ingress := func(s *state) *group { return &s.groups[1] }
	nodes := func(s *state) *group { return &s.groups[0] }
	setListener := func(spec *Spec, name string, l Listener) { spec.Ingress.Listeners[name] = l }
	for _, test := range []struct {
		name   string
		git    func(*Spec)
		aws    func(*state)
		wanted string
	}{
		{name: "another network gets access", git: func(s *Spec) { s.Ingress.Access = append(s.Ingress.Access, "192.168.0.0/16") }, wanted: `
update SecurityGroup/ingress.dev.example.net
    ingress["tcp/443 from 192.168.0.0/16"]: <nil> -> allow
    ingress["tcp/80 from 192.168.0.0/16"]: <nil> -> allow
  allow
`},
		{name: "a network loses access", git: func(s *Spec) { s.Ingress.Access = s.Ingress.Access[:1] }, wanted: `
update SecurityGroup/ingress.dev.example.net
    ingress["tcp/443 from fd00::/8"]: allow -> <nil>
    ingress["tcp/80 from fd00::/8"]: allow -> <nil>
  revoke
`},
		{name: "somebody opens a port", aws: func(s *state) {
			ingress(s).Rules = append(ingress(s).Rules, rule{ID: "sgr-x", Protocol: "tcp", From: 0, To: 65535, Peer: "0.0.0.0/0"})
		}, wanted: `
update SecurityGroup/ingress.dev.example.net
    ingress["tcp/0-65535 from 0.0.0.0/0"]: allow -> <nil>
  revoke
`},
		{name: "somebody takes the way out", aws: func(s *state) {
			ingress(s).Rules = filter(ingress(s).Rules, func(r rule) bool { return !r.Egress })
		}, wanted: `
update SecurityGroup/ingress.dev.example.net
    egress["all to 0.0.0.0/0"]: <nil> -> allow
  allow
`},
		{name: "AWS adds IPv6 by itself", aws: func(s *state) { ingress(s).Rules = append(ingress(s).Rules, allowAll6) }, wanted: `
nothing
`},
		{name: "a tag goes", aws: func(s *state) {
			ingress(s).Tags = map[string]string{tagCluster: "dev.example.net", tagComponent: component, "team": "web"}
		}, wanted: `
update SecurityGroup/ingress.dev.example.net
    tags.Name: <nil> -> ingress.dev.example.net
  tagGroup
`},
		{name: "the nodes lose a rule", aws: func(s *state) { nodes(s).Rules = nodes(s).Rules[:3] }, wanted: `
update SecurityGroup/nodes.dev.example.net
    ingress["tcp/30443 from ingress.dev.example.net"]: <nil> -> allow
  allow
`},
		{name: "the nodes have a rule of ours that is no longer wanted", aws: func(s *state) {
			nodes(s).Rules = append(nodes(s).Rules, rule{ID: "sgr-x", Protocol: "tcp", From: 30081, To: 30081, Peer: "sg-ingress", Tags: ruleTags(testSpec(t))})
		}, wanted: `
update SecurityGroup/nodes.dev.example.net
    ingress["tcp/30081 from ingress.dev.example.net"]: allow -> <nil>
  revoke
`},
		{name: "the nodes have a rule of somebody else's", aws: func(s *state) {
			nodes(s).Rules = append(nodes(s).Rules, rule{ID: "sgr-x", Protocol: "tcp", From: 9100, To: 9100, Peer: "10.1.0.0/16", Description: "monitoring"})
		}, wanted: `
nothing
`},
		{name: "another health check", git: func(s *Spec) { setListener(s, "http", Listener{Port: 80, NodePort: 30080}) }, wanted: `
update TargetGroup/http
    healthCheck.matcher: 200 -> <nil>
    healthCheck.path: /nginx-health -> <nil>
    healthCheck.protocol: HTTP -> TCP
  setCheck
`},
		{name: "an attribute changes", aws: func(s *state) { s.targetGroups[0].Attributes[attributeProxy] = "false" }, wanted: `
update TargetGroup/http
    attributes["proxy_protocol_v2.enabled"]: false -> true
  setTargetGroupAttributes
`},
		{name: "another node port", git: func(s *Spec) { setListener(s, "https", Listener{Port: 443, NodePort: 31443}) }, wanted: `
update SecurityGroup/nodes.dev.example.net
    ingress["tcp/30443 from ingress.dev.example.net"]: allow -> <nil>
    ingress["tcp/31443 from ingress.dev.example.net"]: <nil> -> allow
  allow
replace TargetGroup/https (a target group's port can't be changed)
    name: HTTPS -> NEW-HTTPS
    port: 30443 -> 31443
  createTargetGroup
  setTargetGroupAttributes
update Listener/https
    targetGroup: HTTPS -> NEW-HTTPS
  modifyListener
(then)
  deleteTargetGroup
(then)
  revoke
`},
		{name: "another port", git: func(s *Spec) { setListener(s, "https", Listener{Port: 8443, NodePort: 30443}) }, wanted: `
update SecurityGroup/ingress.dev.example.net
    ingress["tcp/443 from 10.0.0.0/8"]: allow -> <nil>
    ingress["tcp/443 from fd00::/8"]: allow -> <nil>
    ingress["tcp/8443 from 10.0.0.0/8"]: <nil> -> allow
    ingress["tcp/8443 from fd00::/8"]: <nil> -> allow
  allow
  revoke
create Listener/https
    port: <nil> -> 8443
    protocol: <nil> -> TCP
    targetGroup: <nil> -> HTTPS
  createListener
delete Listener/tcp-443 (git doesn't declare it)
  deleteListener
`},
		{name: "a listener goes", git: func(s *Spec) { delete(s.Ingress.Listeners, "http") }, wanted: `
update SecurityGroup/ingress.dev.example.net
    ingress["tcp/80 from 10.0.0.0/8"]: allow -> <nil>
    ingress["tcp/80 from fd00::/8"]: allow -> <nil>
  revoke
delete Listener/tcp-80 (git doesn't declare it)
  deleteListener
delete TargetGroup/HTTP (no listener in git uses it)
  deleteTargetGroup
update SecurityGroup/nodes.dev.example.net
    ingress["tcp/30080 from ingress.dev.example.net"]: allow -> <nil>
  revoke
`},
		{name: "a listener forwards elsewhere", aws: func(s *state) { s.balancers[0].Listeners[0].TargetGroup = "arn:other" }, wanted: `
update Listener/http
    targetGroup: arn:other -> HTTP
  modifyListener
`},
		{name: "the load balancer's attributes", git: func(s *Spec) { s.Ingress.DeletionProtection = true }, aws: func(s *state) { s.balancers[0].Attributes[attributeCrossZone] = "false" }, wanted: `
update LoadBalancer/dev-example-net-ingress
    attributes["deletion_protection.enabled"]: false -> true
    attributes["load_balancing.cross_zone.enabled"]: false -> true
  setBalancerAttributes
`},
		{name: "the load balancer's subnets", aws: func(s *state) { delete(s.balancers[0].Subnets, "eu-central-1c") }, wanted: `
update LoadBalancer/dev-example-net-ingress
    subnets.eu-central-1c: <nil> -> subnet-private-c
  setSubnets
`},
		{name: "a second subnet in a zone doesn't move the load balancer", aws: func(s *state) {
			s.subnets = append([]subnet{{ID: "subnet-0", Zone: "eu-central-1a", Tags: map[string]string{"kubernetes.io/role/internal-elb": "1"}}}, s.subnets...)
		}, wanted: `
nothing
`},
		{name: "the load balancer's security groups", aws: func(s *state) { s.balancers[0].Groups = []string{"sg-ingress", "sg-other"} }, wanted: `
update LoadBalancer/dev-example-net-ingress
    securityGroups: [ingress.dev.example.net sg-other] -> [ingress.dev.example.net]
  setGroups
`},
		{name: "another scheme", git: func(s *Spec) { s.Ingress.Scheme = schemePublic }, aws: func(s *state) { s.balancers[0].Attributes[attributeProtection] = "true" }, wanted: `
replace LoadBalancer/dev-example-net-ingress (a load balancer's scheme can't be changed)
    attributes["deletion_protection.enabled"]: true -> false
    scheme: internal -> internet-facing
    subnets.eu-central-1a: subnet-private-a -> subnet-utility-a
    subnets.eu-central-1b: subnet-private-b -> subnet-utility-b
    subnets.eu-central-1c: subnet-private-c -> subnet-utility-c
  unprotect
  deleteBalancer
  createBalancer
  setBalancerAttributes
create Listener/http
    port: <nil> -> 80
    protocol: <nil> -> TCP
    targetGroup: <nil> -> HTTP
  createListener
create Listener/https
    port: <nil> -> 443
    protocol: <nil> -> TCP
    targetGroup: <nil> -> HTTPS
  createListener
update Record/*.k.dev.example.net
    alias.name: i-1.elb.eu-central-1.amazonaws.com -> (known after apply)
    alias.zone: ZELB -> (known after apply)
  changeRecords
`},
		{name: "a load balancer without a security group", aws: func(s *state) { s.balancers[0].Groups = nil; s.balancers[0].Listeners = nil; s.zones[0].Records = nil }, wanted: `
replace LoadBalancer/dev-example-net-ingress (it was made without a security group and can't be given one)
    securityGroups: [] -> [ingress.dev.example.net]
  deleteBalancer
  createBalancer
  setBalancerAttributes
create Listener/http
    port: <nil> -> 80
    protocol: <nil> -> TCP
    targetGroup: <nil> -> HTTP
  createListener
create Listener/https
    port: <nil> -> 443
    protocol: <nil> -> TCP
    targetGroup: <nil> -> HTTPS
  createListener
create Record/*.k.dev.example.net
    alias.evaluateTargetHealth: <nil> -> true
    alias.name: <nil> -> (known after apply)
    alias.zone: <nil> -> (known after apply)
    owner: <nil> -> dev.example.net
    type: <nil> -> A
  changeRecords
`},
		{name: "the record points elsewhere", aws: func(s *state) { s.zones[0].Records[0].Alias.Name = "old.elb.eu-central-1.amazonaws.com" }, wanted: `
update Record/*.k.dev.example.net
    alias.name: old.elb.eu-central-1.amazonaws.com -> i-1.elb.eu-central-1.amazonaws.com
  changeRecords
`},
		{name: "the record is no alias", aws: func(s *state) {
			s.zones[0].Records[0].Alias, s.zones[0].Records[0].TTL, s.zones[0].Records[0].Values = nil, 60, []string{"192.0.2.1"}
		}, wanted: `
update Record/*.k.dev.example.net
    alias.evaluateTargetHealth: <nil> -> true
    alias.name: <nil> -> i-1.elb.eu-central-1.amazonaws.com
    alias.zone: <nil> -> ZELB
    ttl: 60 -> <nil>
    values: [192.0.2.1] -> <nil>
  changeRecords
`},
		{name: "the record is gone, its mark isn't", aws: func(s *state) { s.zones[0].Records = s.zones[0].Records[1:] }, wanted: `
create Record/*.k.dev.example.net
    alias.evaluateTargetHealth: <nil> -> true
    alias.name: <nil> -> i-1.elb.eu-central-1.amazonaws.com
    alias.zone: <nil> -> ZELB
    owner: <nil> -> dev.example.net
    type: <nil> -> A
  changeRecords
`},
		{name: "another wildcard", git: func(s *Spec) { s.Wildcard = "*.apps.example.net" }, wanted: `
create Record/*.apps.example.net
    alias.evaluateTargetHealth: <nil> -> true
    alias.name: <nil> -> i-1.elb.eu-central-1.amazonaws.com
    alias.zone: <nil> -> ZELB
    owner: <nil> -> dev.example.net
    type: <nil> -> A
  changeRecords
delete Record/*.k.dev.example.net (git has another wildcard)
  changeRecords
`},
		{name: "other records of the name are left alone", aws: func(s *state) {
			s.zones[0].Records = append(s.zones[0].Records, record{Name: "*.k.dev.example.net", Type: "CAA", Values: []string{`0 issue "letsencrypt.org"`}})
		}, wanted: `
nothing
`},
		{name: "there is a private zone of the name too", aws: func(s *state) {
			s.zones = append([]zone{{ID: "Z0", Name: "example.net", Private: true}}, s.zones...)
		}, wanted: `
nothing
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := testSpec(t)
			s := settled(spec)
			if test.git != nil {
				test.git(&spec)
			}
			if test.aws != nil {
				test.aws(s)
			}
			steps, err := diff(spec, s)
			if err != nil {
				t.Fatal(err)
			}
			readable := strings.NewReplacer(
				targetGroupName(testSpec(t), "vpc-1", "http"), "HTTP",
				targetGroupName(testSpec(t), "vpc-1", "https"), "HTTPS",
				targetGroupName(spec, "vpc-1", "https"), "NEW-HTTPS",
			)
			if d := cmp.Diff(strings.TrimPrefix(test.wanted, "\n"), readable.Replace(written(steps))); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// What isn't ours, or isn't clear, ends the plan: with a sentence, and with
// nothing to do.
func TestDiffRefuses(t *testing.T) {
	records := func(rs ...record) func(*state) {
		return func(s *state) { s.zones[0].Records = rs }
	}
	wildcard := func(kind string, values ...string) record {
		return record{Name: "*.k.dev.example.net", Type: kind, TTL: 60, Values: values}
	}
	text := func(values ...string) record {
		return record{Name: "_platform.k.dev.example.net", Type: "TXT", TTL: 60, Values: values}
	}
	ourText := mark{Cluster: "dev.example.net", Record: "*.k.dev.example.net", Type: "A"}.text()
	for _, test := range []struct {
		name   string
		aws    func(*state)
		target any
		want   string
	}{
		{"A record without a mark", records(wildcard("A", "192.0.2.1")), new(*ForeignError),
			"aws: Record/*.k.dev.example.net: there is an A record of this name in zone example.net (192.0.2.1) that isn't this tool's: TXT record _platform.k.dev.example.net is missing: delete it, or choose another wildcard; nothing was changed"},
		{"CNAME", records(wildcard("CNAME", "elsewhere.example.com")), new(*ForeignError),
			"there is a CNAME record of this name in zone example.net (elsewhere.example.com)"},
		{"CNAME with our mark", records(wildcard("CNAME", "elsewhere.example.com"), text(ourText)), new(*ForeignError), "there is a CNAME record"},
		{"AAAA", records(wildcard("AAAA", "2001:db8::1"), wildcard("A", "192.0.2.1"), text(ourText)), new(*ForeignError), "IPv6 clients would go elsewhere"},
		{"another cluster's", records(wildcard("A", "192.0.2.1"), text(mark{Cluster: "int.example.net", Record: "*.k.dev.example.net", Type: "A"}.text())), new(*ForeignError),
			"it belongs to cluster int.example.net, as the TXT record _platform.k.dev.example.net says: give one of the two clusters another wildcard"},
		{"the mark says something else", records(text(`"v=spf1 -all"`)), new(*ForeignError), `the TXT record _platform.k.dev.example.net, which is to say whose it is, says something else: "v=spf1 -all"`},
		{"a routing policy", func(s *state) { s.zones[0].Records[0].Policy = "blue" }, new(*ForeignError), `has a routing policy (set identifier "blue")`},
		{"no zone", func(s *state) { s.zones = nil }, new(*ZoneError), "aws: hosted zone example.net: there is none in this account: create it (docs/aws.md)"},
		{"two zones", func(s *state) { s.zones = append(s.zones, zone{ID: "Z2", Name: "example.net"}) }, new(*ZoneError), "there are 2 zones with this name (Z1 public, Z2 public)"},
		{"two private zones", func(s *state) {
			s.zones = []zone{{ID: "Z2", Private: true}, {ID: "Z3", Private: true}}
		}, new(*ZoneError), "there are 2 zones with this name (Z2 private, Z3 private)"},
		{"two load balancers", func(s *state) {
			second := s.balancers[0]
			second.ARN, second.Name = "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/net/j/2", "j"
			s.balancers = append(s.balancers, second)
		}, new(*DuplicateError), "aws: there are 2 load balancers of cluster dev.example.net where there should be one: loadbalancer/net/i/1, loadbalancer/net/j/2"},
		{"two security groups", func(s *state) {
			s.groups = append(s.groups, group{ID: "sg-2", Name: "copy", Tags: s.groups[1].Tags})
		}, new(*DuplicateError), "sg-ingress (ingress.dev.example.net), sg-2 (copy)"},
		{"a load balancer of the name", func(s *state) { s.balancers[0].Tags = nil }, new(*ForeignError), "aws: LoadBalancer/dev-example-net-ingress: there is one already (loadbalancer/net/i/1) without the cluster's tags: if it is this cluster's, give it the tags platform:cluster=dev.example.net and platform:component=ingress"},
		{"a security group of the name", func(s *state) { s.groups[1].Tags = nil }, new(*ForeignError), "aws: SecurityGroup/ingress.dev.example.net: there is one already (sg-ingress)"},
		{"a target group of the name", func(s *state) { s.targetGroups[0].Tags = nil }, new(*ForeignError), "aws: TargetGroup/http: there is one already"},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := testSpec(t)
			s := settled(spec)
			test.aws(s)
			steps, err := diff(spec, s)
			if len(steps) > 0 {
				t.Errorf("there is something to do:\n%s", written(steps))
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			} else if !errors.As(err, test.target) {
				t.Errorf("%T isn't a %T", err, test.target)
			}
		})
	}
}

func TestDeletion(t *testing.T) {
	spec := testSpec(t)
	s := settled(spec)
	s.balancers[0].Attributes[attributeProtection] = "true"
	// Somebody's rule that names our group, a copy of it, a zone that holds
	// nothing, and a wildcard that git has forgotten.
	s.groups = append(s.groups,
		group{ID: "sg-db", Name: "database", Rules: []rule{{ID: "sgr-db", Protocol: "tcp", From: 5432, To: 5432, Peer: "sg-ingress"}}},
		group{ID: "sg-other", Name: "other", Rules: []rule{{ID: "sgr-o", Protocol: "tcp", From: 1, To: 1, Peer: "10.0.0.0/8"}}})
	s.zones = append(s.zones, zone{ID: "Z2", Name: "example.net", Private: true, Records: []record{
		{Name: "*.old.example.net", Type: "A", Alias: &alias{Name: "gone", Zone: "ZELB"}},
		{Name: "_platform.old.example.net", Type: "TXT", Values: []string{mark{Cluster: spec.Cluster, Record: "*.old.example.net", Type: "A"}.text()}},
		{Name: "*.k.dev.example.net", Type: "A", Values: []string{"192.0.2.1"}},
	}})
	golden(t, "deletion", written(deletion(spec, s)))
	for _, empty := range []*state{{}, bare(spec)} {
		if steps := deletion(spec, empty); len(steps) > 0 {
			t.Errorf("there is something to delete:\n%s", written(steps))
		}
	}
}

// A record that isn't ours is left alone even if everything else goes.
func TestDeletionLeavesForeignRecords(t *testing.T) {
	spec := testSpec(t)
	s := settled(spec)
	s.zones[0].Records = s.zones[0].Records[:1]
	for _, c := range planned(deletion(spec, s)) {
		if strings.HasPrefix(c.Resource, "Record/") {
			t.Errorf("%s %s", c.Op, c.Resource)
		}
	}
}

// Every change is the layer's own, and what plans show is in order.
func TestChangesAreWellFormed(t *testing.T) {
	spec := testSpec(t)
	for _, s := range []*state{{zones: bare(spec).zones}, bare(spec)} {
		steps, err := diff(spec, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range planned(steps) {
			if c.Layer != plan.AWS || !strings.Contains(c.Resource, "/") || len(c.Diff) == 0 {
				t.Errorf("%+v", c)
			}
			for i := 1; i < len(c.Diff); i++ {
				if c.Diff[i-1].Path >= c.Diff[i].Path {
					t.Errorf("%s: %s comes before %s", c.Resource, c.Diff[i-1].Path, c.Diff[i].Path)
				}
			}
		}
	}
}
