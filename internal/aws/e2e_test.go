package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"

	"platform/internal/plan"
)

func ops(changes []plan.Change) []string {
	out := []string{}
	for _, c := range changes {
		out = append(out, string(c.Op)+" "+c.Resource)
	}
	return out
}

// settle applies and makes sure that nothing is left to do.
func (a *account) settle(l *Layer) []plan.Change {
	a.t.Helper()
	done, err := l.Apply(a.t.Context())
	a.must(err)
	a.wantPlan(l)
	return done
}

func (a *account) wantPlan(l *Layer, want ...string) {
	a.t.Helper()
	p, err := l.Plan(a.t.Context())
	a.must(err)
	if d := cmp.Diff(append([]string{}, want...), ops(p)); d != "" {
		a.t.Fatalf("plan (-want +got)\n%s%+v", d, p)
	}
}

func (a *account) wantInventory(want []string) {
	a.t.Helper()
	if d := cmp.Diff(want, a.inventory()); d != "" {
		a.t.Fatalf("in AWS (-want +got)\n%s", d)
	}
}

// expected is the inventory of a cluster of newAccount's spec.
func (a *account) expected() []string {
	out := append(a.kopsOnly(),
		"balancer "+a.spec.Ingress.Name,
		"group "+groupName(a.spec.Cluster),
		"record A "+a.spec.Wildcard, "record TXT "+markName(a.spec.Wildcard),
		"rule "+groupName(a.spec.Cluster)+": all to 0.0.0.0/0")
	for _, name := range a.spec.listeners() {
		l := a.spec.Ingress.Listeners[name]
		out = append(out, fmt.Sprintf("listener %d", l.Port), fmt.Sprintf("target group %d", l.NodePort),
			fmt.Sprintf("rule %s: tcp/%d from %s", nodesGroupName(a.spec.Cluster), l.NodePort, groupName(a.spec.Cluster)))
		for _, network := range a.spec.Ingress.Access {
			out = append(out, fmt.Sprintf("rule %s: tcp/%d from %s", groupName(a.spec.Cluster), l.Port, network))
		}
	}
	slices.Sort(out)
	return out
}

// kopsOnly is the inventory of what newCluster made.
func (a *account) kopsOnly() []string {
	nodes, masters := nodesGroupName(a.spec.Cluster), "masters."+a.spec.Cluster
	return []string{
		"group " + masters, "group " + nodes,
		"rule default: all to 0.0.0.0/0", "rule " + masters + ": all to 0.0.0.0/0",
		"rule " + nodes + ": all from " + nodes, "rule " + nodes + ": all to 0.0.0.0/0", "rule " + nodes + ": tcp/22 from 10.0.0.0/8",
	}
}

