package aws

import (
	"context"
	"maps"
	"slices"
	"strconv"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// createTargetGroup makes a target group; its attributes need another call.
type createTargetGroup struct{ Group targetGroup }

func (c createTargetGroup) do(ctx context.Context, run *session) error {
	t := c.Group
	input := &elb.CreateTargetGroupInput{
		Name: &t.Name, VpcId: &t.VPC, Protocol: elbtypes.ProtocolEnum(t.Protocol), Port: &t.Port, TargetType: elbtypes.TargetTypeEnum(t.TargetType),
		HealthCheckProtocol: elbtypes.ProtocolEnum(t.Check.Protocol), HealthCheckPort: &t.Check.Port,
		HealthCheckIntervalSeconds: &t.Check.Interval, HealthCheckTimeoutSeconds: &t.Check.Timeout,
		HealthyThresholdCount: &t.Check.Healthy, UnhealthyThresholdCount: &t.Check.Unhealthy,
		Tags: toELBTags(t.Tags),
	}
	input.HealthCheckPath, input.Matcher = t.Check.http()
	out, err := run.elb.CreateTargetGroup(ctx, input)
	if err != nil {
		return failed(err, "creating target group %s", t.Name)
	}
	run.targetGroups[t.Name] = awssdk.ToString(out.TargetGroups[0].TargetGroupArn)
	return nil
}

// http gives what only HTTP checks have.
func (c check) http() (path *string, matcher *elbtypes.Matcher) {
	if c.Path == "" {
		return nil, nil
	}
	return &c.Path, &elbtypes.Matcher{HttpCode: &c.Matcher}
}

// setCheck changes a target group's health check.
type setCheck struct {
	ARN, Name string
	Check     check
}

func (c setCheck) do(ctx context.Context, run *session) error {
	input := &elb.ModifyTargetGroupInput{
		TargetGroupArn: &c.ARN, HealthCheckProtocol: elbtypes.ProtocolEnum(c.Check.Protocol), HealthCheckPort: &c.Check.Port,
		HealthCheckIntervalSeconds: &c.Check.Interval, HealthCheckTimeoutSeconds: &c.Check.Timeout,
		HealthyThresholdCount: &c.Check.Healthy, UnhealthyThresholdCount: &c.Check.Unhealthy,
	}
	input.HealthCheckPath, input.Matcher = c.Check.http()
	_, err := run.elb.ModifyTargetGroup(ctx, input)
	return failed(err, "changing the health check of target group %s", c.Name)
}

// setTargetGroupAttributes changes attributes; the group is known by its name,
// since it may just have been made.
type setTargetGroupAttributes struct {
	Name       string
	Attributes map[string]string
}

func (c setTargetGroupAttributes) do(ctx context.Context, run *session) error {
	arn := run.targetGroups[c.Name]
	input := &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: &arn}
	for _, key := range slices.Sorted(maps.Keys(c.Attributes)) {
		value := c.Attributes[key]
		input.Attributes = append(input.Attributes, elbtypes.TargetGroupAttribute{Key: &key, Value: &value})
	}
	_, err := run.elb.ModifyTargetGroupAttributes(ctx, input)
	return failed(err, "changing the attributes of target group %s", c.Name)
}

// tagTargetGroup corrects a target group's tags.
type tagTargetGroup struct {
	ARN, Name string
	Tags      map[string]string
}

func (c tagTargetGroup) do(ctx context.Context, run *session) error {
	return run.tagELB(ctx, c.ARN, "target group "+c.Name, c.Tags)
}

// deleteTargetGroup deletes a target group. ELB may take a moment to see that
// the listener that used it is gone.
type deleteTargetGroup struct{ ARN, Name string }

func (c deleteTargetGroup) do(ctx context.Context, run *session) error {
	err := run.persist(ctx, "its listener to go", []string{"ResourceInUse"}, func() error {
		_, err := run.elb.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: &c.ARN})
		return err
	})
	if hasCode(err, "TargetGroupNotFound") {
		return nil
	}
	return failed(err, "deleting target group %s", c.Name)
}

// createBalancer makes the load balancer, in our security group from birth:
// one that is made without a group can't be given any.
type createBalancer struct{ Balancer balancer }

func (c createBalancer) do(ctx context.Context, run *session) error {
	b := c.Balancer
	out, err := run.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: &b.Name, Type: elbtypes.LoadBalancerTypeEnum(b.Type), Scheme: elbtypes.LoadBalancerSchemeEnum(b.Scheme),
		Subnets: subnetIDs(b.Subnets), SecurityGroups: []string{run.group}, Tags: toELBTags(b.Tags),
	})
	if err != nil {
		return failed(err, "creating load balancer %s", b.Name)
	}
	run.balancer = readBalancer(out.LoadBalancers[0])
	return nil
}

// setBalancerAttributes changes attributes of our load balancer.
type setBalancerAttributes struct{ Attributes map[string]string }

