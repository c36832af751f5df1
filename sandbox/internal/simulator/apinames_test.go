package simulator

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"platform/sandbox/internal/proxy"
	"platform/sandbox/internal/supervise"
)

const balancers = `<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancers>
<member><LoadBalancerArn>arn:api</LoadBalancerArn><DNSName>API-dev-1.elb.eu-central-1.amazonaws.com</DNSName></member>
<member><LoadBalancerArn>arn:ingress</LoadBalancerArn><DNSName>ingress-1.elb.eu-central-1.amazonaws.com</DNSName></member>
</LoadBalancers></DescribeLoadBalancersResult></DescribeLoadBalancersResponse>`

func tagDescription(arn, name string) string {
	return fmt.Sprintf(`<member><ResourceArn>%s</ResourceArn><Tags><member><Key>Name</Key><Value>%s</Value></member>
<member><Key>KubernetesCluster</Key><Value>dev.example.net</Value></member></Tags></member>`, arn, name)
}

func TestResolve(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		switch r.Form.Get("Action") {
		case "DescribeLoadBalancers":
			fmt.Fprint(w, balancers)
		case "DescribeTags":
			fmt.Fprint(w, `<DescribeTagsResponse><DescribeTagsResult><TagDescriptions>`+
				tagDescription("arn:api", "api.dev.example.net")+tagDescription("arn:ingress", "dev-ingress")+
				`</TagDescriptions></DescribeTagsResult></DescribeTagsResponse>`)
		}
	}))
	defer server.Close()
	config := aws.Config{Region: "eu-central-1", BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", "")}
	s := &Simulator{
		o: Options{Supervisor: supervise.New(t.TempDir(), slog.New(slog.DiscardHandler))}, apis: newAPINames(config),
		clusters: map[string]*cluster{"dev.example.net": nil},
	}
	for host, known := range map[string]bool{
		"api-dev-1.elb.eu-central-1.amazonaws.com": true, "API.dev.example.net.": true, "api.internal.dev.example.net": true,
		"ingress-1.elb.eu-central-1.amazonaws.com": false, "api.web.example.net": false, "dev.example.net": false,
	} {
		name, port, err := s.Resolve(t.Context(), host)
		switch {
		case known && (err != nil || name != "dev.example.net" || port != 0):
			t.Errorf("%s: %s, %d, %v; want dev.example.net, which isn't running", host, name, port, err)
		case !known && !errors.Is(err, proxy.ErrUnknownHost):
			t.Errorf("%s: %s, %v; want it unknown", host, name, err)
		}
	}
}

func TestDeletePrefix(t *testing.T) {
	var body map[string]string
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(data, &body)
		w.WriteHeader(status)
		fmt.Fprint(w, "reason")
	}))
	defer server.Close()
	if err := deletePrefix(t.Context(), server.URL, "/registry-dev.example.net/"); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{"key": "/registry-dev.example.net/", "range_end": "/registry-dev.example.net0"} {
		if got, err := base64.StdEncoding.DecodeString(body[field]); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v; want %q", field, got, err, want)
		}
	}
	status = http.StatusServiceUnavailable
	if err := deletePrefix(t.Context(), server.URL, "/a/"); err == nil || !strings.Contains(err.Error(), "reason") {
		t.Errorf("a failure: %v", err)
	}
}
