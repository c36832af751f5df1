package addons

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"platform/internal/plan"
)

var (
	mutations = flag.Int("mutations", 300, "how many mutations the differential test makes")
	seed      = flag.Uint64("seed", 1, "where the differential test's mutations begin")
)

// applyAll applies all objects without waiting for anything to run, which is
// all that comparing needs.
func (w *world) applyAll(objects []*object) {
	w.t.Helper()
	s := w.connect()
	for _, stage := range Stages {
		var of []*object
		for _, o := range objects {
			if o.stage == stage {
				of = append(of, o)
			}
		}
		errs := each(w.t.Context(), 16, len(of), func(i int) error {
			k, ok := s.kinds.of(of[i].gvk)
			if !ok {
				return s.kinds.unserved(of[i].gvk)
			}
			_, err := s.apply(w.t.Context(), k, of[i].body, applyOptions{manager: Manager, force: true})
			if err != nil {
				return fmt.Errorf("%s: %w", of[i], err)
			}
			return nil
		})
		if err := join(errs); err != nil {
			w.t.Fatal(err)
		}
		if stage == Definitions {
			if err := w.layer(nil).await(w.t.Context(), s, w.setsOf(objects), of, nil); err != nil {
				w.t.Fatal(err)
			}
			a := &applier{Layer: w.layer(nil), api: s}
			var rest []*step
			for _, o := range objects {
				rest = append(rest, &step{object: o, do: create})
			}
			if err := a.resolve(w.t.Context(), rest); err != nil {
				w.t.Fatal(err)
			}
			for _, set := range w.setsOf(objects) {
				if err := a.writeParent(w.t.Context(), set, set.wanted); err != nil {
					w.t.Fatal(err)
				}
			}
		}
	}
}

func (w *world) setsOf(objects []*object) []*applySet {
	var out []*applySet
	for _, o := range objects {
		if !slices.Contains(out, o.set) {
			out = append(out, o.set)
		}
	}
	return out
}

// tree gives the world's tree, prepared, and its files.
func (w *world) tree(name string) ([]File, []*object) {
	w.t.Helper()
	fs := files(name, w.parse(readTree(w.t, name)))
	l := w.layer(fs)
	_, objects, err := l.declared()
	if err != nil {
		w.t.Fatal(err)
	}
	return fs, objects
}