func (c setBalancerAttributes) do(ctx context.Context, run *session) error {
	input := &elb.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &run.balancer.ARN}
	for _, key := range slices.Sorted(maps.Keys(c.Attributes)) {
		value := c.Attributes[key]
		input.Attributes = append(input.Attributes, elbtypes.LoadBalancerAttribute{Key: &key, Value: &value})
	}
	_, err := run.elb.ModifyLoadBalancerAttributes(ctx, input)
	return failed(err, "changing the attributes of load balancer %s", run.balancer.Name)
}

// setSubnets moves the load balancer.
type setSubnets struct {
	ARN     string
	Subnets map[string]string
}

func (c setSubnets) do(ctx context.Context, run *session) error {
	_, err := run.elb.SetSubnets(ctx, &elb.SetSubnetsInput{LoadBalancerArn: &c.ARN, Subnets: subnetIDs(c.Subnets)})
	return failed(err, "changing the subnets of load balancer %s", run.balancer.Name)
}

// setGroups puts the load balancer into our security group and no other.
type setGroups struct{ ARN string }

func (c setGroups) do(ctx context.Context, run *session) error {
	_, err := run.elb.SetSecurityGroups(ctx, &elb.SetSecurityGroupsInput{LoadBalancerArn: &c.ARN, SecurityGroups: []string{run.group}})
	return failed(err, "changing the security groups of load balancer %s", run.balancer.Name)
}

// tagBalancer corrects a load balancer's tags.
type tagBalancer struct {
	ARN, Name string
	Tags      map[string]string
}

func (c tagBalancer) do(ctx context.Context, run *session) error {
	return run.tagELB(ctx, c.ARN, "load balancer "+c.Name, c.Tags)
}

func (run *session) tagELB(ctx context.Context, arn, what string, tags map[string]string) error {
	_, err := run.elb.AddTags(ctx, &elb.AddTagsInput{ResourceArns: []string{arn}, Tags: toELBTags(tags)})
	return failed(err, "tagging %s", what)
}

// unprotect takes off the protection that declares a load balancer not to be
// deleted. It precedes only a deletion that somebody has agreed to.
type unprotect struct{ ARN, Name string }

func (c unprotect) do(ctx context.Context, run *session) error {
	key, value := attributeProtection, strconv.FormatBool(false)
	_, err := run.elb.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: &c.ARN, Attributes: []elbtypes.LoadBalancerAttribute{{Key: &key, Value: &value}},
	})
	return failed(err, "taking off the deletion protection of load balancer %s", c.Name)
}

// deleteBalancer deletes a load balancer with its listeners and waits until it
// is gone.
type deleteBalancer struct{ ARN, Name string }

func (c deleteBalancer) do(ctx context.Context, run *session) error {
	_, err := run.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: &c.ARN})
	if err != nil && !hasCode(err, "LoadBalancerNotFound") {
		return failed(err, "deleting load balancer %s", c.Name)
	}
	run.event(run.waiting, "waiting", "for the load balancer to be gone", true)
	waiter := elb.NewLoadBalancersDeletedWaiter(run.elb, func(o *elb.LoadBalancersDeletedWaiterOptions) {
		o.MinDelay, o.MaxDelay = run.tick, 10*run.tick
	})
	err = waiter.Wait(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{c.ARN}}, run.patience)
	return failed(err, "waiting for load balancer %s to be gone", c.Name)
}

// createListener makes a listener of our load balancer.
type createListener struct {
	Port     int32
	Protocol string
	Target   string // name of the target group
}

func (c createListener) do(ctx context.Context, run *session) error {
	_, err := run.elb.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: &run.balancer.ARN, Port: &c.Port, Protocol: elbtypes.ProtocolEnum(c.Protocol), DefaultActions: run.forward(c.Target),
	})
	return failed(err, "creating the listener on port %d of load balancer %s", c.Port, run.balancer.Name)
}

// modifyListener makes a listener forward to a target group.
type modifyListener struct {
	ARN      string
	Port     int32
	Protocol string
	Target   string
}

func (c modifyListener) do(ctx context.Context, run *session) error {
	_, err := run.elb.ModifyListener(ctx, &elb.ModifyListenerInput{
		ListenerArn: &c.ARN, Port: &c.Port, Protocol: elbtypes.ProtocolEnum(c.Protocol), DefaultActions: run.forward(c.Target),
	})
	return failed(err, "changing the listener on port %d of load balancer %s", c.Port, run.balancer.Name)
}

func (run *session) forward(target string) []elbtypes.Action {
	arn := run.targetGroups[target]
	return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &arn}}
}

// deleteListener deletes a listener.
type deleteListener struct {
	ARN  string
	Port int32
}

func (c deleteListener) do(ctx context.Context, run *session) error {
	_, err := run.elb.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: &c.ARN})
	if hasCode(err, "ListenerNotFound") {
		return nil
	}
	return failed(err, "deleting the listener on port %d of load balancer %s", c.Port, run.balancer.Name)
}

func toELBTags(tags map[string]string) []elbtypes.Tag {
	var out []elbtypes.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		value := tags[key]
		out = append(out, elbtypes.Tag{Key: &key, Value: &value})
	}
	return out
}
