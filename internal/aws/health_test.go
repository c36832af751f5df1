package aws

import (
	"strings"
	"testing"

	"platform/internal/plan"
)

func TestHealth(t *testing.T) {
	healthy := map[string][]target{"http": {{ID: "i-1", State: "healthy"}}, "https": {{ID: "i-1", State: "healthy"}}}
	for _, test := range []struct {
		name     string
		change   func(s *state, targets map[string][]target)
		resource string
		state    plan.State
		reason   string
	}{
		{"provisioning", func(s *state, _ map[string][]target) { s.balancers[0].State = "provisioning" }, "LoadBalancer/dev-example-net-ingress", plan.Progressing, "it is provisioning"},
		{"failed", func(s *state, _ map[string][]target) {
			s.balancers[0].State, s.balancers[0].StateReason = "failed", "no addresses left"
		}, "LoadBalancer/dev-example-net-ingress", plan.Failed, "it is failed: no addresses left"},
		{"listener missing", func(s *state, _ map[string][]target) { s.balancers[0].Listeners = s.balancers[0].Listeners[1:] }, "Listener/http", plan.Missing, "doesn't listen on port 80"},
		{"listener elsewhere", func(s *state, _ map[string][]target) { s.balancers[0].Listeners[1].TargetGroup = "arn:x" }, "Listener/https", plan.Failed, "port 443 isn't forwarded to target group dev-example-net-https-"},
		{"nobody registered", func(_ *state, ts map[string][]target) { ts["http"] = nil }, "TargetGroup/http", plan.Progressing, "no node is registered"},
		{"target group missing", func(_ *state, ts map[string][]target) { delete(ts, "http") }, "TargetGroup/http", plan.Missing, "there is no target group"},
		{"first checks", func(_ *state, ts map[string][]target) {
			ts["http"] = []target{{State: "initial", Reason: "Elb.InitialHealthChecking"}, {State: "unhealthy"}}
		}, "TargetGroup/http", plan.Progressing, "none of 2 nodes is healthy: 1 initial (Elb.InitialHealthChecking), 1 unhealthy"},
		{"unhealthy", func(_ *state, ts map[string][]target) {
			ts["http"] = []target{{State: "unhealthy", Reason: "Target.ResponseCodeMismatch", Description: "Health checks failed with these codes: [404]"}}
		}, "TargetGroup/http", plan.Failed, "none of 1 nodes is healthy: 1 unhealthy (Target.ResponseCodeMismatch: Health checks failed with these codes: [404])"},
		{"unused", func(_ *state, ts map[string][]target) {
			ts["https"] = []target{{State: "unused", Reason: "Target.NotInUse"}}
		}, "TargetGroup/https", plan.Failed, "1 unused (Target.NotInUse)"},
		{"one of them is enough", func(_ *state, ts map[string][]target) { ts["http"] = append(ts["http"], target{State: "unhealthy"}) }, "TargetGroup/http", plan.Ready, ""},
		{"record missing", func(s *state, _ map[string][]target) { s.zones[0].Records = nil }, "Record/*.k.dev.example.net", plan.Missing, "hosted zone example.net has no such record"},
		{"record elsewhere", func(s *state, _ map[string][]target) { s.zones[0].Records[0].Alias.Name = "old.example.com" }, "Record/*.k.dev.example.net", plan.Failed, "it points at alias of old.example.com instead of the load balancer i-1.elb.eu-central-1.amazonaws.com"},
		{"record without its mark", func(s *state, _ map[string][]target) { s.zones[0].Records = s.zones[0].Records[:1] }, "Record/*.k.dev.example.net", plan.Failed, "TXT record _platform.k.dev.example.net"},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := testSpec(t)
			s := settled(spec)
			targets := map[string][]target{"http": healthy["http"], "https": healthy["https"]}
			test.change(s, targets)
			list := health(spec, s, &s.balancers[0], s.zones[0], targets)
			if len(list) != 6 {
				t.Errorf("%d resources have a health: %v", len(list), list)
			}
			for _, h := range list {
				want, reason := plan.Ready, ""
				if h.Resource == test.resource {
					want, reason = test.state, test.reason
				}
				if h.State != want || !strings.Contains(h.Reason, reason) || (h.State == plan.Ready) != (h.Reason == "") {
					t.Errorf("%s is %s (%s), want %s (%s)", h.Resource, h.State, h.Reason, want, reason)
				}
				if h.Layer != plan.AWS || h.Stack != "ingress" {
					t.Errorf("%+v", h)
				}
			}
		})
	}
}

func TestHealthOfNothing(t *testing.T) {
	spec := testSpec(t)
	for _, h := range health(spec, &state{}, nil, zone{Name: "example.net"}, nil) {
		if h.State != plan.Missing || h.Reason == "" {
			t.Errorf("%s is %s (%s)", h.Resource, h.State, h.Reason)
		}
	}
}