func (w *world) read(s *api, o *object) *unstructured.Unstructured {
	w.t.Helper()
	k, _ := s.kinds.of(o.gvk)
	u, err := s.get(w.t.Context(), k, o.ref)
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// verdict is what is to be done about an object, in the terms that both ways
// of finding out have in common.
type verdict string

const (
	same    verdict = "same"
	differs verdict = "differs"
	anew    verdict = "anew" // can't be changed in place
	refused verdict = "refused"
)

// ask is the other way of finding out: one forced dry run for each object.
func ask(ctx context.Context, s *api, o *object, live *unstructured.Unstructured) (verdict, *unstructured.Unstructured) {
	k, _ := s.kinds.of(o.gvk)
	after, err := s.apply(ctx, k, o.body, applyOptions{manager: Manager, force: true, dryRun: true})
	switch {
	case err != nil && isImmutable(err):
		return anew, nil
	case err != nil:
		return refused, nil
	case equal(decided(live), decided(after)):
		return same, after
	}
	return differs, after
}

func verdictOf(st *step, err error) verdict {
	switch {
	case err != nil && strings.Contains(err.Error(), "would lose what it stands for"):
		return anew
	case err != nil:
		return refused
	case st.do == replace:
		return anew
	case st.do == update:
		return differs
	case st.do == nothing, st.do == adopt:
		return same
	}
	return verdict(fmt.Sprintf("action %d", st.do))
}

// TestPlanAgreesWithDryRuns compares the engine with one dry run for each
// object, over mutations of what git declares and of what is in the cluster,
// and a part of its predictions with what applying then really makes.
func TestPlanAgreesWithDryRuns(t *testing.T) {
	w := newWorld(t)
	fs, objects := w.tree("shop")
	counts := w.agree(fs, objects, *mutations)
	for _, v := range []verdict{same, differs, anew, refused} {
		if counts[v] == 0 {
			t.Errorf("no mutation led to %q: the test doesn't test it", v)
		}
	}
}

// agree applies objects, mutates them here and there, in git or in the cluster,
// and fails where the engine and a dry run for each object say different things.
// It gives the verdicts.
func (w *world) agree(fs []File, objects []*object, mutations int) map[verdict]int {
	t := w.t
	t.Helper()
	w.applyAll(objects)
	s := w.connect()
	l := w.layer(fs)
	random := rand.New(rand.NewPCG(*seed, 0))
	counts := map[verdict]int{}
	settledCount := 0
	for made := 0; made < mutations; {
		mutated := slices.Clone(objects)
		said := make([]string, len(objects))
		for i, o := range objects {
			if random.IntN(5) == 0 {
				continue // some stay as they are
			}
			c := *o
			c.body = o.body.DeepCopy()
			if random.IntN(2) == 0 || governs(o) {
				said[i] = "git: " + mutate(random, c.body)
			} else {
				body := o.body.DeepCopy()
				said[i] = "cluster: " + mutate(random, body)
				w.edit(s, o, body)
			}
			mutated[i] = &c
			made++
		}
		live := make([]*unstructured.Unstructured, len(objects))
		for i, o := range objects {
			live[i] = w.read(s, o)
		}
		steps, _, errs, err := l.compare(t.Context(), s, w.setsOf(objects), mutated)
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range mutated {
			want, after := ask(t.Context(), s, o, live[i])
			got := verdictOf(steps[i], errs[i])
			counts[want]++
			if by, err := ownersOf(live[i]); err == nil && settled(o.body, live[i], by) {
				settledCount++
			}
			if got == anew && want == same && keepsHeadless(o, live[i], mustOwn(t, live[i])) {
				continue // a silence of the dry run, see TestSilences
			}
			if got != want {
				t.Errorf("seed %d: %s after %s: %s, the dry run says %s (%v)\n%s", *seed, o, said[i], got, want, errs[i], describe([]plan.Change{{Resource: o.String(), Diff: steps[i].diff}}))
				continue
			}
			if want != differs || governs(o) || random.IntN(4) > 0 {
				continue
			}
			k, _ := s.kinds.of(o.gvk)
			if _, err := s.apply(t.Context(), k, o.body, applyOptions{manager: Manager, force: true}); err != nil {
				t.Errorf("%s after %s: applying: %v", o, said[i], err)
				continue
			}
			if now := w.read(s, o); !equal(withoutRandom(decided(now)), withoutRandom(decided(after))) {
				t.Errorf("%s after %s: applying made something else than foreseen:\n%v", o, said[i], diffObjects(after, now, nil))
			}
		}
		if t.Failed() {
			return counts
		}
		w.restore(s, objects)
		w.wantEmpty(fs)
	}
	t.Logf("the verdicts: %v; %d were settled without a dry run", counts, settledCount)
	return counts
}

// governs reports whether changing an object in the cluster changes what the
// server says of others, which would then be compared with something else.
func governs(o *object) bool {
	return o.stage == Definitions || o.stage == Admission
}

func mustOwn(t testing.TB, u *unstructured.Unstructured) *fieldpath.Set {
	by, err := ownersOf(u)
	if err != nil {
		t.Fatal(err)
	}
	return by.ours()
}

// withoutRandom leaves out the node ports that the server draws.
func withoutRandom(object map[string]any) map[string]any {
	u := (&unstructured.Unstructured{Object: object}).DeepCopy()
	ports, _, _ := unstructured.NestedSlice(u.Object, "spec", "ports")
	for _, p := range ports {
		delete(p.(map[string]any), "nodePort")
	}
	if len(ports) > 0 && u.GetKind() == "Service" {
		unstructured.SetNestedSlice(u.Object, ports, "spec", "ports")
		unstructured.RemoveNestedField(u.Object, "spec", "healthCheckNodePort")
	}
	return u.Object
}

// edit does to the live object what somebody with kubectl edit would, and
// reports whether the server let it be done.
func (w *world) edit(s *api, o *object, to *unstructured.Unstructured) bool {
	w.t.Helper()
	patch, err := json.Marshal(mergePatch(o.body.Object, to.Object))
	if err != nil {
		w.t.Fatal(err)
	}
	k, _ := s.kinds.of(o.gvk)
	_, err = s.resource(k, o.Namespace).Patch(w.t.Context(), o.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "kubectl-edit"})
	if err != nil && !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) && !apierrors.IsForbidden(err) {
		w.t.Logf("%s: %s: %v", o, patch, err)
	}
	return err == nil
}

