package addons

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"platform/internal/plan"
)

// stuck makes a Deployment that doesn't become ready in time.
func stuck(name, image, more string) string {
	return strings.NewReplacer("NAME", name, "IMAGE", image, "MORE", more).Replace(`
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: NS}
spec: {selector: {matchLabels: {app: NAME}}MORE, template: {metadata: {labels: {app: NAME}}, spec: {containers: [{name: main, image: "IMAGE"}]}}}
`)
}

func TestReasonsForNotBeingReady(t *testing.T) {
	for name, c := range map[string]struct{ objects, want string }{
		"image":    {stuck("web", "example.net/missing:1", ""), "Deployment NS/web: not ready after 2s: 0/1 replicas: image pull failed (ErrImagePull): example.net/missing:1"},
		"crash":    {stuck("web", "crashing:1", ""), "Deployment NS/web: not ready after 2s: 0/1 replicas: container main keeps crashing (CrashLoopBackOff), last with exit code 3: no such file: /etc/shop"},
		"schedule": {stuck("web", "huge:1", ""), "can't be scheduled: 0/3 nodes are available: 3 Insufficient cpu."},
		"quota": {"apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none, namespace: NS}\nspec: {hard: {pods: '0'}}\n" + stuck("web", "web:1", ""),
			"Deployment NS/web: not ready after 2s: 0/1 replicas: FailedCreate: "},
		"deadline": {stuck("web", "example.net/missing:1", ", progressDeadlineSeconds: 1"), "Deployment NS/web: failed: 0/1 replicas: image pull failed (ErrImagePull): example.net/missing:1"},
		"resource": {`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: issuers.NS.example.net}
spec:
  group: NS.example.net
  names: {kind: Issuer, plural: issuers}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: NS.example.net/v1
kind: Issuer
metadata: {name: acme, namespace: NS}
status: {conditions: [{type: Ready, status: "False", reason: ErrRegister, message: "the account's key is refused"}]}
`, "Issuer NS/acme: not ready after 2s: the account's key is refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.runPods()
			w.namespace()
			w.options.Timeout = 2 * time.Second
			if name == "deadline" {
				w.options.Timeout = time.Minute
			}
			if name == "quota" {
				// The quota has to be in force before the first pod.
				w.apply(files("quota", w.parse(strings.Split(c.objects, "---")[0])))
				time.Sleep(500 * time.Millisecond)
				c.objects = strings.SplitN(c.objects, "---", 2)[1]
			}
			fs := files("shop", w.parse(c.objects))
			_, err := w.layer(fs).Apply(t.Context())
			var notReady *NotReadyError
			if !errors.As(err, &notReady) {
				t.Fatalf("error %v, want a NotReadyError", err)
			}
			if want := strings.ReplaceAll(c.want, "NS", w.ns); !strings.Contains(err.Error(), want) {
				t.Errorf("error\n%v\nwant one with\n%s", err, want)
			}
			healths := w.verify(fs)
			last := healths[len(healths)-1]
			if last.State == plan.Ready || last.Resource != notReady.Resource || last.Reason != notReady.Reason {
				t.Errorf("verify says %+v, want %q", last, notReady.Reason)
			}
		})
	}
}

func TestVerifyNamesWhatIsMissing(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	fs := files("shop", w.parse(twoConfigs))
	w.apply(fs)
	if err := w.client.CoreV1().ConfigMaps(w.ns).Delete(t.Context(), "b", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	healths := w.verify(fs)
	if healths[0].State != plan.Ready || healths[1].State != plan.Missing || healths[1].Stack != "shop" || healths[1].Reason == "" {
		t.Errorf("%+v", healths)
	}
	if got, want := describe(w.plan(fs)), "create ConfigMap "+w.ns+"/b\n"; got != want {
		t.Errorf("plan\n%s\nwant\n%s", got, want)
	}
}

func TestServerErrorsAreOneClearSentence(t *testing.T) {
	w := newWorld(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	closed.Close()
	stranger := httptest.NewUnstartedServer(http.NotFoundHandler())
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0)
	stranger.StartTLS()
	defer stranger.Close()

	for name, c := range map[string]struct {
		change func(config *rest.Config)
		want   string
	}{
		"unreachable":  {func(c *rest.Config) { c.Host = "https://" + address }, "API server https://" + address + " can't be reached: dial tcp " + address + ": connect: connection refused: is the cluster running, and this machine inside its network (VPN, proxy)?"},
		"no such host": {func(c *rest.Config) { c.Host = "https://nowhere.invalid" }, "API server https://nowhere.invalid can't be reached: "},
		"expired":      {func(c *rest.Config) { c.BearerToken = "expired" }, "refuses the credentials: they have expired or are another cluster's; export the kubeconfig again"},
		"another CA":   {func(c *rest.Config) { c.Host = stranger.URL }, "isn't the one that the kubeconfig trusts"},
		"not allowed":  {func(c *rest.Config) { c.Impersonate.UserName = "nobody" }, `doesn't allow it: `},
	} {
		o := w.options
		o.Files = files("shop", w.parse(twoConfigs))
		o.Connect = func(context.Context) (*rest.Config, error) {
			config := rest.CopyConfig(w.server.Config)
			c.change(config)
			return config, nil
		}
		l := New(o)
		_, planErr := l.Plan(t.Context())
		_, applyErr := l.Apply(t.Context())
		_, verifyErr := l.Verify(t.Context())
		for _, err := range []error{planErr, applyErr, verifyErr} {
			var server *ServerError
			if !errors.As(err, &server) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error %v, want one sentence with %q", name, err, c.want)
			}
		}
	}
}

func TestCancelledMeansCancelled(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l := w.layer(files("shop", w.parse(twoConfigs)))
	for verb, run := range map[string]func() error{
		"plan":   func() error { _, err := l.Plan(ctx); return err },
		"apply":  func() error { _, err := l.Apply(ctx); return err },
		"verify": func() error { _, err := l.Verify(ctx); return err },
	} {
		if err := run(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want the context's", verb, err)
		}
	}
}
