package schema

import (
	"fmt"
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"platform/internal/versions"
)

// strictAddresses is the release from which on addresses must be in their usual
// form.
var strictAddresses = versions.Version{Major: 1, Minor: 36}

func judgeService(a about, s *corev1.ServiceSpec) field.ErrorList {
	out := metav1validation.ValidateLabels(s.Selector, field.NewPath("selector"))
	ports := field.NewPath("ports")
	headless := s.ClusterIP == corev1.ClusterIPNone
	if s.Type == corev1.ServiceTypeExternalName {
		name := strings.TrimSuffix(s.ExternalName, ".")
		if name == "" {
			out = append(out, field.Required(field.NewPath("externalName"), "must be set when the type is ExternalName"))
		} else {
			out = append(out, invalid(field.NewPath("externalName"), s.ExternalName, subdomain(name))...)
		}
	} else if len(s.Ports) == 0 && !headless {
		out = append(out, field.Required(ports, "there must be a port"))
	}
	if headless && (s.Type == corev1.ServiceTypeNodePort || s.Type == corev1.ServiceTypeLoadBalancer) {
		out = append(out, field.Invalid(field.NewPath("clusterIP"), s.ClusterIP, fmt.Sprintf("isn't possible when the type is %s", s.Type)))
	}
	if s.ClusterIP != "" && !headless {
		out = append(out, validation.IsValidIPForLegacyField(field.NewPath("clusterIP"), s.ClusterIP, a.release.Compare(strictAddresses) >= 0, nil)...)
	}
	for i, p := range s.Ports {
		if p.Name == "" && len(s.Ports) > 1 {
			out = append(out, field.Required(ports.Index(i).Child("name"), "a port must have a name when there are several"))
		}
		if p.NodePort != 0 && (s.Type == "" || s.Type == corev1.ServiceTypeClusterIP) {
			out = append(out, field.Forbidden(ports.Index(i).Child("nodePort"), "isn't possible when the type is ClusterIP"))
		}
	}
	out = append(out, duplicates(ports, s.Ports, func(p corev1.ServicePort) string { return p.Name }, sets.New[string]())...)
	external := s.Type == corev1.ServiceTypeNodePort || s.Type == corev1.ServiceTypeLoadBalancer
	if s.ExternalTrafficPolicy != "" && !external && len(s.ExternalIPs) == 0 {
		out = append(out, field.Invalid(field.NewPath("externalTrafficPolicy"), string(s.ExternalTrafficPolicy), "is only for the types NodePort and LoadBalancer"))
	}
	if s.LoadBalancerClass != nil && s.Type != corev1.ServiceTypeLoadBalancer {
		out = append(out, field.Forbidden(field.NewPath("loadBalancerClass"), "is only for the type LoadBalancer"))
	}
	return out
}

func judgeServicePort(_ about, p *corev1.ServicePort) field.ErrorList {
	out := judgePortNumber(field.NewPath("port"), p.Port)
	if p.Name != "" {
		out = append(out, invalid(field.NewPath("name"), p.Name, label(p.Name))...)
	}
	if p.NodePort != 0 {
		out = append(out, judgePortNumber(field.NewPath("nodePort"), p.NodePort)...)
	}
	// None, and an empty name, mean the same port.
	if p.TargetPort != (intstr.IntOrString{}) && p.TargetPort != intstr.FromString("") {
		out = append(out, judgePort(field.NewPath("targetPort"), p.TargetPort)...)
	}
	if p.AppProtocol != nil {
		out = append(out, invalid(field.NewPath("appProtocol"), *p.AppProtocol, validation.IsQualifiedName(*p.AppProtocol))...)
	}
	return out
}

func judgeIngress(_ about, spec *networkingv1.IngressSpec) field.ErrorList {
	var out field.ErrorList
	if len(spec.Rules) == 0 && spec.DefaultBackend == nil {
		out = append(out, field.Required(field.NewPath("rules"), "there must be rules or a defaultBackend"))
	}
	if spec.IngressClassName != nil {
		out = append(out, invalid(field.NewPath("ingressClassName"), *spec.IngressClassName, subdomain(*spec.IngressClassName))...)
	}
	for i, tls := range spec.TLS {
		at := field.NewPath("tls").Index(i)
		for j, host := range tls.Hosts {
			out = append(out, judgeHost(at.Child("hosts").Index(j), host)...)
		}
		if tls.SecretName != "" {
			out = append(out, invalid(at.Child("secretName"), tls.SecretName, subdomain(tls.SecretName))...)
		}
	}
	return out
}

func judgeHost(at *field.Path, host string) field.ErrorList {
	if strings.Contains(host, "*") {
		return invalid(at, host, validation.IsWildcardDNS1123Subdomain(host))
	}
	return invalid(at, host, validation.IsDNS1123Subdomain(host))
}

func judgeIngressRule(_ about, rule *networkingv1.IngressRule) field.ErrorList {
	var out field.ErrorList
	if rule.Host != "" {
		at := field.NewPath("host")
		if _, err := netip.ParseAddr(rule.Host); err == nil {
			out = append(out, field.Invalid(at, rule.Host, "must be a name, not an address"))
		} else {
			out = append(out, judgeHost(at, rule.Host)...)
		}
	}
	if rule.HTTP != nil && len(rule.HTTP.Paths) == 0 {
		out = append(out, field.Required(field.NewPath("http", "paths"), "there must be a path"))
	}
	return out
}