// mergePatch is the patch that turns one value into another.
func mergePatch(from, to map[string]any) map[string]any {
	out := map[string]any{}
	for name := range from {
		if _, still := to[name]; !still {
			out[name] = nil
		}
	}
	for name, value := range to {
		a, aMap := from[name].(map[string]any)
		b, bMap := value.(map[string]any)
		switch {
		case aMap && bMap:
			if inner := mergePatch(a, b); len(inner) > 0 {
				out[name] = inner
			}
		case !equal(from[name], value):
			out[name] = value
		}
	}
	return out
}

// restore makes the cluster as declared again, from whatever was made of it:
// in place where that is possible, otherwise anew.
func (w *world) restore(s *api, objects []*object) {
	w.t.Helper()
	errs := each(w.t.Context(), 16, len(objects), func(i int) error {
		o := objects[i]
		k, _ := s.kinds.of(o.gvk)
		put := func() (*unstructured.Unstructured, error) {
			return s.apply(w.t.Context(), k, o.body, applyOptions{manager: Manager, force: true})
		}
		now, err := put()
		if err == nil && !isHeadless(o.body) && !isHeadless(now) || err == nil && isHeadless(o.body) {
			return nil
		}
		live, err := s.get(w.t.Context(), k, o.ref)
		if err != nil {
			return err
		}
		if err := s.delete(w.t.Context(), k, o.ref, live.GetUID(), metav1.DeletePropagationBackground); err != nil {
			return err
		}
		if _, err = put(); err != nil {
			return fmt.Errorf("restoring %s: %w", o, err)
		}
		return nil
	})
	if err := join(errs); err != nil {
		w.t.Fatal(err)
	}
}

func isHeadless(u *unstructured.Unstructured) bool {
	address, _, _ := unstructured.NestedString(u.Object, "spec", "clusterIP")
	return u.GetKind() == "Service" && address == "None"
}

// mutate changes one thing in an object and says what.
func mutate(random *rand.Rand, u *unstructured.Unstructured) string {
	switch random.IntN(12) {
	case 0:
		labels := u.GetLabels()
		labels["mutated"] = fmt.Sprint(random.IntN(100))
		u.SetLabels(labels)
		return "a label more"
	case 1:
		u.SetAnnotations(map[string]string{"mutated": fmt.Sprint(random.IntN(100))})
		return "other annotations"
	}
	var root any = map[string]any{}
	var names []string
	for name := range u.Object {
		if name != "apiVersion" && name != "kind" && name != "metadata" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "nothing"
	}
	slices.Sort(names)
	name := names[random.IntN(len(names))]
	root = u.Object[name]
	value, said := mutateValue(random, name, root)
	u.Object[name] = value
	return said
}

func mutateValue(random *rand.Rand, path string, value any) (any, string) {
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 {
			return map[string]any{"mutated": "x"}, path + ": a field in what was empty"
		}
		names := slices.Sorted(maps.Keys(v))
		name := names[random.IntN(len(names))]
		at := path + "." + name
		switch random.IntN(10) {
		case 0:
			delete(v, name)
			return v, at + " removed"
		case 1:
			if _, port := v["containerPort"]; port {
				v["protocol"] = "TCP"
				return v, path + ": the default protocol spelt out"
			}
			if _, field := v["fieldPath"]; field {
				v["apiVersion"] = "v1"
				return v, path + ": the default version spelt out"
			}
		}
		var said string
		v[name], said = mutateValue(random, at, v[name])
		return v, said
	case []any:
		if len(v) == 0 {
			return []any{"mutated"}, path + ": an item in what was empty"
		}
		i := random.IntN(len(v))
		at := fmt.Sprintf("%s[%d]", path, i)
		switch random.IntN(8) {
		case 0:
			return slices.Delete(v, i, i+1), at + " removed"
		case 1:
			slices.Reverse(v)
			return v, path + " reversed"
		case 2:
			return append(v, v[i]), at + " doubled"
		}
		var said string
		v[i], said = mutateValue(random, at, v[i])
		return v, said
	case string:
		switch {
		case v == "1000m":
			return "1", path + ": 1000m is 1"
		case strings.HasSuffix(v, "24Mi") && v == "1024Mi":
			return "1Gi", path + ": 1024Mi is 1Gi"
		case random.IntN(6) == 0:
			return "", path + " emptied"
		}
		return v + "x", path + " changed"
	case int64:
		if random.IntN(6) == 0 {
			return float64(v), path + " as a float"
		}
		return v + 1, path + " plus one"
	case bool:
		return !v, path + " flipped"
	}
	return value, "nothing"
}
