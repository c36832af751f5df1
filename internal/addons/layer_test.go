package addons

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"platform/internal/plan"
)

func TestWithoutAClusterEverythingIsNew(t *testing.T) {
	l := New(Options{
		Files:   files("shop", parse(t, strings.ReplaceAll(readTree(t, "shop"), "NS", "shop"))),
		Connect: func(context.Context) (*rest.Config, error) { return nil, fmt.Errorf("dev: %w", ErrNoCluster) },
	})
	changes, err := l.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) != 28 || slices.ContainsFunc(changes, func(c plan.Change) bool { return c.Op != plan.Create }) {
		t.Errorf("want 28 creates, got\n%s", describe(changes))
	}
	healths, err := l.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range healths {
		if h.State != plan.Missing || h.Stack != "shop" {
			t.Errorf("%+v, want missing", h)
		}
	}
	if _, err := l.Apply(t.Context()); err == nil {
		t.Error("applying without a cluster must fail")
	}
	if l.Requests() != 0 {
		t.Errorf("%d requests to no cluster", l.Requests())
	}
}

func TestApplyThenPlanIsEmpty(t *testing.T) {
	w := newWorld(t)
	w.runPods()
	fs := files("shop", w.parse(readTree(t, "shop")))
	planned := w.plan(fs)
	done := w.apply(fs)
	if got, want := describe(done), describe(planned); got != want {
		t.Errorf("done\n%s\nplanned\n%s", got, want)
	}
	l := w.layer(fs)
	changes, err := l.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) > 0 {
		t.Errorf("want an empty plan, got\n%s", describe(changes))
	}
	// Two for discovery, one for the parents, one for each of 26 kinds, and
	// a dry run for the LimitRange, in whose list, which is owned as a whole,
	// the server derives defaults from one another.
	if n := l.Requests(); n != 30 {
		t.Errorf("%d requests, want 30: how many objects need a dry run to be cleared?", n)
	}
	if done := w.apply(fs); len(done) > 0 {
		t.Errorf("applying again did\n%s", describe(done))
	}
	for _, h := range w.verify(fs) {
		if h.State != plan.Ready {
			t.Errorf("%+v, want ready", h)
		}
	}
	// The label is on the objects and nowhere in what they make.
	d, err := w.client.AppsV1().Deployments(w.ns).Get(t.Context(), "shop", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Labels[labelMember] == "" || d.Spec.Template.Labels[labelMember] != "" {
		t.Errorf("labels %v, of the pods %v", d.Labels, d.Spec.Template.Labels)
	}
}

func (w *world) verify(fs []File) []plan.Health {
	w.t.Helper()
	healths, err := w.layer(fs).Verify(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return healths
}

// TestEditedFieldsShow has somebody edit each declared field, one of each
// object at a time, and wants the plan to show exactly those.
func TestEditedFieldsShow(t *testing.T) {
	w := newWorld(t)
	fs, objects := w.tree("shop")
	w.applyAll(objects)
	s := w.connect()
	edited, refused := 0, 0
	for round := 0; ; round++ {
		var want []string
		var edits []*object
		more := false
		for _, o := range objects {
			paths := leaves(nil, o.body.Object)
			if round >= len(paths) {
				continue
			}
			more = true
			body := o.body.DeepCopy()
			path := paths[round]
			if o.Kind == "CustomResourceDefinition" && path[0] == "spec" || isKey(path) {
				continue
			}
			changed := editLeaf(body.Object, path)
			if !w.edit(s, o, body) {
				refused++
				continue
			}
			edited++
			edits = append(edits, o)
			want = append(want, fmt.Sprintf("%s: %s -> %s", o, text(changed), text(leafAt(o.body.Object, path))))
		}
		if !more {
			break
		}
		changes := w.plan(fs)
		var got []string
		for _, c := range changes {
			if len(c.Diff) != 1 || c.Op != plan.Update {
				t.Errorf("round %d: want one field, got\n%s", round, describe([]plan.Change{c}))
				continue
			}
			got = append(got, fmt.Sprintf("%s: %s -> %s", c.Resource, text(c.Diff[0].From), text(c.Diff[0].To)))
			if c.Diff[0].From != nil && !strings.Contains(c.Reason, "held by kubectl-edit") {
				t.Errorf("%s: reason %q doesn't say by whom it was edited", c.Resource, c.Reason)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); !sameButSecrets(g, w) {
			t.Errorf("round %d: got\n%s\nwant\n%s", round, g, w)
		}
		w.restore(s, edits)
	}
	t.Logf("%d fields edited, %d edits refused by the server", edited, refused)
	if edited < 100 {
		t.Errorf("only %d fields could be edited", edited)
	}
}

// isKey reports whether a path is that of a key of a list's item, or of an
// item of a set. Changing it makes another item, which is then somebody
// else's. The account's name is left out too: it has a twin that follows it.
func isKey(path []any) bool {
	if len(path) < 2 {
		return false
	}
	if path[1] == "tags" || path[len(path)-1] == "serviceAccountName" {
		return true
	}
	_, inItem := path[len(path)-2].(int)
	keys := []any{"name", "port", "containerPort", "protocol", "mountPath", "topologyKey", "whenUnsatisfiable"}
	return inItem && slices.Contains(keys, path[len(path)-1])
}

// sameButSecrets compares lines, but for the values of Secrets, for quotes
// (the server spells numbers as texts where they are quantities) and for false
// (which it may leave out).
func sameButSecrets(a, b string) bool {
	strip := func(s string) string {
		lines := strings.Split(strings.NewReplacer(`"`, "", "null", "false").Replace(s), "\n")
		for i, line := range lines {
			if strings.HasPrefix(line, "Secret ") {
				lines[i], _, _ = strings.Cut(line, ": ")
			}
		}
		return strings.Join(lines, "\n")
	}
	return strip(a) == strip(b)
}

// leaves gives the paths of the scalar values that somebody could change.
func leaves(path []any, value any) [][]any {
	var out [][]any
	switch v := value.(type) {
	case map[string]any:
		for _, name := range keysOf(v, nil) {
			if len(path) == 0 && (name == "apiVersion" || name == "kind") || len(path) == 1 && path[0] == "metadata" && (name == "name" || name == "namespace") || name == labelMember {
				continue
			}
			out = append(out, leaves(append(slices.Clone(path), name), v[name])...)
		}
	case []any:
		for i := range v {
			out = append(out, leaves(append(slices.Clone(path), i), v[i])...)
		}
	default:
		out = append(out, path)
	}
	return out
}

func leafAt(value any, path []any) any {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			value = value.(map[string]any)[s]
		case int:
			value = value.([]any)[s]
		}
	}
	return value
}

