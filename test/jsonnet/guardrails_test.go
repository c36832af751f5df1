package jsonnet

import (
	"context"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apimachinery/pkg/util/wait"

	"platform/internal/check/policy/admission"
	"platform/internal/render"
	"platform/test/apiserver"
)

// What the guardrails are for is refused, with a message that says what to do,
// and what they aren't for is not. `platform check` says the same of an object as
// the API server, word for word, without one.
func TestGuardrails(t *testing.T) {
	process, err := apiserver.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Stop)
	s := connect(t, process.Config)
	declared := order(snippet(t, `
		[(import 'lib/kube.libsonnet').Namespace('shop')] +
		std.objectValues(import 'clusters/dev/guardrails.jsonnet')`))
	s.applyAll(declared)
	offline, errs := admission.New(&render.Cluster{Name: "dev", Files: []render.File{{Objects: declared}}}, version.MajorMinor(1, 36))
	for _, err := range errs {
		t.Error(err)
	}

	const prelude = `
		local kube = import 'lib/kube.libsonnet';
		local shop = { metadata+: { namespace: 'shop' } };
		local web(image) = kube.Deployment('web') + shop {
			spec+: { template+: { spec+: { containers_+: { web: kube.Container('web') { image: image, ports_+: { http: { containerPort: 80 } } } } } } },
		};
		local service = kube.Service('web') + shop { target_pod: web('web:1').spec.template };
		local ingress(host) = kube.Ingress('web') + shop { spec+: { rules_: { [host]: { '/': kube.IngressBackend(service) } } } };
		local cron(image) = kube.CronJob('web') + shop { spec+: { schedule: '@daily', jobTemplate+: { spec+: { template+: { spec: web(image).spec.template.spec { restartPolicy: 'Never' } } } } } };
	`
	for _, test := range []struct {
		name, object string
		refusal      string // empty: it is taken
	}{
		{"public load balancer", `service { spec+: { type: 'LoadBalancer' } }`, "belong in the cluster web"},
		{"internal load balancer", `service { metadata+: { annotations: { 'service.beta.kubernetes.io/aws-load-balancer-scheme': 'internal' } }, spec+: { type: 'LoadBalancer' } }`, ""},
		{"other annotations", `service { metadata+: { annotations: { team: 'shop' } }, spec+: { type: 'LoadBalancer' } }`, "belong in the cluster web"},
		{"service", `service`, ""},
		{"service without a type", `service { spec+: { type:: null } }`, ""},
		{"host", `ingress('web.k.dev.example.net')`, ""},
		{"wildcard host", `ingress('*.k.dev.example.net')`, ""},
		{"host of somebody else", `ingress('web.example.org')`, "must be directly below k.dev.example.net"},
		{"host that only ends like it", `ingress('web.kxdev.example.net')`, "must be directly below k.dev.example.net"},
		{"host two labels below", `ingress('a.b.k.dev.example.net')`, "must be directly below k.dev.example.net"},
		{"no host", `ingress('x') { spec+: { rules: [super.rules[0] { host:: null }] } }`, "must be directly below k.dev.example.net"},
		{"certificate for somebody else", `ingress('web.k.dev.example.net') { spec+: { tls: [{ hosts: ['web.example.org'], secretName: 'x' }] } }`, "Certificates are issued for names directly below"},
		{"exact image", `web('registry.example.net:5000/web:1.2')`, ""},
		{"image by digest", `web('web@sha256:` + strings.Repeat("0", 64) + `')`, ""},
		{"latest", `web('web:latest')`, "These don't: web:latest"},
		{"no tag", `web('web')`, "These don't: web"},
		{"no tag behind a port", `web('registry.example.net:5000/web')`, "These don't: registry.example.net:5000/web"},
		{"init container", `web('web:1') { spec+: { template+: { spec+: { initContainers_+: { init: kube.Container('init') { image: 'init' } } } } } }`, "These don't: init"},
		{"cron job", `cron('web:1')`, ""},
		{"latest in a cron job", `cron('web:latest')`, "These don't: web:latest"},
	} {
		t.Run(test.name, func(t *testing.T) {
			object := snippet(t, prelude+test.object)[0]
			resource, err := s.resource(object.Unstructured)
			if err != nil {
				t.Fatal(err)
			}
			// The server takes a moment to see new policies.
			var last error
			err = wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, 10*time.Second, true, func(ctx context.Context) (bool, error) {
				_, last = resource.Create(ctx, object.Unstructured, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
				return (last != nil) == (test.refusal != ""), nil
			})
			switch {
			case err != nil && test.refusal != "":
				t.Errorf("taken, want a refusal that says %q", test.refusal)
			case err != nil:
				t.Errorf("refused: %v", last)
			case last != nil && !strings.Contains(last.Error(), test.refusal):
				t.Errorf("want a refusal that says %q, got: %v", test.refusal, last)
			}
			decisions := offline.Review(t.Context(), object)
			if (len(decisions) > 0) != (last != nil) {
				t.Errorf("offline: %v; the API server: %v", decisions, last)
			} else if last != nil && !strings.HasSuffix(last.Error(), decisions[0].Message) {
				t.Errorf("offline: %s; the API server: %v", decisions[0].Message, last)
			}
		})
	}
}
