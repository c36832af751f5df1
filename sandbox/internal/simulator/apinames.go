package simulator

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"platform/sandbox/internal/controlplane"
	"platform/sandbox/internal/proxy"
)

// describeTagsMax is how many load balancers one DescribeTags takes.
const describeTagsMax = 20

// apiNames finds the cluster that a load balancer's DNS name belongs to.
type apiNames struct {
	client *elb.Client

	mu    sync.Mutex
	names map[string]string
	read  time.Time
}

func newAPINames(config aws.Config) *apiNames {
	return &apiNames{client: elb.NewFromConfig(config), names: map[string]string{}}
}

// cluster gives the cluster whose API load balancer has a name.
func (a *apiNames) cluster(ctx context.Context, host string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	// A load balancer's name is never given out again, so what was read stays
	// true; only an unknown one is worth another look, and not at every request.
	if name, ok := a.names[host]; ok || time.Since(a.read) < time.Second {
		return name, nil
	}
	names, err := a.list(ctx)
	if err != nil {
		return "", err
	}
	a.names, a.read = names, time.Now()
	return names[host], nil
}

func (a *apiNames) list(ctx context.Context) (map[string]string, error) {
	dns := map[string]string{} // by ARN
	var arns []string
	pages := elb.NewDescribeLoadBalancersPaginator(a.client, &elb.DescribeLoadBalancersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing load balancers: %w", err)
		}
		for _, balancer := range page.LoadBalancers {
			arn := aws.ToString(balancer.LoadBalancerArn)
			dns[arn] = strings.ToLower(aws.ToString(balancer.DNSName))
			arns = append(arns, arn)
		}
	}
	out := map[string]string{}
	for len(arns) > 0 {
		some := arns[:min(len(arns), describeTagsMax)]
		arns = arns[len(some):]
		described, err := a.client.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: some})
		if err != nil {
			return nil, fmt.Errorf("reading the tags of load balancers: %w", err)
		}
		for _, description := range described.TagDescriptions {
			tags := map[string]string{}
			for _, tag := range description.Tags {
				tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
			}
			// kops names the API's so; the cluster's others carry its tag too.
			if name := tags["KubernetesCluster"]; name != "" && tags["Name"] == "api."+name {
				out[dns[aws.ToString(description.ResourceArn)]] = name
			}
		}
	}
	return out, nil
}

var _ proxy.Resolver = (*Simulator)(nil)

// Resolve finds the cluster whose API has a name, and its port on loopback.
func (s *Simulator) Resolve(ctx context.Context, host string) (string, int, error) {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	name, err := s.clusterOf(ctx, host)
	if err != nil {
		return "", 0, err
	}
	if name == "" {
		return "", 0, proxy.ErrUnknownHost
	}
	// As behind a load balancer: only one that passes its health check.
	if !s.o.Supervisor.Ready(controlplane.APIServerProcess(name)) {
		return name, 0, nil
	}
	return name, s.o.Ports.All()[controlplane.APIServerProcess(name)], nil
}

func (s *Simulator) clusterOf(ctx context.Context, host string) (string, error) {
	s.mu.Lock()
	for name := range s.clusters {
		if host == "api."+name || host == "api.internal."+name {
			s.mu.Unlock()
			return name, nil
		}
	}
	s.mu.Unlock()
	return s.apis.cluster(ctx, host)
}
