package aws

import (
	"context"
	"slices"
	"sync"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"golang.org/x/sync/errgroup"
)

// observeBalancers lists the region's load balancers: there is no other way to
// find one by its tags. Only of ours it reads more.
func (l *Layer) observeBalancers(ctx context.Context, s *state) error {
	pages := elb.NewDescribeLoadBalancersPaginator(l.elb, &elb.DescribeLoadBalancersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed(err, "listing the load balancers")
		}
		for _, b := range page.LoadBalancers {
			s.balancers = append(s.balancers, readBalancer(b))
		}
	}
	arns := make([]string, len(s.balancers))
	for i, b := range s.balancers {
		arns[i] = b.ARN
	}
	tags, err := l.elbTags(ctx, arns)
	if err != nil {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(readLimit)
	for i := range s.balancers {
		b := &s.balancers[i]
		b.Tags = tags[b.ARN]
		if ours(b.Tags, l.spec.Cluster) {
			work.Go(func() error { return l.readAttributes(ctx, b) })
			work.Go(func() error { return l.readListeners(ctx, b) })
		}
	}
	return work.Wait()
}

func readBalancer(b elbtypes.LoadBalancer) balancer {
	found := balancer{
		ARN: awssdk.ToString(b.LoadBalancerArn), Name: awssdk.ToString(b.LoadBalancerName), Type: string(b.Type), Scheme: string(b.Scheme),
		VPC: awssdk.ToString(b.VpcId), DNSName: awssdk.ToString(b.DNSName), Zone: awssdk.ToString(b.CanonicalHostedZoneId),
		Subnets: map[string]string{}, Groups: slices.Sorted(slices.Values(b.SecurityGroups)),
	}
	if b.State != nil {
		found.State, found.StateReason = string(b.State.Code), awssdk.ToString(b.State.Reason)
	}
	for _, z := range b.AvailabilityZones {
		found.Subnets[awssdk.ToString(z.ZoneName)] = awssdk.ToString(z.SubnetId)
	}
	return found
}

func (l *Layer) readAttributes(ctx context.Context, b *balancer) error {
	out, err := l.elb.DescribeLoadBalancerAttributes(ctx, &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &b.ARN})
	if err != nil {
		return failed(err, "reading the attributes of load balancer %s", b.Name)
	}
	b.Attributes = map[string]string{}
	for _, a := range out.Attributes {
		b.Attributes[awssdk.ToString(a.Key)] = awssdk.ToString(a.Value)
	}
	return nil
}

func (l *Layer) readListeners(ctx context.Context, b *balancer) error {
	pages := elb.NewDescribeListenersPaginator(l.elb, &elb.DescribeListenersInput{LoadBalancerArn: &b.ARN})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed(err, "listing the listeners of load balancer %s", b.Name)
		}
		for _, found := range page.Listeners {
			b.Listeners = append(b.Listeners, listener{
				ARN: awssdk.ToString(found.ListenerArn), Port: awssdk.ToInt32(found.Port), Protocol: string(found.Protocol),
				TargetGroup: forwardsTo(found.DefaultActions),
			})
		}
	}
	return nil
}

// forwardsTo is the one target group that a listener's actions forward to.
func forwardsTo(actions []elbtypes.Action) string {
	if len(actions) != 1 || actions[0].Type != elbtypes.ActionTypeEnumForward {
		return ""
	}
	if forward := actions[0].ForwardConfig; forward != nil && len(forward.TargetGroups) != 0 {
		if len(forward.TargetGroups) > 1 {
			return ""
		}
		return awssdk.ToString(forward.TargetGroups[0].TargetGroupArn)
	}
	return awssdk.ToString(actions[0].TargetGroupArn)
}

