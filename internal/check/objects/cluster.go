package objects

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"platform/internal/check"
	"platform/internal/check/pods"
	"platform/internal/render"
)

// id identifies an object in a cluster; its version is how it is written, not
// what it is.
type id struct {
	group, kind, namespace, name string
}

// declared is an object and the file that declares it.
type declared struct {
	id
	cluster string
	file    render.File
	object  render.Object
}

// at begins a finding about a field of the object.
func (o *declared) at(path string) check.Finding {
	return check.OnObject(o.cluster, o.file, o.object, path)
}

// cluster is a rendered cluster, with what the rules look up in it.
type cluster struct {
	rendered *render.Cluster
	all      []*declared
	byID     map[id]*declared
	pods     []pods.Pod
	scopes   scopes
	provided providedObjects
	// malformed are findings about objects that say badly what they provide.
	malformed []check.Finding
}

func newCluster(rendered *render.Cluster, outside []string) (*cluster, error) {
	c := &cluster{
		rendered: rendered,
		byID:     map[id]*declared{},
		pods:     pods.All(rendered),
		scopes:   scopesOf(rendered),
	}
	for _, file := range rendered.Files {
		for _, object := range file.Objects {
			gvk := object.GroupVersionKind()
			o := &declared{
				id:      id{gvk.Group, gvk.Kind, object.GetNamespace(), object.GetName()},
				cluster: rendered.Name, file: file, object: object,
			}
			c.all = append(c.all, o)
			if c.byID[o.id] == nil {
				c.byID[o.id] = o
			}
		}
	}
	if err := c.collectProvided(outside); err != nil {
		return nil, err
	}
	return c, nil
}

// selecting are the pods that a selector selects.
func (c *cluster) selecting(namespace string, selector labels.Selector) []pods.Pod {
	var out []pods.Pod
	for _, pod := range c.pods {
		if pod.Matches(namespace, selector) {
			out = append(out, pod)
		}
	}
	return out
}

// Readers of fields that may be missing or of another type: what isn't as it
// should be is the schema rule's finding.

func text(object map[string]any, path ...string) string {
	value, _, _ := unstructured.NestedFieldNoCopy(object, path...)
	s, _ := value.(string)
	return s
}

func fields(object map[string]any, path ...string) map[string]any {
	value, _, _ := unstructured.NestedFieldNoCopy(object, path...)
	m, _ := value.(map[string]any)
	return m
}

func list(object map[string]any, path ...string) []map[string]any {
	value, _, _ := unstructured.NestedFieldNoCopy(object, path...)
	items, _ := value.([]any)
	out := make([]map[string]any, len(items))
	for i, item := range items {
		out[i], _ = item.(map[string]any)
	}
	return out
}

func nameOf(item map[string]any) string { return text(item, "name") }