// The walk of `platform up` and `platform down` over a new cluster.
func TestLifeOfACluster(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	l := a.layer()
	all := []string{
		"create SecurityGroup/" + groupName(a.spec.Cluster), "update SecurityGroup/" + nodesGroupName(a.spec.Cluster),
		"create TargetGroup/http", "create TargetGroup/https", "create LoadBalancer/" + a.spec.Ingress.Name,
		"create Listener/http", "create Listener/https", "create Record/" + a.spec.Wildcard,
	}

	// Before kops has made anything there is a plan, and nothing to apply.
	a.wantPlan(l, all...)
	if groups, err := l.TargetGroups(t.Context()); err != nil || len(groups) != 0 {
		t.Errorf("target groups before the network: %v, %v", groups, err)
	}
	var missing *MissingError
	if _, err := l.Apply(t.Context()); !errors.As(err, &missing) {
		t.Errorf("applying without a network: %v", err)
	}
	if _, _, err := l.EnsureTargetGroups(t.Context()); !errors.As(err, &missing) {
		t.Errorf("target groups without a network: %v", err)
	}
	if p, err := l.PlanDelete(t.Context()); err != nil || len(p) != 0 {
		t.Errorf("to delete: %v, %v", ops(p), err)
	}

	// kops makes the network, then wants the target groups.
	a.makeNetwork()
	a.wantPlan(l, all...)
	groups, made, err := l.EnsureTargetGroups(t.Context())
	a.must(err)
	if d := cmp.Diff([]string{"create TargetGroup/http", "create TargetGroup/https"}, ops(made)); d != "" {
		t.Error(d)
	}
	if found, err := l.TargetGroups(t.Context()); err != nil || !cmp.Equal(found, groups) || len(groups) != 2 || groups["http"] == groups["https"] {
		t.Errorf("made %v, found %v, %v", groups, found, err)
	}
	if again, made, err := l.EnsureTargetGroups(t.Context()); err != nil || len(made) != 0 || !cmp.Equal(again, groups) {
		t.Errorf("made again: %v, %v, %v", again, ops(made), err)
	}

	// The rest is this layer's alone.
	done := a.settle(l)
	if d := cmp.Diff(slices.Concat(all[:2], all[4:]), ops(done)); d != "" {
		t.Error(d)
	}
	a.wantInventory(a.expected())
	address, err := l.Address(t.Context())
	if err != nil || !strings.HasPrefix(address, a.spec.Ingress.Name+"-") || !strings.HasSuffix(address, ".elb.eu-central-1.amazonaws.com") {
		t.Errorf("the address is %q, %v", address, err)
	}

	// Without nodes it isn't well, with nodes it is.
	want := map[string]plan.State{
		"LoadBalancer/" + a.spec.Ingress.Name: plan.Ready, "Listener/http": plan.Ready, "Listener/https": plan.Ready,
		"TargetGroup/http": plan.Progressing, "TargetGroup/https": plan.Progressing, "Record/" + a.spec.Wildcard: plan.Ready,
	}
	a.wantHealth(l, want)
	nodes := a.addNodes(2, groups)
	want["TargetGroup/http"], want["TargetGroup/https"] = plan.Ready, plan.Ready
	a.wantHealth(l, want)
	_, err = a.ec2.StopInstances(a.ctx(), &ec2.StopInstancesInput{InstanceIds: nodes})
	a.must(err)
	want["TargetGroup/http"], want["TargetGroup/https"] = plan.Failed, plan.Failed
	a.wantHealth(l, want)
	a.wantPlan(l) // what is registered is kops' affair

	// Down again, listed first; a second time there is nothing to do.
	p, err := l.PlanDelete(t.Context())
	a.must(err)
	done, err = l.Delete(t.Context())
	a.must(err)
	if d := cmp.Diff(ops(p), ops(done)); d != "" || len(done) != 6 {
		t.Errorf("planned and done differ: %v %s", ops(done), d)
	}
	a.wantInventory(a.kopsOnly())
	if done, err = l.Delete(t.Context()); err != nil || len(done) != 0 {
		t.Errorf("deleted again: %v, %v", ops(done), err)
	}
	// And up again.
	a.settle(l)
	a.wantInventory(a.expected())
}

