package aws

import (
	"encoding/json"
	"strings"
	"testing"
)

const validSpec = `{
  "region": "eu-central-1", "cluster": "dev.example.net", "hostedZone": "example.net", "wildcard": "*.k.dev.example.net",
  "ingress": {
    "name": "dev-example-net-ingress", "scheme": "internal",
    "listeners": {
      "http": {"port": 80, "nodePort": 30080, "healthCheckPath": "/nginx-health"},
      "https": {"port": 443, "nodePort": 30443}
    },
    "access": ["10.0.0.0/8", "fd00::/8"]
  }
}`

func testSpec(t testing.TB) Spec {
	t.Helper()
	s, err := ParseSpec([]byte(validSpec))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseSpec(t *testing.T) {
	s := testSpec(t)
	if got := strings.Join(s.listeners(), " "); got != "http https" {
		t.Errorf("listeners are %s", got)
	}
	if s.Ingress.Listeners["http"] != (Listener{Port: 80, NodePort: 30080, HealthCheckPath: "/nginx-health"}) {
		t.Errorf("http is %+v", s.Ingress.Listeners["http"])
	}
}

func TestParseSpecRefuses(t *testing.T) {
	for _, test := range []struct{ name, from, to, want string }{
		{"not JSON", "{", "", "aws: "},
		{"unknown field", `"region"`, `"regoin"`, `aws: unknown field "regoin"`},
		{"unknown field below", `"port": 443`, `"Port": 443`, `aws: unknown field "ingress.listeners.https.Port"`},
		{"twice", `"port": 443`, `"port": 443, "port": 444`, `aws: duplicate field "ingress.listeners.https.port"`},
		{"another type", `"port": 443`, `"port": "443"`, "ingress.listeners.port of type int32"},
		{"region", "eu-central-1", "Frankfurt", `aws.region: want a region such as eu-central-1, got "Frankfurt"`},
		{"cluster", `"cluster": "dev.example.net"`, `"cluster": "dev"`, `aws.cluster: want the cluster's full name such as dev.example.net, got "dev"`},
		{"zone", `"hostedZone": "example.net"`, `"hostedZone": "example.net."`, `aws.hostedZone: want the name of a hosted zone`},
		{"no wildcard", "*.k.dev", "k.dev", `aws.wildcard: want a wildcard name such as *.k.dev.example.net, got "k.dev.example.net"`},
		{"wildcard elsewhere", "*.k.dev.example.net", "*.k.dev.example.com", `aws.wildcard: "*.k.dev.example.com" isn't in the hosted zone "example.net"`},
		{"wildcard in a zone that only ends alike", "*.k.dev.example.net", "*.anexample.net", `isn't in the hosted zone`},
		{"wildcard too long", "*.k.dev", "*." + strings.Repeat("a123456789.", 20) + "dev", "is too long for its ownership record"},
		{"long name", "dev-example-net-ingress", "a-name-of-more-than-thirty-two-chars", "aws.ingress.name: \"a-name-of-more-than-thirty-two-chars\" has 36 characters, AWS allows 32"},
		{"reserved name", "dev-example-net-ingress", "internal-dev", "aws.ingress.name: AWS doesn't allow names that begin with internal-"},
		{"dots in the name", "dev-example-net-ingress", "dev.example.net", "aws.ingress.name: want letters, digits and hyphens"},
		{"scheme", `"internal"`, `"private"`, `aws.ingress.scheme: want internal or internet-facing, got "private"`},
		{"port", `"port": 443`, `"port": 0`, `aws.ingress.listeners["https"].port: want a port from 1 to 65535, got 0`},
		{"port twice", `"port": 443`, `"port": 80`, `aws.ingress.listeners["https"].port: 80 is also the port of listener "http"`},
		{"node port", `30443`, `443`, `aws.ingress.listeners["https"].nodePort: want a node port from 30000 to 32767, got 443`},
		{"node port twice", `30443`, `30080`, `aws.ingress.listeners["https"].nodePort: 30080 is also the node port of listener "http"`},
		{"path", `"/nginx-health"`, `"nginx-health"`, `aws.ingress.listeners["http"].healthCheckPath: want a path that begins with /`},
		{"listener's name", `"https"`, `"HTTPS"`, `aws.ingress.listeners["HTTPS"]: want a name of at most 16`},
		{"nobody", `["10.0.0.0/8", "fd00::/8"]`, `[]`, "aws.ingress.access: nobody could connect"},
		{"no network", `10.0.0.0/8`, `10.0.0.1`, `aws.ingress.access[0]: want a network such as 10.0.0.0/8, got "10.0.0.1"`},
		{"host bits", `10.0.0.0/8`, `10.1.0.0/8`, `aws.ingress.access[0]: "10.1.0.0/8" is written 10.0.0.0/8 by AWS`},
		{"long IPv6", `fd00::/8`, `fd00:0::/8`, `aws.ingress.access[1]: "fd00:0::/8" is written fd00::/8 by AWS`},
		{"network twice", `fd00::/8`, `10.0.0.0/8`, `aws.ingress.access[1]: 10.0.0.0/8 is listed twice`},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(validSpec, test.from, test.to, 1)
			if text == validSpec {
				t.Fatalf("%s isn't in the spec", test.from)
			}
			_, err := ParseSpec([]byte(text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestParseSpecWantsOne(t *testing.T) {
	if _, err := ParseSpec(nil); err == nil || err.Error() != "aws: required" {
		t.Errorf("got %v", err)
	}
}

// Everything that is wrong is said at once.
func TestValidateSaysAll(t *testing.T) {
	err := Spec{}.Validate()
	if err == nil {
		t.Fatal("an empty spec is valid")
	}
	for _, field := range []string{"region", "cluster", "hostedZone", "wildcard", "ingress.name", "ingress.scheme", "ingress.listeners", "ingress.access"} {
		if !strings.Contains(err.Error(), "aws."+field+": ") {
			t.Errorf("nothing is said about %s in:\n%v", field, err)
		}
	}
}

// FuzzParseSpec holds that what is taken comes back the same, and that nothing
// makes it panic.
func FuzzParseSpec(f *testing.F) {
	f.Add([]byte(validSpec))
	f.Add([]byte(`{"ingress": {"listeners": {"": null}, "access": [""]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSpec(data)
		if err != nil {
			return
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseSpec(text); err != nil {
			t.Errorf("%s: taken, but not when written again: %v", data, err)
		}
		for _, name := range s.listeners() {
			if got := targetGroupName(s, "vpc-1", name); len(got) > 32 || !balancerPattern.MatchString(got) {
				t.Errorf("target group name %q", got)
			}
		}
	})
}
