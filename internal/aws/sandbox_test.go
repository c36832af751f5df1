package aws

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// The tests in e2e_test.go talk to the sandbox's AWS
// over HTTP by the ordinary SDK. One server serves them all; each test has a
// cluster of its own, so that they can run side by side, and see what the
// others have made as what isn't theirs.

const (
	testRegion = "eu-central-1"
	testDomain = "example.net"
)

var testZones = []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"}

var server struct {
	once sync.Once
	url  string
	err  error
	stop func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if server.stop != nil {
		server.stop()
	}
	os.Exit(code)
}

// sandboxAWS starts the sandbox's AWS, once, and gives its URL.
func sandboxAWS(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("talks to the sandbox's AWS")
	}
	server.once.Do(func() { server.err = startServer() })
	if server.err != nil {
		t.Fatal(server.err)
	}
	return server.url
}

var serving = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

func startServer() error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	python := filepath.Join(root, ".sandbox/venv/bin/python")
	if _, err := os.Stat(python); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s isn't there: run make sandbox", python)
	}
	cmd := exec.Command(python, filepath.Join(root, "sandbox/aws/server.py"), "--port", "0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the sandbox's AWS: %w", err)
	}
	server.stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if server.url = serving.FindString(line); server.url == "" {
		return fmt.Errorf("the sandbox's AWS didn't start: %q, %v: run make sandbox", line, err)
	}
	cfg := sdkConfig(server.url)
	_, err = route53.NewFromConfig(cfg).CreateHostedZone(context.Background(), &route53.CreateHostedZoneInput{
		Name: ptr(testDomain), CallerReference: ptr("bootstrap"),
	})
	return err
}

func sdkConfig(url string) awssdk.Config {
	return awssdk.Config{
		Region: testRegion, BaseEndpoint: &url,
		Credentials: awssdk.CredentialsProviderFunc(func(context.Context) (awssdk.Credentials, error) {
			return awssdk.Credentials{AccessKeyID: "sandbox", SecretAccessKey: "sandbox"}, nil
		}),
	}
}

func ptr[T any](v T) *T { return &v }

// account is one test's view of the sandbox's AWS.
type account struct {
	t    *testing.T
	url  string
	spec Spec
	clients
	vpc string
	// private are the subnets for internal load balancers, utility those for
	// public ones, in the order of testZones.
	private, utility []string
	nodes            string // ID of kops' security group of the nodes
	zone             string // ID of the hosted zone
}

var clusterCount atomic.Int32

// newAccount gives a test a cluster name of its own, and nothing else yet.
func newAccount(t *testing.T) *account {
	url := sandboxAWS(t)
	n := clusterCount.Add(1)
	cluster := fmt.Sprintf("t%d.%s", n, testDomain)
	a := &account{t: t, url: url, clients: newClients(sdkConfig(url)), spec: Spec{
		Region: testRegion, Cluster: cluster, HostedZone: testDomain, Wildcard: "*.k." + cluster,
		Ingress: Ingress{
			Name: fmt.Sprintf("t%d-example-net-ingress", n), Scheme: schemeInternal,
			Listeners: map[string]Listener{
				"http":  {Port: 80, NodePort: 30080, HealthCheckPath: "/nginx-health"},
				"https": {Port: 443, NodePort: 30443},
			},
			Access: []string{"10.0.0.0/8", "fd00::/8"},
		},
	}}
	zones, err := a.route53.ListHostedZonesByName(t.Context(), &route53.ListHostedZonesByNameInput{DNSName: ptr(testDomain)})
	a.must(err)
	a.zone = strings.TrimPrefix(*zones.HostedZones[0].Id, "/hostedzone/")
	return a
}

// newCluster also makes what kops makes, tagged as kops tags it.
func newCluster(t *testing.T) *account {
	a := newAccount(t)
	a.makeNetwork()
	return a
}

func (a *account) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// ctx outlives the test's, for cleaning up.
func (a *account) ctx() context.Context { return context.WithoutCancel(a.t.Context()) }

func kopsTags(kind ec2types.ResourceType, cluster, name string, more ...string) []ec2types.TagSpecification {
	tags := []ec2types.Tag{
		{Key: ptr("Name"), Value: &name}, {Key: ptr("KubernetesCluster"), Value: &cluster},
		{Key: ptr("kubernetes.io/cluster/" + cluster), Value: ptr("owned")},
	}
	for i := 0; i < len(more); i += 2 {
		tags = append(tags, ec2types.Tag{Key: &more[i], Value: &more[i+1]})
	}
	return []ec2types.TagSpecification{{ResourceType: kind, Tags: tags}}
}

