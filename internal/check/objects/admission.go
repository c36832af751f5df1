package objects

import "platform/internal/check/pods"

// webhooks checks the Services that webhooks are called by.
func (r *refs) webhooks() {
	items := list(r.o.object.Object, "webhooks")
	for i, webhook := range items {
		r.called(pods.Element("webhooks", i, items, nameOf)+".clientConfig.service", fields(webhook, "clientConfig", "service"))
	}
}

// definition checks the Service that converts between a kind's versions.
func (r *refs) definition() {
	r.called("spec.conversion.webhook.clientConfig.service", fields(r.o.object.Object, "spec", "conversion", "webhook", "clientConfig", "service"))
}

// apiService checks the Service that serves a part of the API.
func (r *refs) apiService() {
	r.called("spec.service", fields(r.o.object.Object, "spec", "service"))
}

// called checks a Service that the API server calls, on port 443 by default.
func (r *refs) called(path string, service map[string]any) {
	if service == nil {
		return
	}
	target := id{kind: "Service", namespace: text(service, "namespace"), name: nameOf(service)}
	if !r.want(path+".name", target) {
		return
	}
	port, ok := service["port"].(int64)
	if !ok {
		port = 443
	}
	r.servicePort(path+".port", target, "", port)
}

// policyBinding checks an admission policy and its parameters.
func (r *refs) policyBinding() {
	object := r.o.object.Object
	policy := id{group: r.o.group, kind: "ValidatingAdmissionPolicy", name: text(object, "spec", "policyName")}
	if r.o.kind == "MutatingAdmissionPolicyBinding" {
		policy.kind = "MutatingAdmissionPolicy"
	}
	if !r.want("spec.policyName", policy) || r.byID[policy] == nil {
		return
	}
	kind := fields(r.byID[policy].object.Object, "spec", "paramKind")
	ref := fields(object, "spec", "paramRef")
	switch {
	case kind == nil && ref != nil:
		r.say("spec.paramRef", "Remove it, or give the policy a paramKind.", "gives parameters to the %s, which takes none", policy)
	case kind != nil && ref == nil:
		r.say("spec", "Set spec.paramRef.", "gives no parameters to the %s, which wants a %s", policy, text(kind, "kind"))
	case ref != nil && nameOf(ref) != "" && text(ref, "parameterNotFoundAction") != "Allow":
		want := id{group: groupOf(text(kind, "apiVersion")), kind: text(kind, "kind"), namespace: text(ref, "namespace"), name: nameOf(ref)}
		if want.namespace == "" && r.anywhere(want) {
			return // the namespace is that of each object that the policy looks at
		}
		r.want("spec.paramRef.name", want)
	}
}

// anywhere says whether there is such an object in any namespace.
func (c *cluster) anywhere(want id) bool {
	for _, o := range c.all {
		if o.group == want.group && o.kind == want.kind && o.name == want.name {
			return true
		}
	}
	return false
}