func judgeIngressPath(_ about, p *networkingv1.HTTPIngressPath) field.ErrorList {
	if p.PathType == nil {
		return nil
	}
	at := field.NewPath("path")
	exact := *p.PathType == networkingv1.PathTypeExact || *p.PathType == networkingv1.PathTypePrefix
	if (exact || p.Path != "") && !strings.HasPrefix(p.Path, "/") {
		return field.ErrorList{field.Invalid(at, p.Path, "must begin with a slash")}
	}
	if !exact {
		return nil
	}
	for _, part := range []string{"//", "/./", "/../", "%2f", "%2F"} {
		if strings.Contains(p.Path, part) {
			return field.ErrorList{field.Invalid(at, p.Path, "must not contain "+part)}
		}
	}
	for _, end := range []string{"/..", "/."} {
		if strings.HasSuffix(p.Path, end) {
			return field.ErrorList{field.Invalid(at, p.Path, "must not end in "+end)}
		}
	}
	return nil
}

func judgeIngressBackend(a about, b *networkingv1.IngressBackend) field.ErrorList {
	switch {
	case b.Service == nil && b.Resource == nil:
		return field.ErrorList{field.Required(field.NewPath("service"), "there must be a service or a resource")}
	case b.Service != nil && b.Resource != nil:
		return field.ErrorList{field.Forbidden(field.NewPath("resource"), "there is a service as well, and only one is possible")}
	case b.Service == nil:
		return nil
	}
	at := field.NewPath("service")
	out := invalid(at.Child("name"), b.Service.Name, serviceName(a.release, b.Service.Name))
	port := b.Service.Port
	at = at.Child("port")
	switch {
	case port.Name != "" && port.Number != 0:
		out = append(out, field.Forbidden(at.Child("number"), "there is a name as well, and only one is possible"))
	case port.Name != "":
		out = append(out, invalid(at.Child("name"), port.Name, validation.IsValidPortName(port.Name))...)
	case port.Number != 0:
		out = append(out, judgePortNumber(at.Child("number"), port.Number)...)
	default:
		out = append(out, field.Required(at, "there must be a number or a name"))
	}
	return out
}

func judgePolicy(_ about, spec *networkingv1.NetworkPolicySpec) field.ErrorList {
	var out field.ErrorList
	for i, kind := range spec.PolicyTypes {
		if kind != networkingv1.PolicyTypeIngress && kind != networkingv1.PolicyTypeEgress {
			out = append(out, field.Invalid(field.NewPath("policyTypes").Index(i), string(kind), "must be Ingress or Egress"))
		}
	}
	if len(spec.PolicyTypes) > 2 {
		out = append(out, field.Invalid(field.NewPath("policyTypes"), "", "there are only two policy types"))
	}
	return out
}

func judgePeer(_ about, p *networkingv1.NetworkPolicyPeer) field.ErrorList {
	selects := p.PodSelector != nil || p.NamespaceSelector != nil
	switch {
	case p.IPBlock == nil && !selects:
		return field.ErrorList{field.Required(nil, "must have a selector or an ipBlock")}
	case p.IPBlock != nil && selects:
		return field.ErrorList{field.Forbidden(field.NewPath("ipBlock"), "there is a selector as well, and only one is possible")}
	}
	return nil
}

func judgePolicyPort(_ about, p *networkingv1.NetworkPolicyPort) field.ErrorList {
	end := field.NewPath("endPort")
	if p.Protocol != nil && *p.Protocol == "" {
		return field.ErrorList{field.Invalid(field.NewPath("protocol"), "", "must not be empty; it is TCP when it is left out")}
	}
	if p.Port == nil {
		if p.EndPort != nil {
			return field.ErrorList{field.Invalid(end, *p.EndPort, "there is no port where the range begins")}
		}
		return nil
	}
	out := judgePort(field.NewPath("port"), *p.Port)
	switch {
	case p.EndPort == nil:
	case p.Port.Type == intstr.String:
		out = append(out, field.Invalid(end, *p.EndPort, "a range must begin with a number"))
	case *p.EndPort < p.Port.IntVal:
		out = append(out, field.Invalid(end, *p.EndPort, "the range ends before it begins"))
	default:
		out = append(out, judgePortNumber(end, *p.EndPort)...)
	}
	return out
}

func judgeIPBlock(a about, b *networkingv1.IPBlock) field.ErrorList {
	strict := a.release.Compare(strictAddresses) >= 0
	out := validation.IsValidCIDRForLegacyField(field.NewPath("cidr"), b.CIDR, strict, nil)
	whole, wholeErr := netip.ParsePrefix(b.CIDR)
	for i, except := range b.Except {
		at := field.NewPath("except").Index(i)
		out = append(out, validation.IsValidCIDRForLegacyField(at, except, strict, nil)...)
		part, err := netip.ParsePrefix(except)
		if err == nil && wholeErr == nil && (!whole.Contains(part.Addr()) || part.Bits() <= whole.Bits()) {
			out = append(out, field.Invalid(at, except, fmt.Sprintf("must be a part of %s", b.CIDR)))
		}
	}
	return out
}

func judgeIngressClass(_ about, spec *networkingv1.IngressClassSpec) field.ErrorList {
	at := field.NewPath("controller")
	if spec.Controller == "" {
		return field.ErrorList{field.Required(at, "must name the controller")}
	}
	return validation.IsDomainPrefixedPath(at, spec.Controller)
}