func (a *account) wantHealth(l *Layer, want map[string]plan.State) {
	a.t.Helper()
	list, err := l.Verify(a.t.Context())
	a.must(err)
	got := map[string]plan.State{}
	for _, h := range list {
		got[h.Resource] = h.State
		if (h.State == plan.Ready) != (h.Reason == "") {
			a.t.Errorf("%s is %s: %q", h.Resource, h.State, h.Reason)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		a.t.Errorf("health (-want +got)\n%s%+v", d, list)
	}
}

// What somebody changes by hand is seen, and changed back.
func TestDrift(t *testing.T) {
	t.Parallel()
	a := newCluster(t)
	l := a.layer()
	a.settle(l)
	s, err := l.observe(t.Context())
	a.must(err)
	b, ourGroup := s.ourBalancers(a.spec.Cluster)[0], s.ourGroups(a.spec.Cluster)[0]
	groups := s.ourTargetGroups(a.spec.Cluster)
	resources := map[string]string{
		"balancer": "update LoadBalancer/" + a.spec.Ingress.Name,
		"group":    "update SecurityGroup/" + ourGroup.Name,
		"nodes":    "update SecurityGroup/" + nodesGroupName(a.spec.Cluster),
		"record":   "update Record/" + a.spec.Wildcard,
	}
	rulesOf := func(id string, keep func(rule) bool) []string {
		var ids []string
		out, err := a.ec2.DescribeSecurityGroupRules(a.ctx(), &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{ec2Filter("group-id", id)}})
		a.must(err)
		for _, r := range out.SecurityGroupRules {
			if found := readRule(r); keep(found) {
				ids = append(ids, found.ID)
			}
		}
		return ids
	}
	revoke := func(id string, keep func(rule) bool) error {
		_, err := a.ec2.RevokeSecurityGroupIngress(a.ctx(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &id, SecurityGroupRuleIds: rulesOf(id, keep)})
		return err
	}
	authorize := func(id, network string, port int32, tags map[string]string) error {
		input := &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: []ec2types.IpPermission{
			{IpProtocol: ptr("tcp"), FromPort: &port, ToPort: &port, IpRanges: []ec2types.IpRange{{CidrIp: &network}}},
		}}
		if tags != nil {
			input.TagSpecifications = []ec2types.TagSpecification{{ResourceType: "security-group-rule", Tags: toEC2Tags(tags)}}
		}
		_, err := a.ec2.AuthorizeSecurityGroupIngress(a.ctx(), input)
		return err
	}
	for _, test := range []struct {
		name  string
		drift func() error
		want  []string
	}{
		{"a rule of the load balancer goes", func() error {
			return revoke(ourGroup.ID, func(r rule) bool { return r.Peer == "10.0.0.0/8" && r.From == 443 })
		}, []string{resources["group"]}},
		{"an IPv6 rule of the load balancer goes", func() error { return revoke(ourGroup.ID, func(r rule) bool { return r.Peer == "fd00::/8" }) }, []string{resources["group"]}},
		{"somebody else may connect", func() error { return authorize(ourGroup.ID, "0.0.0.0/0", 443, nil) }, []string{resources["group"]}},
		{"the way out is closed", func() error {
			_, err := a.ec2.RevokeSecurityGroupEgress(a.ctx(), &ec2.RevokeSecurityGroupEgressInput{GroupId: &ourGroup.ID, SecurityGroupRuleIds: rulesOf(ourGroup.ID, func(r rule) bool { return r.Egress })})
			return err
		}, []string{resources["group"]}},
		{"a rule of the nodes goes", func() error {
			return revoke(a.nodes, func(r rule) bool { return r.Peer == ourGroup.ID && r.From == 30443 })
		}, []string{resources["nodes"]}},
		{"the nodes have an old rule of ours", func() error { return authorize(a.nodes, "10.9.0.0/16", 30999, ruleTags(a.spec)) }, []string{resources["nodes"]}},
		{"the group's name tag", func() error {
			_, err := a.ec2.DeleteTags(a.ctx(), &ec2.DeleteTagsInput{Resources: []string{ourGroup.ID}, Tags: []ec2types.Tag{{Key: ptr("Name")}}})
			return err
		}, []string{resources["group"]}},
		{"cross-zone balancing", func() error {
			_, err := a.elb.ModifyLoadBalancerAttributes(a.ctx(), &elb.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &b.ARN, Attributes: []elbtypes.LoadBalancerAttribute{{Key: ptr(attributeCrossZone), Value: ptr("false")}}})
			return err
		}, []string{resources["balancer"]}},
		{"the load balancer's subnets", func() error {
			_, err := a.elb.SetSubnets(a.ctx(), &elb.SetSubnetsInput{LoadBalancerArn: &b.ARN, Subnets: []string{a.private[0], a.utility[1]}})
			return err
		}, []string{resources["balancer"]}},
		{"the load balancer's security group", func() error {
			_, err := a.elb.SetSecurityGroups(a.ctx(), &elb.SetSecurityGroupsInput{LoadBalancerArn: &b.ARN, SecurityGroups: []string{ourGroup.ID, a.nodes}})
			return err
		}, []string{resources["balancer"]}},
		{"the load balancer's name tag", func() error {
			_, err := a.elb.RemoveTags(a.ctx(), &elb.RemoveTagsInput{ResourceArns: []string{b.ARN}, TagKeys: []string{"Name"}})
			return err
		}, []string{resources["balancer"]}},
		{"a target group's attributes", func() error {
			_, err := a.elb.ModifyTargetGroupAttributes(a.ctx(), &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: &groups[0].ARN, Attributes: []elbtypes.TargetGroupAttribute{
				{Key: ptr(attributeProxy), Value: ptr("false")}, {Key: ptr(attributeClientIP), Value: ptr("true")},
			}})
			return err
		}, []string{"update TargetGroup/" + groups[0].Tags[tagListener]}},
		{"a target group's health check", func() error {
			_, err := a.elb.ModifyTargetGroup(a.ctx(), &elb.ModifyTargetGroupInput{TargetGroupArn: &groups[0].ARN, HealthCheckProtocol: "HTTP", HealthCheckPath: ptr("/elsewhere"), Matcher: &elbtypes.Matcher{HttpCode: ptr("200-499")}})
			return err
		}, []string{"update TargetGroup/" + groups[0].Tags[tagListener]}},
		{"a target group's listener tag", func() error {
			_, err := a.elb.RemoveTags(a.ctx(), &elb.RemoveTagsInput{ResourceArns: []string{groups[1].ARN}, TagKeys: []string{tagListener}})
			return err
		}, []string{"update TargetGroup/" + groups[1].Tags[tagListener]}},
		{"a listener goes", func() error {
			_, err := a.elb.DeleteListener(a.ctx(), &elb.DeleteListenerInput{ListenerArn: &b.Listeners[0].ARN})
			return err
		}, []string{"create Listener/http"}},
		{"a listener forwards to the other group", func() error {
			current, err := l.observe(a.ctx())
			if err != nil {
				return err
			}
			found := current.ourBalancers(a.spec.Cluster)[0].Listeners
			_, err = a.elb.ModifyListener(a.ctx(), &elb.ModifyListenerInput{ListenerArn: &found[0].ARN, DefaultActions: []elbtypes.Action{{Type: "forward", TargetGroupArn: &found[1].TargetGroup}}})
			return err
		}, []string{"update Listener/http"}},
		{"a listener too many", func() error {
			_, err := a.elb.CreateListener(a.ctx(), &elb.CreateListenerInput{LoadBalancerArn: &b.ARN, Protocol: "TCP", Port: ptr(int32(8080)), DefaultActions: []elbtypes.Action{{Type: "forward", TargetGroupArn: &groups[0].ARN}}})
			return err
		}, []string{"delete Listener/tcp-8080"}},
		{"the record points elsewhere", func() error {
			a.changeRecord("UPSERT", &r53types.ResourceRecordSet{Name: &a.spec.Wildcard, Type: "A", TTL: ptr(int64(60)), ResourceRecords: []r53types.ResourceRecord{{Value: ptr("192.0.2.1")}}})
			return nil
		}, []string{resources["record"]}},
		{"the record doesn't look at health", func() error {
			a.changeRecord("UPSERT", &r53types.ResourceRecordSet{Name: &a.spec.Wildcard, Type: "A", AliasTarget: &r53types.AliasTarget{DNSName: &b.DNSName, HostedZoneId: &b.Zone}})
			return nil
		}, []string{resources["record"]}},
		{"the record goes", func() error {
			a.changeRecord("DELETE", record{Name: a.spec.Wildcard, Type: "A", Alias: &alias{Name: b.DNSName, Zone: b.Zone, Evaluate: true}}.set(balancer{}))
			return nil
		}, []string{"create Record/" + a.spec.Wildcard}},
	} {
		if err := test.drift(); err != nil {
			t.Fatalf("%s: making it drift: %v", test.name, err)
		}
		p, err := l.Plan(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if d := cmp.Diff(test.want, ops(p)); d != "" {
			t.Errorf("%s: plan (-want +got)\n%s", test.name, d)
		}
		done, err := l.Apply(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if d := cmp.Diff(p, done); d != "" {
			t.Errorf("%s: what was done isn't what was planned (-planned +done)\n%s", test.name, d)
		}
		if p, err := l.Plan(t.Context()); err != nil || len(p) > 0 {
			t.Fatalf("%s: it is still not right: %+v, %v", test.name, p, err)
		}
	}
	a.wantInventory(a.expected())
}

// The load balancer itself, deleted by hand, comes back with all that it had.
func TestLostLoadBalancer(t *testing.T) {
	t.Parallel()
	a := newCluster(t)
	l := a.layer()
	a.settle(l)
	s, err := l.observe(t.Context())
	a.must(err)
	_, err = a.elb.DeleteLoadBalancer(a.ctx(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: &s.ourBalancers(a.spec.Cluster)[0].ARN})
	a.must(err)
	a.wantPlan(l, "create LoadBalancer/"+a.spec.Ingress.Name, "create Listener/http", "create Listener/https", "update Record/"+a.spec.Wildcard)
	a.settle(l)
	a.wantInventory(a.expected())
}

// What is there under our names and isn't ours stays as it is.
func TestForeign(t *testing.T) {
	t.Parallel()
	text := func(name, value string) *r53types.ResourceRecordSet {
		return &r53types.ResourceRecordSet{Name: &name, Type: "TXT", TTL: ptr(int64(60)), ResourceRecords: []r53types.ResourceRecord{{Value: &value}}}
	}
	address := func(name string) *r53types.ResourceRecordSet {
		return &r53types.ResourceRecordSet{Name: &name, Type: "A", TTL: ptr(int64(60)), ResourceRecords: []r53types.ResourceRecord{{Value: ptr("192.0.2.1")}}}
	}
	for _, test := range []struct {
		name string
		make func(a *account)
		want string
	}{
		{"record", func(a *account) { a.changeRecord("CREATE", address(a.spec.Wildcard)) }, "isn't this tool's"},
		{"cname", func(a *account) {
			a.changeRecord("CREATE", &r53types.ResourceRecordSet{Name: &a.spec.Wildcard, Type: "CNAME", TTL: ptr(int64(60)), ResourceRecords: []r53types.ResourceRecord{{Value: ptr("other.example.com")}}})
		}, "there is a CNAME record of this name"},
		{"another cluster", func(a *account) {
			a.changeRecord("CREATE", address(a.spec.Wildcard))
			a.changeRecord("CREATE", text(markName(a.spec.Wildcard), mark{Cluster: "other.example.net", Record: a.spec.Wildcard, Type: "A"}.text()))
		}, "it belongs to cluster other.example.net"},
		{"security group", func(a *account) {
			_, err := a.ec2.CreateSecurityGroup(a.ctx(), &ec2.CreateSecurityGroupInput{GroupName: ptr(groupName(a.spec.Cluster)), Description: ptr("x"), VpcId: &a.vpc})
			a.must(err)
		}, "SecurityGroup/ingress."},
		{"load balancer", func(a *account) {
			_, err := a.elb.CreateLoadBalancer(a.ctx(), &elb.CreateLoadBalancerInput{Name: &a.spec.Ingress.Name, Type: "network", Subnets: a.private})
			a.must(err)
		}, "LoadBalancer/t"},
		{"target group", func(a *account) {
			_, err := a.elb.CreateTargetGroup(a.ctx(), &elb.CreateTargetGroupInput{Name: ptr(targetGroupName(a.spec, a.vpc, "http")), Protocol: "TCP", Port: ptr(int32(30080)), VpcId: &a.vpc})
			a.must(err)
		}, "TargetGroup/http"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newCluster(t)
			test.make(a)
			before := a.inventory()
			l := a.layer()
			for what, call := range map[string]func(context.Context) ([]plan.Change, error){"plan": l.Plan, "apply": l.Apply} {
				changes, err := call(t.Context())
				var foreign *ForeignError
				if !errors.As(err, &foreign) || len(changes) > 0 || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s: %v, %v; want an error with %q", what, ops(changes), err, test.want)
				}
			}
			if done, err := l.Delete(t.Context()); err != nil || len(done) > 0 {
				t.Errorf("deleted %v, %v", ops(done), err)
			}
			a.wantInventory(before)
		})
	}
}

