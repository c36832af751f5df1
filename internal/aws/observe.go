package aws

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"golang.org/x/sync/errgroup"
)

// readLimit bounds the reads under way at once: enough to hide their latency,
// few enough not to be throttled.
const readLimit = 6

// observe reads everything that a plan needs.
func (l *Layer) observe(ctx context.Context) (*state, error) {
	s := &state{}
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return l.observeNetwork(ctx, s) })
	work.Go(func() error { return l.observeBalancers(ctx, s) })
	work.Go(func() error { return l.observeTargetGroups(ctx, s) })
	work.Go(func() error { return l.observeZones(ctx, s) })
	if err := work.Wait(); err != nil {
		return nil, err
	}
	s.sort()
	return s, nil
}

// observeNetwork reads the VPC and, once there is one, what is in it.
func (l *Layer) observeNetwork(ctx context.Context, s *state) error {
	var err error
	if s.vpc, err = l.findVPC(ctx); err != nil || s.vpc == "" {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return l.observeSubnets(ctx, s) })
	work.Go(func() error { return l.observeGroups(ctx, s) })
	return work.Wait()
}

// findVPC finds the VPC as kops does, by either of its tags. A VPC that the
// cluster shares with others isn't tagged by kops, but the subnets in it are.
func (l *Layer) findVPC(ctx context.Context) (string, error) {
	found := map[string]bool{}
	for _, f := range []ec2types.Filter{
		ec2Filter("tag-key", clusterTag(l.spec.Cluster)),
		ec2Filter("tag:KubernetesCluster", l.spec.Cluster),
	} {
		pages := ec2.NewDescribeVpcsPaginator(l.ec2, &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{f}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return "", failed(err, "looking for the VPC of cluster %s", l.spec.Cluster)
			}
			for _, vpc := range page.Vpcs {
				found[awssdk.ToString(vpc.VpcId)] = true
			}
		}
	}
	if len(found) == 0 {
		subnets, err := l.describeSubnets(ctx, ec2Filter("tag-key", clusterTag(l.spec.Cluster)))
		if err != nil {
			return "", err
		}
		for _, sub := range subnets {
			found[awssdk.ToString(sub.VpcId)] = true
		}
	}
	ids := slices.Sorted(maps.Keys(found))
	switch len(ids) {
	case 0:
		return "", nil
	case 1:
		return ids[0], nil
	}
	return "", &DuplicateError{Kind: "VPCs", Cluster: l.spec.Cluster, IDs: ids}
}

func clusterTag(cluster string) string { return "kubernetes.io/cluster/" + cluster }

func (l *Layer) describeSubnets(ctx context.Context, filters ...ec2types.Filter) ([]ec2types.Subnet, error) {
	var out []ec2types.Subnet
	pages := ec2.NewDescribeSubnetsPaginator(l.ec2, &ec2.DescribeSubnetsInput{Filters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "listing the subnets of cluster %s", l.spec.Cluster)
		}
		out = append(out, page.Subnets...)
	}
	return out, nil
}

func (l *Layer) observeSubnets(ctx context.Context, s *state) error {
	subnets, err := l.describeSubnets(ctx, ec2Filter("vpc-id", s.vpc), ec2Filter("tag-key", clusterTag(l.spec.Cluster)))
	if err != nil {
		return err
	}
	for _, sub := range subnets {
		s.subnets = append(s.subnets, subnet{
			ID: awssdk.ToString(sub.SubnetId), Zone: awssdk.ToString(sub.AvailabilityZone), Tags: ec2Tags(sub.Tags),
		})
	}
	return nil
}

// observeGroups reads the VPC's security groups, and the rules of those that
// matter: ours, the nodes', and any that refers to ours.
func (l *Layer) observeGroups(ctx context.Context, s *state) error {
	pages := ec2.NewDescribeSecurityGroupsPaginator(l.ec2, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{ec2Filter("vpc-id", s.vpc)}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failed(err, "listing the security groups of %s", s.vpc)
		}
		for _, g := range page.SecurityGroups {
			found := group{ID: awssdk.ToString(g.GroupId), Name: awssdk.ToString(g.GroupName), Tags: ec2Tags(g.Tags)}
			for _, p := range slices.Concat(g.IpPermissions, g.IpPermissionsEgress) {
				for _, pair := range p.UserIdGroupPairs {
					found.Refers = append(found.Refers, awssdk.ToString(pair.GroupId))
				}
			}
			s.groups = append(s.groups, found)
		}
	}
	var ourIDs []string
	for _, g := range s.ourGroups(l.spec.Cluster) {
		ourIDs = append(ourIDs, g.ID)
	}
	index := map[string]int{}
	for i, g := range s.groups {
		refers := slices.ContainsFunc(g.Refers, func(id string) bool { return slices.Contains(ourIDs, id) })
		if refers || slices.Contains(ourIDs, g.ID) || g.Name == nodesGroupName(l.spec.Cluster) {
			index[g.ID] = i
		}
	}
	if len(index) == 0 {
		return nil
	}
	rules := ec2.NewDescribeSecurityGroupRulesPaginator(l.ec2, &ec2.DescribeSecurityGroupRulesInput{
		Filters: []ec2types.Filter{ec2Filter("group-id", slices.Sorted(maps.Keys(index))...)},
	})
	for rules.HasMorePages() {
		page, err := rules.NextPage(ctx)
		if err != nil {
			return failed(err, "listing security group rules")
		}
		for _, r := range page.SecurityGroupRules {
			i, ok := index[awssdk.ToString(r.GroupId)]
			if !ok {
				continue
			}
			s.groups[i].Rules = append(s.groups[i].Rules, readRule(r))
		}
	}
	return nil
}

