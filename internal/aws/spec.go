package aws

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/json"
)

// Spec is the aws part of a cluster's declaration.
type Spec struct {
	Region string `json:"region"`
	// Cluster is the cluster's full name, by which kops tags what it makes.
	Cluster string `json:"cluster"`
	// HostedZone is the name of the zone that holds the wildcard record.
	HostedZone string `json:"hostedZone"`
	// Wildcard is the DNS name that points at the load balancer.
	Wildcard string  `json:"wildcard"`
	Ingress  Ingress `json:"ingress"`
}

// Ingress is the load balancer.
type Ingress struct {
	// Name is the load balancer's, unique in the account and region.
	Name string `json:"name"`
	// Scheme is internal or internet-facing.
	Scheme    string              `json:"scheme"`
	Listeners map[string]Listener `json:"listeners"`
	// Access lists the networks that may connect.
	Access []string `json:"access"`
	// DeletionProtection keeps everybody but Delete from deleting it.
	DeletionProtection bool `json:"deletionProtection,omitempty"`
}

// Listener is a port of the load balancer and the one behind it.
type Listener struct {
	Port     int32 `json:"port"`
	NodePort int32 `json:"nodePort"`
	// HealthCheckPath makes the health check an HTTP request to the node
	// port. Without it a TCP connection is enough.
	HealthCheckPath string `json:"healthCheckPath,omitempty"`
}

const (
	schemeInternal = "internal"
	schemePublic   = "internet-facing"
)

// ParseSpec decodes and checks a declaration. Errors name the field.
func ParseSpec(data []byte) (Spec, error) {
	if len(data) == 0 {
		return Spec{}, errors.New("aws: required")
	}
	var s Spec
	strict, err := json.UnmarshalStrict(data, &s)
	if err != nil {
		return Spec{}, fmt.Errorf("aws: %w", err)
	}
	if len(strict) > 0 {
		for i, err := range strict {
			strict[i] = fmt.Errorf("aws: %w", err)
		}
		return Spec{}, errors.Join(strict...)
	}
	if err := s.Validate(); err != nil {
		return Spec{}, err
	}
	return s, nil
}

// listeners gives the listeners' names in the order of their ports.
func (s Spec) listeners() []string {
	return slices.SortedFunc(maps.Keys(s.Ingress.Listeners), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.Ingress.Listeners[a].Port, s.Ingress.Listeners[b].Port), cmp.Compare(a, b))
	})
}

var (
	regionPattern   = regexp.MustCompile(`^[a-z]{2,3}(-[a-z]+)+-[0-9]+$`)
	dnsPattern      = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	balancerPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`)
	listenerPattern = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)
)

const (
	maxBalancerName = 32
	maxListenerName = 16 // leaves room for the rest of a target group's name
	maxPath         = 1024
	maxText         = 255 // characters in a string of a TXT record
)

// Validate reports everything that is wrong with the spec, a line each.
func (s Spec) Validate() error {
	var errs []error
	wrong := func(path, format string, args ...any) {
		errs = append(errs, fmt.Errorf("aws.%s: %s", path, fmt.Sprintf(format, args...)))
	}
	if !regionPattern.MatchString(s.Region) {
		wrong("region", "want a region such as eu-central-1, got %q", s.Region)
	}
	if !dnsPattern.MatchString(s.Cluster) {
		wrong("cluster", "want the cluster's full name such as dev.example.net, got %q", s.Cluster)
	}
	if !dnsPattern.MatchString(s.HostedZone) {
		wrong("hostedZone", "want the name of a hosted zone such as example.net, got %q", s.HostedZone)
	}
	rest, star := strings.CutPrefix(s.Wildcard, "*.")
	switch {
	case !star || !dnsPattern.MatchString(rest):
		wrong("wildcard", "want a wildcard name such as *.k.dev.example.net, got %q", s.Wildcard)
	case rest != s.HostedZone && !strings.HasSuffix(rest, "."+s.HostedZone):
		wrong("wildcard", "%q isn't in the hosted zone %q", s.Wildcard, s.HostedZone)
	case len(mark{Cluster: s.Cluster, Record: s.Wildcard, Type: "A"}.text()) > maxText+len(`""`):
		wrong("wildcard", "%q is too long for its ownership record to hold", s.Wildcard)
	}
	s.Ingress.validate(wrong)
	return errors.Join(errs...)
}

func (i Ingress) validate(wrong func(path, format string, args ...any)) {
	switch {
	case !balancerPattern.MatchString(i.Name):
		wrong("ingress.name", "want letters, digits and hyphens, got %q", i.Name)
	case len(i.Name) > maxBalancerName:
		wrong("ingress.name", "%q has %d characters, AWS allows %d", i.Name, len(i.Name), maxBalancerName)
	case strings.HasPrefix(i.Name, "internal-"):
		wrong("ingress.name", "AWS doesn't allow names that begin with internal-, got %q", i.Name)
	}
	if i.Scheme != schemeInternal && i.Scheme != schemePublic {
		wrong("ingress.scheme", "want %s or %s, got %q", schemeInternal, schemePublic, i.Scheme)
	}
	if len(i.Listeners) == 0 {
		wrong("ingress.listeners", "at least one is required")
	}
	ports, nodePorts := map[int32]string{}, map[int32]string{}
	for _, name := range slices.Sorted(maps.Keys(i.Listeners)) {
		path, l := fmt.Sprintf("ingress.listeners[%q]", name), i.Listeners[name]
		if !listenerPattern.MatchString(name) || len(name) > maxListenerName {
			wrong(path, "want a name of at most %d lower-case letters, digits and hyphens", maxListenerName)
		}
		if l.Port < 1 || l.Port > 65535 {
			wrong(path+".port", "want a port from 1 to 65535, got %d", l.Port)
		} else if other, taken := ports[l.Port]; taken {
			wrong(path+".port", "%d is also the port of listener %q", l.Port, other)
		}
		if l.NodePort < 30000 || l.NodePort > 32767 {
			wrong(path+".nodePort", "want a node port from 30000 to 32767, got %d", l.NodePort)
		} else if other, taken := nodePorts[l.NodePort]; taken {
			wrong(path+".nodePort", "%d is also the node port of listener %q", l.NodePort, other)
		}
		ports[l.Port], nodePorts[l.NodePort] = name, name
		if p := l.HealthCheckPath; p != "" && (!strings.HasPrefix(p, "/") || len(p) > maxPath) {
			wrong(path+".healthCheckPath", "want a path that begins with / and has at most %d characters, got %q", maxPath, p)
		}
	}
	if len(i.Access) == 0 {
		wrong("ingress.access", "nobody could connect: list at least one network, 0.0.0.0/0 for everybody")
	}
	seen := map[string]bool{}
	for n, text := range i.Access {
		path := fmt.Sprintf("ingress.access[%d]", n)
		prefix, err := netip.ParsePrefix(text)
		switch {
		case err != nil:
			wrong(path, "want a network such as 10.0.0.0/8, got %q", text)
		case prefix.Masked().String() != text:
			wrong(path, "%q is written %s by AWS, write it like that", text, prefix.Masked())
		case seen[text]:
			wrong(path, "%s is listed twice", text)
		}
		seen[text] = true
	}
}