// observeTargetGroups lists the region's target groups, whatever their VPC: a
// group outlives the VPC that it was made for.
func (l *Layer) observeTargetGroups(ctx context.Context, s *state) error {
	pages := elb.NewDescribeTargetGroupsPaginator(l.elb, &elb.DescribeTargetGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed(err, "listing the target groups")
		}
		for _, t := range page.TargetGroups {
			s.targetGroups = append(s.targetGroups, readTargetGroup(t))
		}
	}
	arns := make([]string, len(s.targetGroups))
	for i, t := range s.targetGroups {
		arns[i] = t.ARN
	}
	tags, err := l.elbTags(ctx, arns)
	if err != nil {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(readLimit)
	for i := range s.targetGroups {
		t := &s.targetGroups[i]
		t.Tags = tags[t.ARN]
		if !ours(t.Tags, l.spec.Cluster) {
			continue
		}
		work.Go(func() error {
			out, err := l.elb.DescribeTargetGroupAttributes(ctx, &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: &t.ARN})
			if err != nil {
				return failed(err, "reading the attributes of target group %s", t.Name)
			}
			t.Attributes = map[string]string{}
			for _, a := range out.Attributes {
				t.Attributes[awssdk.ToString(a.Key)] = awssdk.ToString(a.Value)
			}
			return nil
		})
	}
	return work.Wait()
}

func readTargetGroup(t elbtypes.TargetGroup) targetGroup {
	found := targetGroup{
		ARN: awssdk.ToString(t.TargetGroupArn), Name: awssdk.ToString(t.TargetGroupName), VPC: awssdk.ToString(t.VpcId),
		Protocol: string(t.Protocol), Port: awssdk.ToInt32(t.Port), TargetType: string(t.TargetType),
		Check: check{
			Protocol: string(t.HealthCheckProtocol), Port: awssdk.ToString(t.HealthCheckPort),
			Interval: awssdk.ToInt32(t.HealthCheckIntervalSeconds), Timeout: awssdk.ToInt32(t.HealthCheckTimeoutSeconds),
			Healthy: awssdk.ToInt32(t.HealthyThresholdCount), Unhealthy: awssdk.ToInt32(t.UnhealthyThresholdCount),
		},
	}
	// What a TCP check may have kept from its time as an HTTP check is of no
	// effect.
	if t.HealthCheckProtocol == elbtypes.ProtocolEnumHttp || t.HealthCheckProtocol == elbtypes.ProtocolEnumHttps {
		found.Check.Path = awssdk.ToString(t.HealthCheckPath)
		if t.Matcher != nil {
			found.Check.Matcher = awssdk.ToString(t.Matcher.HttpCode)
		}
	}
	return found
}

// tagsPerCall is how many resources DescribeTags takes.
const tagsPerCall = 20

// elbTags reads tags by ARN.
func (l *Layer) elbTags(ctx context.Context, arns []string) (map[string]map[string]string, error) {
	tags := make(map[string]map[string]string, len(arns))
	var mu sync.Mutex
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(readLimit)
	for chunk := range slices.Chunk(arns, tagsPerCall) {
		work.Go(func() error {
			described, err := l.describeTags(ctx, chunk)
			if err != nil {
				return failed(err, "reading the tags of load balancers and target groups")
			}
			mu.Lock()
			defer mu.Unlock()
			for _, d := range described {
				found := make(map[string]string, len(d.Tags))
				for _, t := range d.Tags {
					found[awssdk.ToString(t.Key)] = awssdk.ToString(t.Value)
				}
				tags[awssdk.ToString(d.ResourceArn)] = found
			}
			return nil
		})
	}
	return tags, work.Wait()
}

// describeTags reads the tags of those that exist. One that somebody deletes
// meanwhile fails the call for all of them, so they are asked for one by one.
func (l *Layer) describeTags(ctx context.Context, arns []string) ([]elbtypes.TagDescription, error) {
	out, err := l.elb.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: arns})
	if err == nil {
		return out.TagDescriptions, nil
	}
	if !hasCode(err, "LoadBalancerNotFound", "TargetGroupNotFound") {
		return nil, err
	}
	if len(arns) == 1 {
		return nil, nil
	}
	var all []elbtypes.TagDescription
	for i := range arns {
		found, err := l.describeTags(ctx, arns[i:i+1])
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}
