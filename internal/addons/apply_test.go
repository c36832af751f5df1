package addons

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"platform/internal/plan"
)

const webDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NS}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
`

// kubectl runs the stock kubectl against the test's server.
func (w *world) kubectl(stdin string, args ...string) (string, error) {
	w.t.Helper()
	binary, err := filepath.Abs(filepath.Join("..", "..", "bin", "kubectl"))
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		w.t.Fatalf("this test needs bin/kubectl: build it with make sandbox (or leave it out with go test -short)")
	}
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), "KUBECTL_APPLYSET=true", "KUBECONFIG="+w.server.Kubeconfig, "HOME="+w.t.TempDir())
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(stdin, "NS", w.ns))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (w *world) mustKubectl(stdin string, args ...string) string {
	w.t.Helper()
	out, err := w.kubectl(stdin, args...)
	if err != nil {
		w.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func TestConflictsAreNamedBeforeAnythingIsWritten(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	fs := files("shop", w.parse(twoConfigs))
	w.apply(fs)
	patch := []byte(`{"data":{"k":"edited"}}`)
	if _, err := w.client.CoreV1().ConfigMaps(w.ns).Patch(t.Context(), "b", types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
	// Another change of git's that must not be made either.
	fs[0].Objects[0].Object["data"] = map[string]any{"k": "new"}
	done, err := w.layer(fs).Apply(t.Context())
	var conflict *ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("error %v, want a ConflictError", err)
	}
	want := ConflictError{Resource: "ConfigMap " + w.ns + "/b", Source: "clusters/test/shop.jsonnet", Fields: []HeldField{{"data.k", "kubectl-edit"}}}
	if fmt.Sprint(*conflict) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", *conflict, want)
	}
	if len(done) > 0 {
		t.Errorf("done\n%s", describe(done))
	}
	if a, err := w.client.CoreV1().ConfigMaps(w.ns).Get(t.Context(), "a", metav1.GetOptions{}); err != nil || a.Data["k"] != "v" {
		t.Errorf("a is %v (%v), though the apply was refused", a.Data, err)
	}
	w.options.Force = true
	if done := w.apply(fs); len(done) != 2 {
		t.Errorf("forced, it did\n%s", describe(done))
	}
	w.wantEmpty(fs)
}

func TestReplace(t *testing.T) {
	w := newWorld(t)
	w.runPods()
	w.options.Timeout = time.Minute
	const before = `
apiVersion: v1
kind: Namespace
metadata: {name: NS}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: NS-fast}
provisioner: example.net/none
parameters: {type: gp2}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: NS-nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: shop, namespace: NS}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: shop, namespace: NS}]
---
apiVersion: v1
kind: Service
metadata: {name: store, namespace: NS}
spec: {clusterIP: None, selector: {app: store}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: frozen, namespace: NS}
immutable: true
data: {a: b}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: NS}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: migrate, image: "migrate:1"}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NS}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "web:1"}]}}}
`
	after := strings.NewReplacer("gp2", "gp3", "k8s.io/ingress-nginx", "nginx.org/ingress-controller", "name: view", "name: edit",
		"clusterIP: None, ", "", "{a: b}", "{a: c}", "migrate:1", "migrate:2", "{app: web}", "{app: site}").Replace(before)
	w.apply(files("shop", w.parse(before)))
	fs := files("shop", w.parse(after))
	golden(t, "replace.golden", strings.ReplaceAll(describe(w.plan(fs)), w.ns, "NS"))
	w.apply(fs)
	w.wantEmpty(fs)
}

func TestReplacingDataIsRefused(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	const claim = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: NS}
spec: {accessModes: [ReadWriteOnce], storageClassName: slow, resources: {requests: {storage: 1Gi}}}
`
	w.applyAll(prepared(t, strings.ReplaceAll(claim, "NS", w.ns)))
	_, err := w.layer(files("shop", w.parse(strings.ReplaceAll(claim, "slow", "fast")))).Plan(t.Context())
	if err == nil || !strings.Contains(err.Error(), "PersistentVolumeClaim "+w.ns+"/data") || !strings.Contains(err.Error(), "would lose what it stands for") {
		t.Errorf("error %v", err)
	}
}

// interrupted is a transport that fails every request but the first n, or
// cancels a context at the nth.
type interrupted struct {
	next   http.RoundTripper
	left   atomic.Int64
	cancel context.CancelFunc
}

func (i *interrupted) RoundTrip(r *http.Request) (*http.Response, error) {
	if i.left.Add(-1) < 0 {
		if i.cancel == nil {
			return nil, errors.New("the machine lost its power")
		}
		i.cancel()
	}
	return i.next.RoundTrip(r)
}

