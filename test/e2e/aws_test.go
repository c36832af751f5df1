//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// resources lists everything in the sandbox's AWS that an account doesn't have
// from the start, by the ordinary SDK.
func resources(t *testing.T, s *site) []string {
	t.Helper()
	ctx := context.Background()
	var endpoint string
	for _, pair := range s.sandboxEnv() {
		if value, ok := strings.CutPrefix(pair, "AWS_ENDPOINT_URL="); ok {
			endpoint = value
		}
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion("eu-central-1"), config.WithBaseEndpoint(endpoint),
		config.WithSharedConfigFiles([]string{os.DevNull}), config.WithSharedCredentialsFiles([]string{os.DevNull}),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("sandbox", "sandbox", "")))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	add := func(kind string, name *string) { out = append(out, kind+" "+aws.ToString(name)) }
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	compute := ec2.NewFromConfig(cfg)
	vpcs, err := compute.DescribeVpcs(ctx, nil)
	check(err)
	for _, v := range vpcs.Vpcs {
		if !aws.ToBool(v.IsDefault) {
			add("VPC", v.VpcId)
		}
	}
	instances, err := compute.DescribeInstances(ctx, nil)
	check(err)
	for _, r := range instances.Reservations {
		for _, i := range r.Instances {
			if i.State.Name != types.InstanceStateNameTerminated {
				add("instance", i.InstanceId)
			}
		}
	}
	volumes, err := compute.DescribeVolumes(ctx, nil)
	check(err)
	for _, v := range volumes.Volumes {
		add("volume", v.VolumeId)
	}
	groups, err := compute.DescribeSecurityGroups(ctx, nil)
	check(err)
	for _, g := range groups.SecurityGroups {
		if aws.ToString(g.GroupName) != "default" {
			add("security group", g.GroupName)
		}
	}
	templates, err := compute.DescribeLaunchTemplates(ctx, nil)
	check(err)
	for _, l := range templates.LaunchTemplates {
		add("launch template", l.LaunchTemplateName)
	}
	addresses, err := compute.DescribeAddresses(ctx, nil)
	check(err)
	for _, a := range addresses.Addresses {
		add("elastic IP", a.AllocationId)
	}
	gateways, err := compute.DescribeNatGateways(ctx, nil)
	check(err)
	for _, g := range gateways.NatGateways {
		if g.State != types.NatGatewayStateDeleted {
			add("NAT gateway", g.NatGatewayId)
		}
	}
	interfaces, err := compute.DescribeNetworkInterfaces(ctx, nil)
	check(err)
	for _, i := range interfaces.NetworkInterfaces {
		add("network interface", i.NetworkInterfaceId)
	}

	scaling, err := autoscaling.NewFromConfig(cfg).DescribeAutoScalingGroups(ctx, nil)
	check(err)
	for _, g := range scaling.AutoScalingGroups {
		add("Auto Scaling group", g.AutoScalingGroupName)
	}
	balancing := elbv2.NewFromConfig(cfg)
	balancers, err := balancing.DescribeLoadBalancers(ctx, nil)
	check(err)
	for _, b := range balancers.LoadBalancers {
		add("load balancer", b.LoadBalancerName)
	}
	targets, err := balancing.DescribeTargetGroups(ctx, nil)
	check(err)
	for _, g := range targets.TargetGroups {
		add("target group", g.TargetGroupName)
	}

	dns := route53.NewFromConfig(cfg)
	zones, err := dns.ListHostedZones(ctx, nil)
	check(err)
	for _, z := range zones.HostedZones {
		records, err := dns.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: z.Id})
		check(err)
		for _, r := range records.ResourceRecordSets {
			if r.Type != "NS" && r.Type != "SOA" {
				add("record", r.Name)
			}
		}
	}
	identity := iam.NewFromConfig(cfg)
	roles, err := identity.ListRoles(ctx, nil)
	check(err)
	for _, r := range roles.Roles {
		add("role", r.RoleName)
	}
	profiles, err := identity.ListInstanceProfiles(ctx, nil)
	check(err)
	for _, p := range profiles.InstanceProfiles {
		add("instance profile", p.InstanceProfileName)
	}
	providers, err := identity.ListOpenIDConnectProviders(ctx, nil)
	check(err)
	for _, p := range providers.OpenIDConnectProviderList {
		add("OIDC provider", p.Arn)
	}
	rules, err := eventbridge.NewFromConfig(cfg).ListRules(ctx, &eventbridge.ListRulesInput{})
	check(err)
	for _, r := range rules.Rules {
		add("rule", r.Name)
	}
	queues, err := sqs.NewFromConfig(cfg).ListQueues(ctx, &sqs.ListQueuesInput{})
	check(err)
	for _, q := range queues.QueueUrls {
		add("queue", &q)
	}
	storage := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	buckets, err := storage.ListBuckets(ctx, nil)
	check(err)
	for _, b := range buckets.Buckets {
		objects, err := storage.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b.Name})
		check(err)
		if n := len(objects.Contents); n > 0 {
			out = append(out, fmt.Sprintf("%d objects in bucket %s, such as %s", n, aws.ToString(b.Name), aws.ToString(objects.Contents[0].Key)))
		}
	}
	return out
}