func TestZones(t *testing.T) {
	t.Parallel()
	a := newCluster(t)
	domain := "zones-" + a.spec.Cluster
	a.spec.HostedZone, a.spec.Wildcard = domain, "*.k."+domain
	var zones *ZoneError
	if _, err := a.layer().Plan(t.Context()); !errors.As(err, &zones) || len(zones.Found) != 0 {
		t.Fatalf("without a zone: %v", err)
	}
	create := func(reference string, private bool) {
		input := &route53.CreateHostedZoneInput{Name: &domain, CallerReference: ptr(domain + reference)}
		if private {
			input.HostedZoneConfig = &r53types.HostedZoneConfig{PrivateZone: true}
			input.VPC = &r53types.VPC{VPCId: &a.vpc, VPCRegion: testRegion}
		}
		_, err := a.route53.CreateHostedZone(a.ctx(), input)
		a.must(err)
	}
	// A private zone will do if it is alone; the public one is preferred.
	create("private", true)
	a.settle(a.layer())
	create("public", false)
	a.wantPlan(a.layer(), "create Record/"+a.spec.Wildcard)
	a.settle(a.layer())
	create("another", false)
	if _, err := a.layer().Apply(t.Context()); !errors.As(err, &zones) || len(zones.Found) != 3 {
		t.Fatalf("with two: %v", err)
	}
	// Going down doesn't depend on it: ours are deleted in all of them.
	done, err := a.layer().Delete(t.Context())
	a.must(err)
	if got := slices.DeleteFunc(ops(done), func(s string) bool { return !strings.HasPrefix(s, "delete Record/") }); len(got) != 2 {
		t.Errorf("records deleted: %v", got)
	}
}

