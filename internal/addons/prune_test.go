package addons

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"platform/internal/plan"
)

const twoConfigs = `
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: NS}
data: {k: v}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b, namespace: NS}
data: {k: v}
`

// without leaves out the objects of a kind or of a name.
func without(objects []*unstructured.Unstructured, kindOrName string) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, u := range objects {
		if u.GetKind() != kindOrName && u.GetName() != kindOrName {
			out = append(out, u)
		}
	}
	return out
}

func (w *world) configs() string {
	w.t.Helper()
	list, err := w.client.CoreV1().ConfigMaps(w.ns).List(w.t.Context(), metav1.ListOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, c := range list.Items {
		if c.Name != "kube-root-ca.crt" {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, " ")
}

func (w *world) parent(file string) *corev1.ConfigMap {
	w.t.Helper()
	name := setKey{w.options.Repository, w.options.Cluster, file}.name()
	parent, err := w.client.CoreV1().ConfigMaps(parentNamespace).Get(w.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return nil
	}
	return parent
}

func (w *world) wantKinds(file, want string) {
	w.t.Helper()
	parent := w.parent(file)
	if parent == nil {
		w.t.Errorf("the set of %s has no parent", file)
	} else if got := parent.Annotations[annotationKinds]; got != want {
		w.t.Errorf("the set of %s is said to contain %q, want %q", file, got, want)
	}
}

func TestPrune(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	all := w.parse(twoConfigs + `
---
apiVersion: v1
kind: Service
metadata: {name: s, namespace: NS}
spec: {ports: [{port: 80}]}
`)
	w.apply(files("shop", all))
	w.wantKinds("shop", "ConfigMap,Service")
	if got := w.parent("shop").Annotations[annotationNamespaces]; got != w.ns {
		t.Errorf("additional namespaces %q, want %q", got, w.ns)
	}
	less := files("shop", without(without(all, "b"), "Service"))
	want := strings.ReplaceAll("delete Service NS/s (git no longer has it in shop)\ndelete ConfigMap NS/b (git no longer has it in shop)\n", "NS", w.ns)
	if got := describe(w.plan(less)); got != want {
		t.Errorf("plan\n%s\nwant\n%s", got, want)
	}
	if got := describe(w.apply(less)); got != want {
		t.Errorf("applied\n%s\nwant\n%s", got, want)
	}
	if got := w.configs(); got != "a" {
		t.Errorf("left are %q", got)
	}
	w.wantKinds("shop", "ConfigMap")
	w.wantEmpty(less)
}

func TestPruneLeavesChildrenAndStrangersAlone(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	fs := files("shop", w.parse(twoConfigs))
	w.apply(fs)
	owner, err := w.client.CoreV1().ConfigMaps(w.ns).Get(t.Context(), "a", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	for name, change := range map[string]func(c *corev1.ConfigMap){
		// What a controller makes often gets its parent's labels.
		"child": func(c *corev1.ConfigMap) {
			c.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "a", UID: owner.UID, Controller: &yes}}
		},
		// Endpoints get their service's labels and have no owner.
		"copy": func(*corev1.ConfigMap) {},
	} {
		c := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: owner.Labels}}
		change(c)
		if _, err := w.client.CoreV1().ConfigMaps(w.ns).Create(t.Context(), c, metav1.CreateOptions{FieldManager: "some-controller"}); err != nil {
			t.Fatal(err)
		}
	}
	w.wantEmpty(fs)
	w.apply(fs)
	if got := w.configs(); got != "a b child copy" {
		t.Errorf("left are %q", got)
	}
}

func TestPruneKeepsData(t *testing.T) {
	w := newWorld(t)
	w.options.Report = w.record
	all := w.parse(`
apiVersion: v1
kind: Namespace
metadata: {name: NS}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: NS-slow}
provisioner: example.net/none
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: NS}
spec: {accessModes: [ReadWriteOnce], storageClassName: NS-slow, resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: NS}
`)
	w.apply(files("shop", all))
	less := files("shop", without(without(all, "PersistentVolumeClaim"), "ConfigMap"))
	if got, want := describe(w.plan(less)), "delete ConfigMap "+w.ns+"/a (git no longer has it in shop)\n"; got != want {
		t.Errorf("plan\n%s\nwant\n%s", got, want)
	}
	kept := false
	for _, e := range w.seen() {
		kept = kept || e.Action == "kept" && e.Resource == "PersistentVolumeClaim "+w.ns+"/data"
	}
	if !kept {
		t.Error("nothing says that the claim is kept")
	}
	w.apply(less)
	// It stays on record, so that --prune-data finds it later.
	w.wantKinds("shop", "Namespace,PersistentVolumeClaim,StorageClass.storage.k8s.io")
	w.wantEmpty(less)
	// Even when the whole file goes.
	w.apply(nil)
	w.wantKinds("shop", "Namespace,PersistentVolumeClaim")
	w.wantEmpty(nil)

	w.options.PruneData = true
	want := strings.ReplaceAll("delete PersistentVolumeClaim NS/data (git no longer has it in shop)\ndelete Namespace NS (git no longer has it in shop)\n", "NS", w.ns)
	if got := describe(w.plan(nil)); got != want {
		t.Errorf("plan\n%s\nwant\n%s", got, want)
	}
	if err := w.server.StartControllers(); err != nil { // they end a namespace
		t.Fatal(err)
	}
	w.options.Timeout = time.Minute
	w.apply(nil)
	if w.parent("shop") != nil {
		t.Error("the parent is still there")
	}
}