func editLeaf(object map[string]any, path []any) any {
	parent := leafAt(object, path[:len(path)-1])
	var to any
	switch v := leafAt(object, path).(type) {
	case string:
		to = v + "x"
		if path[0] == "data" && object["kind"] == "Secret" {
			to = "bW9yZQ=="
		}
	case int64:
		to = v + 1
	case bool:
		to = !v
	default:
		to = "x"
	}
	switch last := path[len(path)-1].(type) {
	case string:
		parent.(map[string]any)[last] = to
	case int:
		parent.([]any)[last] = to
	}
	return to
}

func TestGitEditsShow(t *testing.T) {
	w := newWorld(t)
	fs, objects := w.tree("shop")
	w.applyAll(objects)
	edited := strings.NewReplacer(
		"image: example.net/shop:1\n", "image: example.net/shop:2\n",
		"{name: dns-tcp, port: 53}", "{name: dns-tcp, port: 54}",
		"mode: fast, ", "",
		"correct horse", "battery staple",
		"tags: [web, app]", "tags: [web, till]",
	).Replace(readTree(t, "shop"))
	got := describe(w.plan(files("shop", w.parse(edited))))
	got = strings.ReplaceAll(got, w.ns, "NS")
	got = hashes.ReplaceAllString(got, "HASH")
	golden(t, "edits.golden", got)
	if strings.Contains(got, "staple") || strings.Contains(got, "YmF0dGVyeSBzdGFwbGU=") {
		t.Error("the plan shows a secret")
	}
	_ = fs
}

func TestBadInputIsNamed(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	for _, c := range []struct{ objects, want string }{
		{"{apiVersion: apps/v1, kind: Deploiment, metadata: {name: a, namespace: NS}}", "planning Deploiment NS/a (clusters/test/shop.jsonnet): the API server doesn't serve Deploiment of apps/v1"},
		{"{apiVersion: extensions/v1beta1, kind: Ingress, metadata: {name: a, namespace: NS}}", "the API server doesn't serve Ingress of extensions/v1beta1: declare"},
		{"{apiVersion: apps/v1beta1, kind: Deployment, metadata: {name: a, namespace: NS}}", "the API server doesn't serve Deployment of apps/v1beta1: use apps/v1"},
		{"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", "it has no metadata.namespace"},
		{"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a, namespace: NS}}", `a ClusterRole belongs to no namespace, but metadata.namespace is "NS"`},
		{"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: NS-nowhere}}", "there is no namespace NS-nowhere: declare it in git as well"},
	} {
		_, err := w.layer(files("shop", w.parse(c.objects))).Plan(t.Context())
		if want := strings.ReplaceAll(c.want, "NS", w.ns); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", c.objects, err, want)
		}
	}
	// A misspelt field is the server's to find.
	fs := files("shop", w.parse("{apiVersion: v1, kind: Service, metadata: {name: a, namespace: NS}, spec: {portz: []}}"))
	done, err := w.layer(fs).Apply(t.Context())
	if err == nil || !strings.Contains(err.Error(), "applying Service "+w.ns+"/a (clusters/test/shop.jsonnet)") || !strings.Contains(err.Error(), "portz") {
		t.Errorf("error %v, want one that names the object and the field", err)
	}
	if len(done) > 0 {
		t.Errorf("claims to have done %s", describe(done))
	}
}

// TestManyObjects is about pages, requests and time.
func TestManyObjects(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	var objects []*unstructured.Unstructured
	for i := range 600 {
		objects = append(objects, w.parse(fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: c%d, namespace: NS, labels: {app: many}}, data: {a: '%d', b: some text}}", i, i))...)
	}
	fs := files("many", objects)
	start := time.Now()
	l := w.layer(fs)
	done, err := l.Apply(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d new objects in %s, %d requests", len(done), time.Since(start), l.Requests())
	start = time.Now()
	l = w.layer(fs)
	changes, err := l.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a plan without a change in %s, %d requests", time.Since(start), l.Requests())
	if len(changes) > 0 {
		t.Errorf("want an empty plan, got\n%s", describe(changes))
	}
	// Discovery, the parents, and two pages.
	if l.Requests() != 5 {
		t.Errorf("%d requests, want 5", l.Requests())
	}
}

func TestWarningsAreReported(t *testing.T) {
	w := newWorld(t)
	w.options.Report = w.record
	w.apply(files("shop", w.parse(`
apiVersion: v1
kind: Namespace
metadata: {name: NS, labels: {pod-security.kubernetes.io/warn: restricted}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: NS}
spec: {replicas: 0, selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: a}]}}}
`)))
	n := 0
	for _, e := range w.seen() {
		if e.Action == "warning" && strings.Contains(e.Detail, `would violate PodSecurity "restricted`) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("want the warning once, got %d in %v", n, w.seen())
	}
}