// Two load balancers with the cluster's tags are for a person to sort out.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	a := newCluster(t)
	l := a.layer()
	a.settle(l)
	_, err := a.elb.CreateLoadBalancer(a.ctx(), &elb.CreateLoadBalancerInput{
		Name: ptr(a.spec.Ingress.Name + "2"), Type: "network", Scheme: "internal", Subnets: a.private, Tags: toELBTags(tagsFor(a.spec, "copy")),
	})
	a.must(err)
	before := a.inventory()
	var duplicate *DuplicateError
	for _, call := range []func(context.Context) ([]plan.Change, error){l.Plan, l.Apply} {
		if _, err := call(t.Context()); !errors.As(err, &duplicate) || len(duplicate.IDs) != 2 {
			t.Errorf("got %v", err)
		}
	}
	a.wantInventory(before)
	_, err = l.Delete(t.Context())
	a.must(err)
	a.wantInventory(a.kopsOnly())
}

// writes cancels a context after the k-th write, whose answer is lost as well:
// AWS has done it and we don't know.
type writes struct {
	mu     sync.Mutex
	seen   int
	limit  int
	cancel context.CancelFunc
}

func (w *writes) option(cfg *awssdk.Config) {
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Interrupt",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				name := middleware.GetOperationName(ctx)
				out, metadata, err := next.HandleInitialize(ctx, in)
				if err != nil || strings.HasPrefix(name, "Describe") || strings.HasPrefix(name, "List") || strings.HasPrefix(name, "Get") {
					return out, metadata, err
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				w.seen++
				if w.seen != w.limit {
					return out, metadata, nil
				}
				w.cancel()
				return middleware.InitializeOutput{}, metadata, context.Canceled
			}), middleware.After)
	})
}

