package objects

import (
	"strings"

	"platform/internal/plan"
	"platform/internal/provided"
)

const certManager = "cert-manager.io"

// Annotations of Ingresses that nginx and cert-manager read.
const (
	annotationIssuer        = "cert-manager.io/issuer"
	annotationClusterIssuer = "cert-manager.io/cluster-issuer"
	annotationIssuerKind    = "cert-manager.io/issuer-kind"
	annotationTLS           = "kubernetes.io/tls-acme"
	annotationBasicAuth     = "nginx.org/basic-auth-secret"
)

// tlsKeys are the keys of a Secret that cert-manager writes.
var tlsKeys = []string{"ca.crt", "tls.crt", "tls.key"}

// issued are the Secrets that cert-manager makes because of an object.
func issued(o *declared) providedObjects {
	object := o.object.Object
	switch {
	case o.group == certManager && o.kind == "Certificate":
		return providedObjects{{Kind: "Secret", Namespace: o.namespace, Name: text(object, "spec", "secretName"), Keys: certificateKeys(object)}}
	case o.group == "networking.k8s.io" && o.kind == "Ingress":
		annotations := o.object.GetAnnotations()
		if annotations[annotationTLS] != "true" && annotations[annotationIssuer] == "" && annotations[annotationClusterIssuer] == "" {
			return nil
		}
		var out providedObjects
		for _, tls := range list(object, "spec", "tls") {
			if name := text(tls, "secretName"); name != "" {
				out = append(out, provided.Object{Kind: "Secret", Namespace: o.namespace, Name: name, Keys: tlsKeys})
			}
		}
		return out
	}
	return nil
}

// certificateKeys are the keys of a Certificate's Secret.
func certificateKeys(object map[string]any) []string {
	keys := append([]string(nil), tlsKeys...)
	for store, names := range map[string][]string{"jks": {"keystore.jks", "truststore.jks"}, "pkcs12": {"keystore.p12", "truststore.p12"}} {
		if create, _ := fields(object, "spec", "keystores", store)["create"].(bool); create {
			keys = append(keys, names...)
		}
	}
	for _, format := range list(object, "spec", "additionalOutputFormats") {
		switch text(format, "type") {
		case "DER":
			keys = append(keys, "key.der")
		case "CombinedPEM":
			keys = append(keys, "tls-combined.pem")
		}
	}
	return keys
}

// certificate checks who issues a certificate.
func (r *refs) certificate() {
	r.issuedBy("spec.issuerRef.name", fields(r.o.object.Object, "spec", "issuerRef"))
}

func (r *refs) issuedBy(path string, ref map[string]any) {
	group := text(ref, "group")
	if group != "" && group != certManager {
		return // another program's
	}
	if text(ref, "kind") == "ClusterIssuer" {
		r.want(path, id{group: certManager, kind: "ClusterIssuer", name: nameOf(ref)})
		return
	}
	r.want(path, id{group: certManager, kind: "Issuer", namespace: r.o.namespace, name: nameOf(ref)})
}

// issuer checks the authority that an Issuer signs by.
func (r *refs) issuer() {
	if r.o.kind == "Issuer" {
		r.want("spec.ca.secretName", r.here("Secret", text(r.o.object.Object, "spec", "ca", "secretName")))
	}
}

// ingressAnnotations checks what an Ingress refers to by annotations.
func (r *refs) ingressAnnotations() {
	annotations := r.o.object.GetAnnotations()
	at := func(key string) string { return plan.JoinPath("metadata.annotations", key) }
	if name := annotations[annotationClusterIssuer]; name != "" {
		r.issuedBy(at(annotationClusterIssuer), map[string]any{"kind": "ClusterIssuer", "name": name})
	}
	if name := annotations[annotationIssuer]; name != "" {
		r.issuedBy(at(annotationIssuer), map[string]any{"kind": annotations[annotationIssuerKind], "name": name})
	}
	r.want(at(annotationBasicAuth), r.here("Secret", annotations[annotationBasicAuth]))
	for _, key := range []string{"nginx.org/websocket-services", "nginx.org/ssl-services", "nginx.org/grpc-services"} {
		for _, name := range strings.Split(annotations[key], ",") {
			r.want(at(key), r.here("Service", strings.TrimSpace(name)))
		}
	}
}

// injection checks where cert-manager takes the authority from that it writes
// into webhooks, kinds and parts of the API.
func (r *refs) injection() {
	r.injected("cert-manager.io/inject-ca-from", certManager, "Certificate")
	r.injected("cert-manager.io/inject-ca-from-secret", "", "Secret")
}

func (r *refs) injected(annotation, group, kind string) {
	value, ok := r.o.object.GetAnnotations()[annotation]
	if !ok {
		return
	}
	path := plan.JoinPath("metadata.annotations", annotation)
	namespace, name, ok := strings.Cut(value, "/")
	if !ok {
		r.say(path, "Write namespace/name.", "%q isn't namespace/name", value)
		return
	}
	r.want(path, id{group: group, kind: kind, namespace: namespace, name: name})
}

func groupOf(apiVersion string) string {
	group, _, ok := strings.Cut(apiVersion, "/")
	if !ok {
		return ""
	}
	return group
}
