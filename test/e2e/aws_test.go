//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
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
	types3 "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// endpoint is the URL of the sandbox's AWS.
func (s *site) endpoint() string {
	s.t.Helper()
	for _, pair := range s.sandboxEnv() {
		if value, ok := strings.CutPrefix(pair, "AWS_ENDPOINT_URL="); ok {
			return value
		}
	}
	s.t.Fatal("the sandbox's environment has no AWS_ENDPOINT_URL")
	return ""
}

// policyIsEnough compares docs/iam-policy.json with the operations that the
// sandbox's AWS was asked for in a cluster's life. S3 and Route 53 name none in
// their requests and are left out.
func policyIsEnough(t *testing.T, s *site) {
	var policy struct {
		Statement []struct{ Action json.RawMessage }
	}
	data, err := os.ReadFile(filepath.Join(project(t), "docs", "iam-policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &policy); err != nil {
		t.Fatal(err)
	}
	var allowed []string
	for _, statement := range policy.Statement {
		var many []string
		if json.Unmarshal(statement.Action, &many) != nil {
			many = make([]string, 1)
			if err := json.Unmarshal(statement.Action, &many[0]); err != nil {
				t.Fatal(err)
			}
		}
		allowed = append(allowed, many...)
	}
	response, err := http.Get(s.endpoint() + "/sandbox/requests")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	asked := map[string]int{}
	if err := json.NewDecoder(response.Body).Decode(&asked); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for action := range asked {
		service, operation, _ := strings.Cut(action, ":")
		if service == "s3" || service == "route53" || operation == strings.ToUpper(operation) {
			continue
		}
		checked++
		ok := false
		for _, pattern := range allowed {
			if match, _ := path.Match(pattern, action); match {
				ok = true
			}
		}
		if !ok {
			t.Errorf("docs/iam-policy.json doesn't allow %s, asked for %d times", action, asked[action])
		}
	}
	if checked < 20 {
		t.Errorf("only %d operations were seen: %v", checked, asked)
	}
}

// resources lists everything in the sandbox's AWS that an account doesn't have
// from the start, by the ordinary SDK.
func resources(t *testing.T, s *site) []string {
	t.Helper()
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion("eu-central-1"), config.WithBaseEndpoint(s.endpoint()),
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
		// What was known of a cluster outlives it.
		objects.Contents = slices.DeleteFunc(objects.Contents, func(o types3.Object) bool {
			return strings.HasPrefix(aws.ToString(o.Key), "platform/drift/")
		})
		if n := len(objects.Contents); n > 0 {
			out = append(out, fmt.Sprintf("%d objects in bucket %s, such as %s", n, aws.ToString(b.Name), aws.ToString(objects.Contents[0].Key)))
		}
	}
	return out
}
