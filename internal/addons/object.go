package addons

import (
	"encoding/base64"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ref identifies an object, whatever version it is read in.
type ref struct {
	schema.GroupKind
	Namespace, Name string
}

func refOf(u *unstructured.Unstructured) ref {
	return ref{u.GroupVersionKind().GroupKind(), u.GetNamespace(), u.GetName()}
}

// String names the object as people do: Deployment monitoring/prometheus.
func (r ref) String() string {
	if r.Namespace == "" {
		return r.Kind + " " + r.Name
	}
	return r.Kind + " " + r.Namespace + "/" + r.Name
}

// object is one object that git declares, ready to be applied.
type object struct {
	ref
	gvk    schema.GroupVersionKind
	stage  Stage
	file   *File
	set    *applySet
	body   *unstructured.Unstructured
	scaled bool // its replicas belong to a HorizontalPodAutoscaler
	// least is how many of them that keeps at least.
	least int64
}

// prepare makes the files' objects ready to be applied: labelled as members of
// their file's set and without the fields that aren't git's to hold. The sets
// are the files', by index. What the files hold is left untouched.
func prepare(files []File, sets []*applySet) ([]*object, error) {
	var out []*object
	first := map[ref]*object{}
	for i := range files {
		for _, declared := range files[i].Objects {
			o := &object{
				ref: refOf(declared), gvk: declared.GroupVersionKind(),
				file: &files[i], set: sets[i], body: declared.DeepCopy(),
			}
			o.stage = StageOf(o.GroupKind)
			if other := first[o.ref]; other != nil {
				return nil, fmt.Errorf("%s is declared twice, in %s and in %s: leave it in one of them", o.ref, other.file.Source, o.file.Source)
			}
			first[o.ref] = o
			if err := o.clean(); err != nil {
				return nil, &ObjectError{Doing: "reading", Resource: o.String(), Source: o.file.Source, Err: err}
			}
			out = append(out, o)
		}
	}
	for _, o := range out {
		if o.Group == "autoscaling" && o.Kind == "HorizontalPodAutoscaler" {
			if target := first[scaleTarget(o.body)]; target != nil {
				unstructured.RemoveNestedField(target.body.Object, "spec", "replicas")
				target.scaled = true
				target.least, _, _ = unstructured.NestedInt64(o.body.Object, "spec", "minReplicas")
			}
		}
	}
	return out, nil
}

// scaleTarget is the workload whose replicas an autoscaler sets.
func scaleTarget(autoscaler *unstructured.Unstructured) ref {
	field := func(name string) string {
		text, _, _ := unstructured.NestedString(autoscaler.Object, "spec", "scaleTargetRef", name)
		return text
	}
	gv, err := schema.ParseGroupVersion(field("apiVersion"))
	if err != nil {
		return ref{}
	}
	return ref{gv.WithKind(field("kind")).GroupKind(), autoscaler.GetNamespace(), field("name")}
}

// restartedAt is what kubectl rollout restart sets.
const restartedAt = "kubectl.kubernetes.io/restartedAt"

// clean removes what isn't git's to hold: what only the server writes, and
// what an operator's kubectl rollout pause and restart set, which must be able
// to change without a conflict.
func (o *object) clean() error {
	if o.Name == "" {
		return fmt.Errorf("it has no metadata.name")
	}
	body := o.body.Object
	for _, name := range []string{"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"} {
		unstructured.RemoveNestedField(body, "metadata", name)
	}
	if builtin[o.Group] {
		delete(body, "status")
	}
	switch {
	case o.Group == "apps":
		if o.Kind == "Deployment" {
			unstructured.RemoveNestedField(body, "spec", "paused")
		}
		removeEmptying(body, "spec", "template", "metadata", "annotations", restartedAt)
	case o.Group == "" && o.Kind == "Secret":
		if err := encodeStringData(body); err != nil {
			return err
		}
	}
	labels := o.body.GetLabels()
	if _, set := labels[labelMember]; set {
		return fmt.Errorf("it has the label %s, which says by whom an object is owned and is ours to set: remove it", labelMember)
	}
	if labels == nil {
		labels = map[string]string{}
	}
	labels[labelMember] = o.set.id
	o.body.SetLabels(labels)
	return nil
}

// removeEmptying removes a field, and its parent too if that is then empty.
func removeEmptying(body map[string]any, path ...string) {
	unstructured.RemoveNestedField(body, path...)
	parent := path[:len(path)-1]
	if fields, found, _ := unstructured.NestedMap(body, parent...); found && len(fields) == 0 {
		unstructured.RemoveNestedField(body, parent...)
	}
}

// encodeStringData moves a Secret's stringData into data. The API server does
// so as well, but then keeps what a later apply no longer declares: it
// remembers us as owner of the field that isn't stored.
func encodeStringData(body map[string]any) error {
	plain, found, err := unstructured.NestedStringMap(body, "stringData")
	if err != nil {
		return fmt.Errorf("stringData must map names to texts")
	}
	if !found {
		return nil
	}
	delete(body, "stringData")
	data, _, err := unstructured.NestedMap(body, "data")
	if err != nil {
		return fmt.Errorf("data must map names to texts")
	}
	if data == nil {
		data = map[string]any{}
	}
	for name, text := range plain {
		data[name] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	body["data"] = data
	return nil
}