// interrupted does something with a layer that stops at the k-th write, and
// reports whether it got that far.
func (a *account) interrupted(k int, do func(context.Context, *Layer) ([]plan.Change, error)) bool {
	a.t.Helper()
	ctx, cancel := context.WithCancel(a.t.Context())
	defer cancel()
	w := &writes{limit: k, cancel: cancel}
	done, err := do(ctx, a.layer(w.option))
	if w.seen < k {
		a.must(err)
		return false
	}
	if !errors.Is(err, context.Canceled) {
		a.t.Fatalf("interrupted at write %d: %v, after %v", k, err, ops(done))
	}
	return true
}

func apply(ctx context.Context, l *Layer) ([]plan.Change, error) { return l.Apply(ctx) }

// Whatever write is the last before an interruption, the next run finishes,
// and there is nothing twice.
func TestInterruptedApply(t *testing.T) {
	t.Parallel()
	a := newCluster(t)
	empty := a.kopsOnly()
	k := 1
	for ; a.interrupted(k, apply); k++ {
		a.settle(a.layer())
		a.wantInventory(a.expected())
		_, err := a.layer().Delete(t.Context())
		a.must(err)
		a.wantInventory(empty)
	}
	if k < 12 {
		t.Errorf("there were %d writes only", k-1)
	}
}