func (a *account) makeNetwork() {
	cluster := a.spec.Cluster
	vpc, err := a.ec2.CreateVpc(a.ctx(), &ec2.CreateVpcInput{CidrBlock: ptr("10.20.0.0/16"), TagSpecifications: kopsTags("vpc", cluster, cluster)})
	a.must(err)
	a.vpc = *vpc.Vpc.VpcId
	for i, zone := range testZones {
		a.private = append(a.private, a.makeSubnet(zone, i, zone, "kubernetes.io/role/internal-elb"))
		a.utility = append(a.utility, a.makeSubnet(zone, i+100, "utility-"+zone, "kubernetes.io/role/elb"))
	}
	for _, name := range []string{"masters." + cluster, nodesGroupName(cluster)} {
		g, err := a.ec2.CreateSecurityGroup(a.ctx(), &ec2.CreateSecurityGroupInput{
			GroupName: &name, Description: ptr("Security group"), VpcId: &a.vpc, TagSpecifications: kopsTags("security-group", cluster, name),
		})
		a.must(err)
		a.nodes = *g.GroupId
	}
	_, err = a.ec2.AuthorizeSecurityGroupIngress(a.ctx(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &a.nodes, IpPermissions: []ec2types.IpPermission{
		{IpProtocol: ptr("-1"), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: &a.nodes}}},
		{IpProtocol: ptr("tcp"), FromPort: ptr(int32(22)), ToPort: ptr(int32(22)), IpRanges: []ec2types.IpRange{{CidrIp: ptr("10.0.0.0/8")}}},
	}})
	a.must(err)
}

func (a *account) makeSubnet(zone string, number int, name, role string) string {
	sub, err := a.ec2.CreateSubnet(a.ctx(), &ec2.CreateSubnetInput{
		VpcId: &a.vpc, AvailabilityZone: &zone, CidrBlock: ptr(fmt.Sprintf("10.20.%d.0/24", number)),
		TagSpecifications: kopsTags("subnet", a.spec.Cluster, name+"."+a.spec.Cluster, role, "1"),
	})
	a.must(err)
	return *sub.Subnet.SubnetId
}

// addNodes starts machines in the private subnets and registers them with the
// target groups, as kops' Auto Scaling groups do.
func (a *account) addNodes(count int, groups map[string]string) []string {
	var ids []string
	for i := range count {
		out, err := a.ec2.RunInstances(a.ctx(), &ec2.RunInstancesInput{
			ImageId: ptr("ami-03cf127a"), MinCount: ptr(int32(1)), MaxCount: ptr(int32(1)), SubnetId: &a.private[i%len(a.private)],
		})
		a.must(err)
		ids = append(ids, *out.Instances[0].InstanceId)
	}
	for _, arn := range groups {
		input := &elb.RegisterTargetsInput{TargetGroupArn: &arn}
		for _, id := range ids {
			input.Targets = append(input.Targets, elbtypes.TargetDescription{Id: &id})
		}
		_, err := a.elb.RegisterTargets(a.ctx(), input)
		a.must(err)
	}
	return ids
}

func (a *account) changeRecord(action r53types.ChangeAction, set *r53types.ResourceRecordSet) {
	a.t.Helper()
	_, err := a.route53.ChangeResourceRecordSets(a.ctx(), &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &a.zone, ChangeBatch: &r53types.ChangeBatch{Changes: []r53types.Change{{Action: action, ResourceRecordSet: set}}},
	})
	a.must(err)
}

// layer makes a layer that waits no longer than tests should. Options change
// the SDK's configuration.
func (a *account) layer(options ...func(*awssdk.Config)) *Layer {
	cfg := sdkConfig(a.url)
	for _, option := range options {
		option(&cfg)
	}
	l := New(cfg, a.spec, nil)
	l.patience, l.tick = 20*time.Second, 10*time.Millisecond
	return l
}

// inventory lists everything of the cluster that the sandbox's AWS has,
// whatever it is tagged with.
func (a *account) inventory() []string {
	a.t.Helper()
	out := []string{}
	groups, err := a.ec2.DescribeSecurityGroups(a.ctx(), &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{ec2Filter("vpc-id", a.vpc)}})
	a.must(err)
	for _, g := range groups.SecurityGroups {
		rules, err := a.ec2.DescribeSecurityGroupRules(a.ctx(), &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{ec2Filter("group-id", *g.GroupId)}})
		a.must(err)
		for _, r := range rules.SecurityGroupRules {
			found := readRule(r)
			for _, other := range groups.SecurityGroups {
				if *other.GroupId == found.Peer {
					found.Peer = *other.GroupName
				}
			}
			out = append(out, fmt.Sprintf("rule %s: %s", *g.GroupName, found.key()))
		}
		if *g.GroupName != "default" {
			out = append(out, "group "+*g.GroupName)
		}
	}
	balancers, err := a.elb.DescribeLoadBalancers(a.ctx(), &elb.DescribeLoadBalancersInput{})
	a.must(err)
	for _, b := range balancers.LoadBalancers {
		if *b.VpcId != a.vpc {
			continue
		}
		out = append(out, "balancer "+*b.LoadBalancerName)
		listeners, err := a.elb.DescribeListeners(a.ctx(), &elb.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn})
		a.must(err)
		for _, l := range listeners.Listeners {
			out = append(out, fmt.Sprintf("listener %d", *l.Port))
		}
	}
	targets, err := a.elb.DescribeTargetGroups(a.ctx(), &elb.DescribeTargetGroupsInput{})
	a.must(err)
	for _, g := range targets.TargetGroups {
		if *g.VpcId == a.vpc {
			out = append(out, fmt.Sprintf("target group %d", *g.Port))
		}
	}
	records, err := a.route53.ListResourceRecordSets(a.ctx(), &route53.ListResourceRecordSetsInput{HostedZoneId: &a.zone})
	a.must(err)
	for _, r := range records.ResourceRecordSets {
		if name := canonicalName(*r.Name); strings.HasSuffix(name, "."+a.spec.Cluster) {
			out = append(out, fmt.Sprintf("record %s %s", r.Type, name))
		}
	}
	slices.Sort(out)
	return out
}
