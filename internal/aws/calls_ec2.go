package aws

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// createGroup makes our security group.
type createGroup struct {
	Name string
	VPC  string
	Tags map[string]string
}

func (c createGroup) do(ctx context.Context, run *session) error {
	description := descriptionOfGroup
	out, err := run.ec2.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		GroupName: &c.Name, Description: &description, VpcId: &c.VPC,
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeSecurityGroup, Tags: toEC2Tags(c.Tags)}},
	})
	if err != nil {
		return failed(err, "creating security group %s", c.Name)
	}
	run.group = *out.GroupId
	// EC2 may need a moment until its other calls know a new group.
	waiter := ec2.NewSecurityGroupExistsWaiter(run.ec2, func(o *ec2.SecurityGroupExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = run.tick, 10*run.tick
	})
	err = waiter.Wait(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{run.group}}, run.patience)
	return failed(err, "waiting for security group %s (%s) to exist", c.Name, run.group)
}

// tagGroup corrects a security group's tags.
type tagGroup struct {
	ID   string
	Tags map[string]string
}

func (c tagGroup) do(ctx context.Context, run *session) error {
	_, err := run.ec2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{c.ID}, Tags: toEC2Tags(c.Tags)})
	return failed(err, "tagging security group %s", c.ID)
}

// allow adds rules to a security group; without an ID it is ours. A rule
// without a peer is for our group's members.
type allow struct {
	Group  string
	Egress bool
	Rules  []rule
}

func (c allow) do(ctx context.Context, run *session) error {
	id := c.Group
	if id == "" {
		id = run.group
	}
	permissions := make([]ec2types.IpPermission, len(c.Rules))
	for i, r := range c.Rules {
		permissions[i] = r.permission(run.group)
	}
	var err error
	if c.Egress {
		_, err = run.ec2.AuthorizeSecurityGroupEgress(ctx, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &id, IpPermissions: permissions})
	} else {
		// The rules of a call are all in one group, so they have the same tags.
		var tags []ec2types.TagSpecification
		if wanted := c.Rules[0].Tags; len(wanted) > 0 {
			tags = []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeSecurityGroupRule, Tags: toEC2Tags(wanted)}}
		}
		_, err = run.ec2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: permissions, TagSpecifications: tags})
	}
	return failed(err, "adding rules to security group %s", id)
}

// permission is the rule as EC2 takes it.
func (r rule) permission(ourGroup string) ec2types.IpPermission {
	p := ec2types.IpPermission{IpProtocol: &r.Protocol, FromPort: &r.From, ToPort: &r.To}
	var description *string
	if r.Description != "" {
		description = &r.Description
	}
	switch {
	case r.Peer == "":
		p.UserIdGroupPairs = []ec2types.UserIdGroupPair{{GroupId: &ourGroup, Description: description}}
	case strings.Contains(r.Peer, ":"):
		p.Ipv6Ranges = []ec2types.Ipv6Range{{CidrIpv6: &r.Peer, Description: description}}
	case strings.Contains(r.Peer, "/"):
		p.IpRanges = []ec2types.IpRange{{CidrIp: &r.Peer, Description: description}}
	default:
		p.UserIdGroupPairs = []ec2types.UserIdGroupPair{{GroupId: &r.Peer, Description: description}}
	}
	return p
}

// revoke takes rules away.
type revoke struct {
	Group  string
	Egress bool
	IDs    []string
}

func (c revoke) do(ctx context.Context, run *session) error {
	var err error
	if c.Egress {
		_, err = run.ec2.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &c.Group, SecurityGroupRuleIds: c.IDs})
	} else {
		_, err = run.ec2.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &c.Group, SecurityGroupRuleIds: c.IDs})
	}
	if hasCode(err, "InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound") {
		return nil
	}
	return failed(err, "removing rules %s from security group %s", strings.Join(c.IDs, ", "), c.Group)
}

// deleteGroup deletes a security group once nothing uses it any more: the
// network interfaces of a load balancer stay for a while after it is gone.
type deleteGroup struct {
	ID, Name string
}

func (c deleteGroup) do(ctx context.Context, run *session) error {
	err := run.persist(ctx, "the load balancer's network interfaces to go", []string{"DependencyViolation"}, func() error {
		_, err := run.ec2.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &c.ID})
		return err
	})
	if hasCode(err, "InvalidGroup.NotFound", "InvalidGroupId.NotFound") {
		return nil
	}
	return failed(err, "deleting security group %s (%s)", c.Name, c.ID)
}

func toEC2Tags(tags map[string]string) []ec2types.Tag {
	var out []ec2types.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		value := tags[key]
		out = append(out, ec2types.Tag{Key: &key, Value: &value})
	}
	return out
}