func (w *world) interruptedAfter(n int64, cancel context.CancelFunc) func(context.Context) (*rest.Config, error) {
	return func(context.Context) (*rest.Config, error) {
		config := rest.CopyConfig(w.server.Config)
		config.Wrap(func(next http.RoundTripper) http.RoundTripper {
			i := &interrupted{next: next, cancel: cancel}
			i.left.Store(n)
			return i
		})
		return config, nil
	}
}

// TestInterruptedAnywhereItFinishes breaks off a change that creates, updates,
// replaces, deletes and moves, after every number of requests, and wants the
// next run to finish it: nothing may be left over and nothing lost.
func TestInterruptedAnywhereItFinishes(t *testing.T) {
	for name, withCancel := range map[string]bool{"crash": false, "interrupt": true} {
		t.Run(name, func(t *testing.T) {
			for n := int64(0); ; n += 3 {
				w := newWorld(t)
				w.namespace()
				const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.NS.example.net}
spec:
  group: NS.example.net
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: NS.example.net/v1
kind: Thing
metadata: {name: a, namespace: NS}
spec: {a: b}
---
`
				w.apply(append(files("shop", w.parse(twoConfigs+"---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: NS}\n")),
					files("gone", w.parse("{apiVersion: v1, kind: ServiceAccount, metadata: {name: gone, namespace: NS}}"))...))
				then := files("shop", w.parse(definition+strings.ReplaceAll(twoConfigs, "{k: v}", "{k: w}")+`
---
apiVersion: v1
kind: Service
metadata: {name: s, namespace: NS}
spec: {ports: [{port: 80}]}
`))
				planned := w.plan(then)
				ctx, cancel := context.WithCancel(t.Context())
				o := w.options
				o.Files = then
				if withCancel {
					o.Connect = w.interruptedAfter(n, cancel)
				} else {
					o.Connect = w.interruptedAfter(n, nil)
				}
				done, err := New(o).Apply(ctx)
				cancel()
				if err == nil && n == 0 {
					t.Fatal("nothing was interrupted")
				}
				// What it says it did is exactly what need not be done again.
				rest := w.plan(then)
				var together []plan.Change
				for _, c := range append(done, rest...) {
					if !strings.Contains(c.Resource, "applyset-") {
						together = append(together, c)
					}
				}
				if err != nil && len(together) != len(planned) && withCancel {
					t.Errorf("after %d requests: planned\n%s\ndone\n%s\nleft\n%s", n, describe(planned), describe(done), describe(rest))
				}
				w.apply(then)
				w.wantEmpty(then)
				if w.parent("gone") != nil {
					t.Errorf("after %d requests: the removed file's parent is left", n)
				}
				w.wantKinds("shop", "ConfigMap,CustomResourceDefinition.apiextensions.k8s.io,Service,Thing."+w.ns+".example.net")
				if secrets, err := w.client.CoreV1().Secrets(w.ns).List(t.Context(), metav1.ListOptions{}); err != nil || len(secrets.Items) > 0 {
					t.Errorf("after %d requests: %d secrets are left (%v)", n, len(secrets.Items), err)
				}
				if err == nil {
					t.Logf("it takes %d requests at most", n)
					break
				}
			}
		})
	}
}

func TestClientSideApplyIsTakenOver(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	const before = `
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: NS, labels: {old: label}}
data: {k: old, gone: field}
---
apiVersion: v1
kind: Service
metadata: {name: s, namespace: NS}
spec:
  selector: {app: a}
  sessionAffinity: ClientIP
  ports: [{name: http, port: 80, targetPort: 8080}, {name: old, port: 81}]
`
	w.mustKubectl(before, "apply", "-f", "-")
	fs := files("shop", w.parse(`
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: NS}
data: {k: new}
---
apiVersion: v1
kind: Service
metadata: {name: s, namespace: NS}
spec: {selector: {app: a}, ports: [{name: http, port: 80, targetPort: 8080}]}
`))
	var got []string
	for _, c := range w.plan(fs) {
		for _, f := range c.Diff {
			if !strings.Contains(f.Path, "applyset") && !strings.Contains(f.Path, "last-applied") {
				got = append(got, fmt.Sprintf("%s %s: %s -> %s", c.Op, f.Path, text(f.From), text(f.To)))
			}
		}
	}
	want := `update data.gone: "field" -> null
update data.k: "old" -> "new"
update metadata.labels.old: "label" -> null
update spec.ports[port=81,protocol="TCP"].name: "old" -> null
update spec.ports[port=81,protocol="TCP"].port: 81 -> null
update spec.ports[port=81,protocol="TCP"].protocol: "TCP" -> null
update spec.ports[port=81,protocol="TCP"].targetPort: 81 -> null
update spec.sessionAffinity: "ClientIP" -> "None"
update spec.sessionAffinityConfig.clientIP.timeoutSeconds: 10800 -> null`
	if g := strings.Join(got, "\n"); g != want {
		t.Errorf("plan\n%s\nwant\n%s", g, want)
	}
	w.apply(fs)
	w.wantEmpty(fs)
	c, err := w.client.CoreV1().ConfigMaps(w.ns).Get(t.Context(), "a", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Data) != 1 || c.Labels["old"] != "" || len(c.Annotations) > 0 {
		t.Errorf("left over: data %v, labels %v, annotations %v", c.Data, c.Labels, c.Annotations)
	}
	for _, entry := range c.ManagedFields {
		if entry.Manager == clientSideApply {
			t.Error("client-side apply still owns fields")
		}
	}
}

func TestOperatorsRolloutsGoOn(t *testing.T) {
	w := newWorld(t)
	w.runPods()
	w.namespace()
	fs := files("shop", w.parse(webDeployment))
	w.apply(fs)
	w.mustKubectl("", "rollout", "restart", "deployment/web", "-n", w.ns)
	w.wantEmpty(fs)
	w.mustKubectl("", "rollout", "pause", "deployment/web", "-n", w.ns)
	w.wantEmpty(fs)
	// A paused rollout stays paused, and isn't waited for.
	next := files("shop", w.parse(strings.ReplaceAll(webDeployment, "web:1", "web:2")))
	w.apply(next)
	d, err := w.client.AppsV1().Deployments(w.ns).Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !d.Spec.Paused || d.Spec.Template.Annotations[restartedAt] == "" || d.Spec.Template.Spec.Containers[0].Image != "web:2" {
		t.Errorf("paused %v, template %v", d.Spec.Paused, d.Spec.Template)
	}
	if h := w.verify(next)[0]; h.State != plan.Ready || !strings.Contains(h.Reason, "paused") {
		t.Errorf("health %+v, want it to say that it is paused", h)
	}
	w.mustKubectl("", "rollout", "resume", "deployment/web", "-n", w.ns)
	w.apply(next)
	w.mustKubectl("", "rollout", "undo", "deployment/web", "-n", w.ns)
	changes := w.plan(next)
	if len(changes) != 1 || len(changes[0].Diff) != 1 || changes[0].Diff[0].From != "web:1" || !strings.Contains(changes[0].Reason, "held by kubectl") {
		t.Errorf("want the undone image to show, got\n%s", describe(changes))
	}
}

func TestReplicasAreHandedToAnAutoscaler(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	w.runPods()
	w.apply(files("shop", w.parse(webDeployment)))
	scaled := files("shop", w.parse(webDeployment+`
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: NS}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 9
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
`))
	if got, want := describe(w.plan(scaled)), "create HorizontalPodAutoscaler "+w.ns+"/web\n"; got != want {
		t.Errorf("plan\n%s\nwant\n%s", got, want)
	}
	w.apply(scaled)
	replicas := func() int32 {
		d, err := w.client.AppsV1().Deployments(w.ns).Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return *d.Spec.Replicas
	}
	if n := replicas(); n != 3 {
		t.Errorf("%d replicas, want the 3 that there were", n)
	}
	w.wantEmpty(scaled)
	scale := &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: w.ns}, Spec: autoscalingv1.ScaleSpec{Replicas: 5}}
	if _, err := w.client.AppsV1().Deployments(w.ns).UpdateScale(t.Context(), "web", scale, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.wantEmpty(scaled)
	w.apply(scaled)
	if n := replicas(); n != 5 {
		t.Errorf("%d replicas, want the autoscaler's 5", n)
	}
}

// TestAutoscaledFromTheStart expects a new workload with as many replicas as its
// autoscaler keeps at least, or as there were before it was replaced, and that
// they aren't ours to hold.
func TestAutoscaledFromTheStart(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	w.runPods()
	at := func(selector string) []File {
		return files("shop", w.parse(strings.NewReplacer("SELECTOR", selector).Replace(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: NS}
spec: {replicas: 1, selector: {matchLabels: {app: SELECTOR}}, template: {metadata: {labels: {app: SELECTOR}}, spec: {containers: [{name: main, image: "web:1"}]}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: NS}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 9
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
`)))
	}
	ready := func() int32 {
		d, err := w.client.AppsV1().Deployments(w.ns).Get(t.Context(), "web", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return d.Status.ReadyReplicas
	}
	w.apply(at("web"))
	if n := ready(); n != 2 {
		t.Errorf("%d replicas are ready, want 2", n)
	}
	w.wantEmpty(at("web"))
	scale := &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: w.ns}, Spec: autoscalingv1.ScaleSpec{Replicas: 4}}
	if _, err := w.client.AppsV1().Deployments(w.ns).UpdateScale(t.Context(), "web", scale, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.apply(at("other"))
	if n := ready(); n != 4 {
		t.Errorf("%d replicas are ready after the replacement, want 4", n)
	}
	w.wantEmpty(at("other"))
}

