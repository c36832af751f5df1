package embedded

import (
	"encoding/base64"
	"maps"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"platform/internal/check"
	"platform/internal/check/pods"
	"platform/internal/plan"
	"platform/internal/provided"
	"platform/internal/render"
)

// cluster is a rendered cluster with its pods, and what they can mount.
type cluster struct {
	*render.Cluster
	pods    []pods.Pod
	objects map[objectID]declared
	// provided are objects that programs of the cluster create.
	provided []provided.Object
}

// objectID names a namespaced object of the core group.
type objectID struct{ kind, namespace, name string }

type declared struct {
	file   render.File
	object render.Object
}

func newCluster(rendered *render.Cluster) *cluster {
	c := &cluster{Cluster: rendered, pods: pods.All(rendered), objects: map[objectID]declared{}}
	for _, file := range rendered.Files {
		for _, object := range file.Objects {
			if object.GetAPIVersion() == "v1" {
				c.objects[objectID{object.GetKind(), object.GetNamespace(), object.GetName()}] = declared{file, object}
			}
			for entry := range strings.SplitSeq(object.GetAnnotations()[provided.Annotation], ";") {
				p, err := provided.Parse(entry)
				if err != nil {
					continue // another rule's finding
				}
				if p.Namespace == "" {
					p.Namespace = object.GetNamespace()
				}
				c.provided = append(c.provided, p)
			}
		}
	}
	return c
}

// text is a file that an object holds.
type text struct {
	cluster string
	declared
	// path is its field of the object.
	path    string
	content string
}

// at begins a finding about a line of the text; 0 is the text as a whole.
func (t *text) at(line int, message, fix string) check.Finding {
	return check.OnObject(t.cluster, t.file, t.object, t.path).Saying(atLine(line, message), fix)
}

// texts are the files of a ConfigMap or Secret by key; one whose content isn't
// known is nil. It says whether the keys are known: an object that isn't declared
// may have any.
func (c *cluster) texts(kind, namespace, name string) (map[string]*text, bool) {
	out := map[string]*text{}
	d, ok := c.objects[objectID{kind, namespace, name}]
	if !ok {
		known := false
		for _, p := range c.provided {
			if p.Matches(kind, namespace, name) {
				for _, key := range p.Keys {
					out[key], known = nil, true
				}
			}
		}
		return out, known
	}
	add := func(field string, decode func(string) (string, bool)) {
		values, _, _ := unstructured.NestedMap(d.object.Object, field)
		for key, value := range values {
			encoded, isText := value.(string)
			content, ok := decode(encoded)
			if !isText || !ok {
				continue // another rule's finding
			}
			out[key] = &text{cluster: c.Name, declared: d, path: plan.JoinPath(field, key), content: content}
		}
	}
	plain := func(s string) (string, bool) { return s, true }
	encoded := func(s string) (string, bool) {
		data, err := base64.StdEncoding.DecodeString(s)
		return string(data), err == nil
	}
	if kind == "Secret" {
		add("data", encoded)
		add("stringData", plain)
	} else {
		add("binaryData", encoded)
		add("data", plain)
	}
	return out, true
}

// program is a container that runs a known program.
type program struct {
	cluster   *cluster
	pod       pods.Pod
	container pods.Container
	mounts    []mount
	env       environment
}

// programs are the containers that run a program, by its name: that of the
// command, or of the image where the command is the image's own.
func (c *cluster) programs(is func(name string) bool) []*program {
	var out []*program
	for _, pod := range c.pods {
		for container := range pod.Containers() {
			name := imageName(container.Image)
			if len(container.Command) > 0 {
				name = path.Base(container.Command[0])
			}
			if is(name) {
				p := &program{cluster: c, pod: pod, container: container}
				p.mounts = c.mounts(&p.pod, container)
				p.env = c.environment(&p.pod, container)
				out = append(out, p)
			}
		}
	}
	return out
}

func named(name string) func(string) bool {
	return func(s string) bool { return s == name }
}