func TestRemovedFile(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	both := append(files("shop", w.parse(twoConfigs)), files("till", w.parse("{apiVersion: v1, kind: ConfigMap, metadata: {name: t, namespace: NS}}"))...)
	w.apply(both)
	// Sets of other repositories and clusters aren't ours to prune.
	o := w.options
	w.options.Repository = "another"
	w.wantEmpty(nil)
	w.options = o
	w.options.Cluster = "another"
	w.wantEmpty(nil)
	w.options = o

	one := both[:1]
	want := "delete ConfigMap " + w.ns + "/t (git no longer has it in till)\n"
	if got := describe(w.plan(one)); got != want {
		t.Errorf("plan\n%s\nwant\n%s", got, want)
	}
	w.apply(one)
	if w.parent("till") != nil {
		t.Error("the parent of the removed file is still there")
	}
	if got := w.configs(); got != "a b" {
		t.Errorf("left are %q", got)
	}
	w.wantEmpty(one)
}

func TestMovingBetweenFilesIsNoDeletion(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	all := w.parse(twoConfigs)
	w.apply(append(files("shop", all), files("till", nil)...))
	uid := func() types.UID {
		c, err := w.client.CoreV1().ConfigMaps(w.ns).Get(t.Context(), "b", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return c.UID
	}
	before := uid()
	moved := append(files("shop", all[:1]), files("till", all[1:])...)
	changes := w.apply(moved)
	if len(changes) != 1 || changes[0].Op != plan.Update || len(changes[0].Diff) != 1 || !strings.Contains(changes[0].Diff[0].Path, labelMember) {
		t.Errorf("want an update of the label, got\n%s", describe(changes))
	}
	if uid() != before {
		t.Error("the object was made anew")
	}
	w.wantKinds("till", "ConfigMap")
	w.wantEmpty(moved)
}

func TestWhatCannotBeDeletedStaysOnRecord(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	all := w.parse(twoConfigs + `
---
apiVersion: v1
kind: Secret
metadata: {name: held, namespace: NS, finalizers: [example.net/hold]}
`)
	w.apply(files("shop", all))
	less := files("shop", without(all, "Secret"))
	w.options.Timeout = 500 * time.Millisecond
	done, err := w.layer(less).Apply(t.Context())
	var notReady *NotReadyError
	if !errors.As(err, &notReady) || !strings.Contains(err.Error(), "example.net/hold") {
		t.Fatalf("error %v, want a NotReadyError that names the finalizer", err)
	}
	if len(done) != 1 || done[0].Op != plan.Delete {
		t.Errorf("done\n%s", describe(done))
	}
	w.wantKinds("shop", "ConfigMap,Secret")
	w.wantEmpty(less)
	w.apply(less)
	w.wantKinds("shop", "ConfigMap,Secret")
	patch := []byte(`{"metadata":{"finalizers":null}}`)
	if _, err := w.client.CoreV1().Secrets(w.ns).Patch(t.Context(), "held", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	changes := w.plan(less)
	if len(changes) != 1 || !strings.HasPrefix(changes[0].Resource, "ConfigMap kube-system/applyset-shop-") {
		t.Errorf("want the record to be brought up to date, got\n%s", describe(changes))
	}
	w.apply(less)
	w.wantKinds("shop", "ConfigMap")
	w.wantEmpty(less)
}

func TestForeignSetIsRefused(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	fs := files("shop", w.parse(twoConfigs))
	name := setKey{w.options.Repository, w.options.Cluster, "shop"}.name()
	for what, parent := range map[string]*corev1.ConfigMap{
		"no set at all": {ObjectMeta: metav1.ObjectMeta{Name: name}},
		"kubectl's": {ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{labelParent: newApplySet(setKey{w.options.Repository, w.options.Cluster, "shop"}).id},
			Annotations: map[string]string{annotationTooling: "kubectl/v1.36.1", annotationKinds: "ConfigMap"},
		}},
	} {
		if _, err := w.client.CoreV1().ConfigMaps(parentNamespace).Create(t.Context(), parent, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		var foreign *ForeignSetError
		if _, err := w.layer(fs).Plan(t.Context()); !errors.As(err, &foreign) {
			t.Errorf("%s: plan gave %v", what, err)
		}
		if _, err := w.layer(fs).Apply(t.Context()); !errors.As(err, &foreign) {
			t.Errorf("%s: apply gave %v", what, err)
		}
		if got := w.configs(); got != "" {
			t.Errorf("%s: %q was applied", what, got)
		}
		if err := w.client.CoreV1().ConfigMaps(parentNamespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLostParentIsMadeAnew(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	fs := files("shop", w.parse(twoConfigs))
	w.apply(fs)
	if err := w.client.CoreV1().ConfigMaps(parentNamespace).Delete(t.Context(), w.parent("shop").Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	changes := w.plan(fs)
	if len(changes) != 1 || changes[0].Op != plan.Create || !strings.HasPrefix(changes[0].Resource, "ConfigMap kube-system/applyset-shop-") {
		t.Errorf("want the parent to be created, got\n%s", describe(changes))
	}
	w.apply(fs)
	w.wantKinds("shop", "ConfigMap")
	w.wantEmpty(fs)
}
