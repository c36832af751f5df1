package scale

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"platform/internal/addons"
	"platform/internal/drift"
	"platform/internal/plan"
	"platform/test/apiserver"
)

const (
	// perLook is how many requests one look may have under way.
	perLook  = 6
	textSize = 16 << 10
)

// text is the content of a ConfigMap. All declared ones share it, so that git's
// side weighs next to nothing; what the API server sends is each its own.
var text = strings.Repeat("0123456789abcdef", textSize/16)

// seed is something that somebody did to a cluster.
type seed int

const (
	edited seed = iota
	deleted
	stray
	undeclared
)

// fleet is some clusters on one API server.
type fleet struct {
	server   *apiserver.Server
	client   kubernetes.Interface
	clusters map[string]*cluster
	names    []string
	// looking counts the clusters that are being looked at.
	looking gauge
}

type cluster struct {
	name    string
	objects int
	seeds   []seed
	window  *window
	config  *rest.Config
}

// newFleet makes clusters with that many objects each, and drift in four of
// ten. In the first of ten there are but a tenth of the objects.
func newFleet(t *testing.T, clusters, objects int) *fleet {
	t.Helper()
	server := apiserver.Shared(t)
	client, err := kubernetes.NewForConfig(server.Config)
	if err != nil {
		t.Fatal(err)
	}
	paths := everywhere(t, server)
	f := &fleet{server: server, client: client, clusters: map[string]*cluster{}}
	for i := range clusters {
		c := &cluster{name: fmt.Sprintf("cluster-%03d", i), objects: objects}
		c.window = &window{namespace: c.name, everywhere: paths}
		c.config = c.window.config(server)
		switch i % 10 {
		case 0:
			c.objects = objects / 10
		case 2:
			c.seeds = []seed{edited}
		case 4:
			c.seeds = []seed{deleted}
		case 6:
			c.seeds = []seed{stray}
		case 8:
			c.seeds = []seed{undeclared, edited, deleted, stray}
		case 9:
			c.seeds = []seed{undeclared}
		}
		f.clusters[c.name] = c
		f.names = append(f.names, c.name)
	}
	var group errgroup.Group
	group.SetLimit(4)
	for _, c := range f.clusters {
		group.Go(func() error {
			if err := f.make(t.Context(), c); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return f
}

// make applies what git once declared and then lets people at it.
func (f *fleet) make(ctx context.Context, c *cluster) error {
	files := c.files()
	if slices.Contains(c.seeds, stray) {
		files[0].Objects = append(files[0].Objects, object("v1", "ConfigMap", c.name, "dropped", map[string]any{"data": map[string]any{"a": "b"}}))
	}
	if _, err := c.layer(files).Apply(ctx); err != nil {
		return err
	}
	api := f.client.CoreV1()
	for _, s := range c.seeds {
		var err error
		switch s {
		case edited:
			_, err = api.ConfigMaps(c.name).Patch(ctx, "config-0000", types.MergePatchType,
				[]byte(`{"data":{"name":"another"}}`), metav1.PatchOptions{FieldManager: "kubectl-edit"})
		case deleted:
			err = api.Services(c.name).Delete(ctx, "service-0002", metav1.DeleteOptions{})
		case undeclared:
			_, err = api.Secrets(c.name).Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "by-hand"}}, metav1.CreateOptions{FieldManager: "kubectl-create"})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// want lists the findings that a cluster's seeds are, in the report's order.
func (c *cluster) want() []string {
	var out []string
	for _, s := range c.seeds {
		switch s {
		case edited:
			out = append(out, "addons update ConfigMap "+c.name+"/config-0000: data.name by kubectl-edit")
		case deleted:
			out = append(out, "addons create Service "+c.name+"/service-0002")
		case stray:
			out = append(out, "addons delete ConfigMap "+c.name+"/dropped")
		case undeclared:
			out = append(out, "undeclared none Secret "+c.name+"/by-hand")
		}
	}
	slices.Sort(out)
	return out
}

// findings lists a cluster's findings as want does.
func findings(c drift.Cluster) []string {
	var out []string
	for _, f := range c.Findings {
		text := fmt.Sprintf("%s %s %s", f.Layer, f.Op, f.Resource)
		for _, field := range f.Diff {
			text += fmt.Sprintf(": %s by %s", field.Path, field.Manager)
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

func (c *cluster) layer(files []addons.File) *addons.Layer {
	return addons.New(addons.Options{
		Repository: "scale", Cluster: c.name, Files: files, Parallel: perLook,
		Connect: func(context.Context) (*rest.Config, error) { return c.config, nil },
	})
}

// look is what the drift command does about the Kubernetes side of a cluster.
func (f *fleet) look(ctx context.Context, name string) drift.Look {
	f.looking.enter()
	defer f.looking.leave()
	c := f.clusters[name]
	return look(ctx, c, c.files())
}

func look(ctx context.Context, c *cluster, files []addons.File) (l drift.Look) {
	l.Cluster = c.name
	layer := c.layer(files)
	start := time.Now()
	defer func() { l.Took, l.Requests = time.Since(start), layer.Requests() }()
	if l.Changes, l.Err = layer.Plan(ctx); l.Err != nil {
		return l
	}
	running, err := layer.Running(ctx)
	if err != nil {
		l.Err = err
		return l
	}
	l.Versions = map[string]drift.Version{"kubernetes": {Wanted: running.Kubernetes, Running: running.Kubernetes}}
	if _, l.Err = layer.Certificates(ctx); l.Err != nil {
		return l
	}
	objects, err := layer.Undeclared(ctx, nil)
	if err != nil {
		l.Err = err
		return l
	}
	for _, o := range objects {
		l.Changes = append(l.Changes, plan.Change{Layer: drift.Undeclared, Op: drift.None, Resource: o.Resource, Reason: "nobody declares it"})
	}
	return l
}

// files are what git declares: three files of objects of nine kinds. All of them
// are as they should be once they are stored, with no controller to wait for.
func (c *cluster) files() []addons.File {
	files := []addons.File{
		{Name: "config", Source: "clusters/" + c.name + "/config.jsonnet"},
		{Name: "access", Source: "clusters/" + c.name + "/access.jsonnet"},
		{Name: "jobs", Source: "clusters/" + c.name + "/jobs.jsonnet"},
	}
	files[0].Objects = append(files[0].Objects, object("v1", "Namespace", "", c.name, nil))
	for i := range c.objects - 1 {
		n := fmt.Sprintf("-%04d", i)
		add := func(file int, apiVersion, kind, name string, fields map[string]any) {
			files[file].Objects = append(files[file].Objects, object(apiVersion, kind, c.name, name, fields))
		}
		switch i % 8 {
		case 0:
			add(0, "v1", "ConfigMap", "config"+n, map[string]any{"data": map[string]any{"name": n, "text": text}})
		case 1:
			add(0, "v1", "Secret", "secret"+n, map[string]any{"data": map[string]any{"key": base64.StdEncoding.EncodeToString([]byte(text[:64] + n))}})
		case 2:
			add(2, "v1", "Service", "service"+n, map[string]any{"spec": map[string]any{
				"selector": map[string]any{"app": "a" + n}, "ports": []any{map[string]any{"name": "http", "port": int64(80)}},
			}})
		case 3:
			add(1, "v1", "ServiceAccount", "account"+n, nil)
		case 4:
			add(1, "rbac.authorization.k8s.io/v1", "Role", "role"+n, map[string]any{"rules": []any{map[string]any{
				"apiGroups": []any{""}, "resources": []any{"configmaps"}, "verbs": []any{"get", "list"},
			}}})
		case 5:
			add(1, "rbac.authorization.k8s.io/v1", "RoleBinding", "binding"+n, map[string]any{
				"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "role" + n},
				"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": "account" + n, "namespace": c.name}},
			})
		case 6:
			add(2, "networking.k8s.io/v1", "NetworkPolicy", "policy"+n, map[string]any{"spec": map[string]any{
				"podSelector": map[string]any{"matchLabels": map[string]any{"app": "a" + n}}, "policyTypes": []any{"Ingress"},
			}})
		case 7:
			add(2, "batch/v1", "CronJob", "job"+n, map[string]any{"spec": map[string]any{
				"schedule": "0 3 * * *",
				"jobTemplate": map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
					"restartPolicy": "Never",
					"containers": []any{map[string]any{
						"name": "main", "image": "registry.k8s.io/pause:3.10",
						"resources": map[string]any{"requests": map[string]any{"cpu": "1000m", "memory": "64Mi"}},
					}},
				}}}},
			}})
		}
	}
	return files
}

func object(apiVersion, kind, namespace, name string, fields map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name}}}
	if namespace != "" {
		u.SetNamespace(namespace)
	}
	for field, value := range fields {
		u.Object[field] = value
	}
	return u
}