func TestInterruptedDelete(t *testing.T) {
	t.Parallel()
	a := newCluster(t)
	a.spec.Ingress.DeletionProtection = true
	remove := func(ctx context.Context, l *Layer) ([]plan.Change, error) { return l.Delete(ctx) }
	k := 1
	for {
		a.settle(a.layer())
		if !a.interrupted(k, remove) {
			break
		}
		_, err := a.layer().Delete(t.Context())
		a.must(err)
		a.wantInventory(a.kopsOnly())
		k++
	}
	if k < 7 {
		t.Errorf("there were %d writes only", k-1)
	}
}

// The same on the way from one declaration to another, with target groups, the
// load balancer and the record being replaced.
func TestInterruptedChange(t *testing.T) {
	t.Parallel()
	a := newCluster(t)
	before := a.spec
	after := before
	after.Wildcard = "*.apps." + a.spec.Cluster
	after.Ingress.Scheme = schemePublic
	after.Ingress.Access = []string{"0.0.0.0/0"}
	after.Ingress.Listeners = map[string]Listener{
		"https": {Port: 443, NodePort: 31443},
		"admin": {Port: 8443, NodePort: 30080, HealthCheckPath: "/healthz"},
	}
	k := 1
	for {
		a.spec = before
		a.settle(a.layer())
		a.wantInventory(a.expected())
		a.spec = after
		if !a.interrupted(k, apply) {
			break
		}
		a.settle(a.layer())
		a.wantInventory(a.expected())
		k++
	}
	a.wantInventory(a.expected())
	if k < 18 {
		t.Errorf("there were %d writes only", k-1)
	}
}

// kops attaches the new target groups before the listeners go over to them.
func TestReplacedTargetGroup(t *testing.T) {
	t.Parallel()
	a := newCluster(t)
	a.settle(a.layer())
	old, err := a.layer().TargetGroups(t.Context())
	a.must(err)
	a.spec.Ingress.Listeners["https"] = Listener{Port: 443, NodePort: 31443}
	l := a.layer()
	a.wantPlan(l, "update SecurityGroup/"+nodesGroupName(a.spec.Cluster), "replace TargetGroup/https", "update Listener/https")
	if found, err := l.TargetGroups(t.Context()); err != nil || len(found) != 1 || found["http"] != old["http"] {
		t.Errorf("found %v, %v", found, err)
	}
	groups, made, err := l.EnsureTargetGroups(t.Context())
	a.must(err)
	if d := cmp.Diff([]string{"replace TargetGroup/https"}, ops(made)); d != "" || groups["https"] == old["https"] {
		t.Errorf("made %v %s", groups, d)
	}
	done := a.settle(l)
	for _, want := range []string{"update Listener/https", "delete TargetGroup/" + byARN(old["https"])} {
		if !slices.Contains(ops(done), want) {
			t.Errorf("%q isn't in %v", want, ops(done))
		}
	}
	a.wantInventory(a.expected())
}

// byARN is the name in a target group's ARN.
func byARN(arn string) string { return strings.Split(arn, "/")[1] }

// kops' own way of finding what it may delete or prune must not lead to ours.
func TestInvisibleToKops(t *testing.T) {
	t.Parallel()
	a := newCluster(t)
	l := a.layer()
	a.settle(l)
	s, err := l.observe(t.Context())
	a.must(err)
	check := func(what string, tags map[string]string) {
		for key := range tags {
			if key == "KubernetesCluster" || strings.HasPrefix(key, "kubernetes.io/") {
				t.Errorf("%s has kops' tag %s", what, key)
			}
		}
	}
	for _, g := range s.ourGroups(a.spec.Cluster) {
		check(g.Name, g.Tags)
	}
	for _, b := range s.ourBalancers(a.spec.Cluster) {
		check(b.Name, b.Tags)
	}
	for _, g := range s.ourTargetGroups(a.spec.Cluster) {
		check(g.Name, g.Tags)
	}
}