func readRule(r ec2types.SecurityGroupRule) rule {
	found := rule{
		ID: awssdk.ToString(r.SecurityGroupRuleId), Egress: awssdk.ToBool(r.IsEgress), Protocol: awssdk.ToString(r.IpProtocol),
		From: awssdk.ToInt32(r.FromPort), To: awssdk.ToInt32(r.ToPort), Description: awssdk.ToString(r.Description), Tags: ec2Tags(r.Tags),
	}
	switch {
	case r.CidrIpv4 != nil:
		found.Peer = *r.CidrIpv4
	case r.CidrIpv6 != nil:
		found.Peer = *r.CidrIpv6
	case r.ReferencedGroupInfo != nil:
		found.Peer = awssdk.ToString(r.ReferencedGroupInfo.GroupId)
	default:
		found.Peer = awssdk.ToString(r.PrefixListId)
	}
	return found
}

func ec2Filter(name string, values ...string) ec2types.Filter {
	return ec2types.Filter{Name: &name, Values: values}
}

func ec2Tags(tags []ec2types.Tag) map[string]string {
	out := make(map[string]string, len(tags))
	for _, t := range tags {
		out[awssdk.ToString(t.Key)] = awssdk.ToString(t.Value)
	}
	return out
}

// observeZones reads the hosted zones of the spec's name and the records in
// them that matter.
func (l *Layer) observeZones(ctx context.Context, s *state) error {
	zones, err := l.findZones(ctx)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	work, ctx := errgroup.WithContext(ctx)
	for _, z := range zones {
		work.Go(func() error {
			var err error
			if z.Records, err = l.observeRecords(ctx, z); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			s.zones = append(s.zones, z)
			return nil
		})
	}
	return work.Wait()
}

func (l *Layer) findZones(ctx context.Context) ([]zone, error) {
	var zones []zone
	input := &route53.ListHostedZonesByNameInput{DNSName: &l.spec.HostedZone}
	for {
		// The list begins with the name asked for and goes on with others.
		page, err := l.route53.ListHostedZonesByName(ctx, input)
		if err != nil {
			return nil, failed(err, "looking for the hosted zone %s", l.spec.HostedZone)
		}
		for _, z := range page.HostedZones {
			if canonicalName(awssdk.ToString(z.Name)) != l.spec.HostedZone {
				return zones, nil
			}
			zones = append(zones, zone{
				ID: strings.TrimPrefix(awssdk.ToString(z.Id), "/hostedzone/"), Name: l.spec.HostedZone, Private: z.Config != nil && z.Config.PrivateZone,
			})
		}
		if !page.IsTruncated {
			return zones, nil
		}
		input.DNSName, input.HostedZoneId = page.NextDNSName, page.NextHostedZoneId
	}
}

// observeRecords reads a whole zone: a wildcard that git has given another
// name can be anywhere in it.
func (l *Layer) observeRecords(ctx context.Context, z zone) ([]record, error) {
	all, err := l.allRecords(ctx, z)
	if err != nil {
		return nil, err
	}
	whole := zone{Records: all}
	names := map[string]bool{l.spec.Wildcard: true, markName(l.spec.Wildcard): true}
	for _, name := range whole.marked(l.spec.Cluster) {
		names[name], names[markName(name)] = true, true
	}
	return filter(all, func(r record) bool { return names[r.Name] }), nil
}

func (l *Layer) allRecords(ctx context.Context, z zone) ([]record, error) {
	var all []record
	pages := route53.NewListResourceRecordSetsPaginator(l.route53, &route53.ListResourceRecordSetsInput{HostedZoneId: &z.ID})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "listing the records of hosted zone %s (%s)", z.Name, z.ID)
		}
		for _, r := range page.ResourceRecordSets {
			all = append(all, readRecord(r))
		}
	}
	return all, nil
}

func readRecord(r r53types.ResourceRecordSet) record {
	found := record{
		Name: canonicalName(awssdk.ToString(r.Name)), Type: string(r.Type), Policy: awssdk.ToString(r.SetIdentifier), TTL: awssdk.ToInt64(r.TTL),
	}
	for _, v := range r.ResourceRecords {
		found.Values = append(found.Values, awssdk.ToString(v.Value))
	}
	if a := r.AliasTarget; a != nil {
		found.Alias = &alias{Name: canonicalName(awssdk.ToString(a.DNSName)), Zone: awssdk.ToString(a.HostedZoneId), Evaluate: a.EvaluateTargetHealth}
	}
	return found
}