// imageName is the last part of an image's repository: prometheus of
// quay.io/prometheus/prometheus:v3.1.0@sha256:….
func imageName(image string) string {
	image, _, _ = strings.Cut(image, "@")
	name := image[strings.LastIndex(image, "/")+1:]
	name, _, _ = strings.Cut(name, ":")
	return name
}

// at begins a finding about a field of the program's container.
func (p *program) at(field, message, fix string) check.Finding {
	return check.OnObject(p.cluster.Name, p.pod.File, p.pod.Object, p.container.Path+field).Saying(message, fix)
}

// flag is the value of a flag on the program's command line, with one dash or
// two. Its place is that of the list that it is in.
func (p *program) flag(names ...string) (value, field string, ok bool) {
	fields := [2]string{".command", ".args"}
	for i, words := range [2][]string{p.container.Command, p.container.Args} {
		for j, word := range words {
			word = p.env.expand(word)
			name, dashed := strings.CutPrefix(word, "-")
			if !dashed {
				continue
			}
			name, value, joined := strings.Cut(strings.TrimPrefix(name, "-"), "=")
			if !slices.Contains(names, name) {
				continue
			}
			if !joined && j+1 < len(words) {
				value = p.env.expand(words[j+1])
			}
			return value, fields[i], true
		}
	}
	return "", "", false
}

// environment is what is known of a container's variables.
type environment struct {
	// values are variables by name; nil is one whose value isn't known.
	values map[string]*string
	// open says that there may be more than these.
	open bool
}

func (c *cluster) environment(pod *pods.Pod, container pods.Container) environment {
	e := environment{values: map[string]*string{}}
	for _, source := range container.EnvFrom {
		kind, name := "ConfigMap", ""
		switch {
		case source.ConfigMapRef != nil:
			name = source.ConfigMapRef.Name
		case source.SecretRef != nil:
			kind, name = "Secret", source.SecretRef.Name
		}
		texts, known := c.texts(kind, pod.Namespace(), name)
		e.open = e.open || !known
		for key, t := range texts {
			e.values[source.Prefix+key] = nil
			if t != nil {
				e.values[source.Prefix+key] = &t.content
			}
		}
	}
	for _, v := range container.Env {
		e.values[v.Name] = nil
		switch {
		case v.ValueFrom == nil:
			value := e.expand(v.Value)
			e.values[v.Name] = &value
		case v.ValueFrom.FieldRef != nil && v.ValueFrom.FieldRef.FieldPath == "metadata.namespace":
			namespace := pod.Namespace()
			e.values[v.Name] = &namespace
		case v.ValueFrom.ConfigMapKeyRef != nil:
			ref := v.ValueFrom.ConfigMapKeyRef
			if texts, ok := c.texts("ConfigMap", pod.Namespace(), ref.Name); ok && texts[ref.Key] != nil {
				e.values[v.Name] = &texts[ref.Key].content
			}
		}
	}
	return e
}

// has says whether a variable may be set.
func (e environment) has(name string) bool {
	_, ok := e.values[name]
	return ok || e.open
}

// value is that of a variable, if it is known.
func (e environment) value(name string) (string, bool) {
	if v := e.values[name]; v != nil {
		return *v, true
	}
	return "", false
}

// expand replaces $(NAME) where the value is known, as the kubelet does.
func (e environment) expand(s string) string {
	for _, name := range slices.Sorted(maps.Keys(e.values)) {
		if value := e.values[name]; value != nil {
			s = strings.ReplaceAll(s, "$("+name+")", *value)
		}
	}
	return s
}

// tokenDir is where a pod finds the token of its service account.
const tokenDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// hasToken says whether a pod is given its service account's token.
func (c *cluster) hasToken(pod *pods.Pod) bool {
	if mount := pod.Spec.AutomountServiceAccountToken; mount != nil {
		return *mount
	}
	name := pod.Spec.ServiceAccountName
	if name == "" {
		name = "default"
	}
	d, ok := c.objects[objectID{"ServiceAccount", pod.Namespace(), name}]
	if !ok {
		return true
	}
	mount, set, _ := unstructured.NestedBool(d.object.Object, "automountServiceAccountToken")
	return !set || mount
}