// TestSilences are the changes for which a dry run says that there are none.
// They are planned all the same; if one of these fails, the server has
// learnt to speak.
func TestSilences(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	const before = `
apiVersion: v1
kind: Service
metadata: {name: s, namespace: NS}
spec: {clusterIP: None, selector: {app: a}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: NS}
stringData: {a: b, c: d}
`
	w.apply(files("shop", w.parse(before)))
	fs := files("shop", w.parse(strings.NewReplacer("clusterIP: None, ", "", ", c: d", "").Replace(before)))
	_, objects, err := w.layer(fs).declared()
	if err != nil {
		t.Fatal(err)
	}
	s := w.connect()
	for _, o := range objects {
		if o.Kind != "Service" {
			continue
		}
		if got, _ := ask(t.Context(), s, o, w.read(s, o)); got != same {
			t.Errorf("the dry run says %s of a dropped clusterIP: None; keepsHeadless is no longer needed", got)
		}
	}
	got := hashes.ReplaceAllString(describe(w.plan(fs)), "HASH")
	want := strings.ReplaceAll(`update Secret NS/s
  data.c: "(secret, HASH)" -> null
replace Service NS/s (a Service made without an address can't get one later)
  spec.clusterIP: "None" -> null
`, "NS", w.ns)
	if got != want {
		t.Errorf("plan\n%s\nwant\n%s", got, want)
	}
	w.apply(fs)
	w.wantEmpty(fs)
	service, err := w.client.CoreV1().Services(w.ns).Get(t.Context(), "s", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	secret, err := w.client.CoreV1().Secrets(w.ns).Get(t.Context(), "s", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if service.Spec.ClusterIP == "None" || len(secret.Data) != 1 {
		t.Errorf("address %s, secret's keys %d", service.Spec.ClusterIP, len(secret.Data))
	}
}

// TestStockKubectlReadsOurSets gives one of our sets to kubectl, by changing
// nothing but the name of the tool, and wants kubectl apply --prune to find
// exactly its members. What kubectl applies has to be in the parent's own
// namespace; what it prunes is anywhere.
func TestStockKubectlReadsOurSets(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	const stays = `
apiVersion: v1
kind: ConfigMap
metadata: {name: NS-stays, namespace: kube-system}
data: {k: v}
`
	w.apply(files("shop", w.parse(stays+"---"+twoConfigs+`
---
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: NS}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: NS-role}
`)))
	parent := w.parent("shop").Name
	args := []string{"apply", "--server-side", "--force-conflicts", "--field-manager", Manager, "--applyset", "configmap/" + parent, "-n", parentNamespace, "--prune", "-f", "-"}
	out, err := w.kubectl(stays, args...)
	if err == nil || !strings.Contains(out, `managed by tooling "platform" instead of "kubectl"`) {
		t.Fatalf("kubectl must leave our sets alone, but: %v\n%s", err, out)
	}
	tool := func(name string) {
		t.Helper()
		patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, annotationTooling, name)
		if _, err := w.client.CoreV1().ConfigMaps(parentNamespace).Patch(t.Context(), parent, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	tool("kubectl/v1.36.1")
	out = w.mustKubectl(stays, args...)
	for _, want := range []string{"configmap/a pruned", "configmap/b pruned", "secret/s pruned", "clusterrole.rbac.authorization.k8s.io/" + w.ns + "-role pruned"} {
		if !strings.Contains(out, want) {
			t.Errorf("kubectl didn't say %q:\n%s", want, out)
		}
	}
	if strings.Count(out, "pruned") != 4 {
		t.Errorf("kubectl pruned more:\n%s", out)
	}
	// And back: what kubectl wrote is as we would have written it.
	w.wantKinds("shop", "ConfigMap")
	tool(tooling)
	w.wantEmpty(files("shop", w.parse(stays)))
}
