// Command bench compares the tool with its peers on the same work, in turns,
// in one run, and prints a table of ratios: absolute times depend on the
// machine, ratios much less.
//
// It starts a real API server and compares the addons layer with kubectl, with the
// PATCH requests alone, and with tk and kubecfg where they are on the PATH. Each
// contestant is a process of its own; this program starts itself to be one.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"platform/internal/addons"
	"platform/internal/plan"
	"platform/test/apiserver"
)

func main() {
	if len(os.Args) > 1 && slices.Contains([]string{"plan", "apply", "patch"}, os.Args[1]) {
		exitOn(contestant(os.Args[1], os.Args[2]))
		return
	}
	count := flag.Int("objects", 1000, "how many objects")
	runs := flag.Int("runs", 5, "how many runs of each")
	flag.Parse()
	exitOn(run(*count, *runs))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// objects are half ConfigMaps and half Deployments, in a namespace of their
// own: the contestants mustn't quarrel over field ownership.
func objects(count int, namespace string) []*unstructured.Unstructured {
	metadata := func(name string) map[string]any {
		return map[string]any{"name": name, "namespace": namespace, "labels": map[string]any{"app.kubernetes.io/name": name}}
	}
	out := []*unstructured.Unstructured{{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespace},
	}}}
	for i := range count / 2 {
		name := fmt.Sprintf("object-%04d", i)
		labels := map[string]any{"app.kubernetes.io/name": name}
		out = append(out,
			&unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(name), "data": map[string]any{"key": name},
			}},
			&unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(name),
				"spec": map[string]any{
					// No pods: what is compared is the work on the API.
					"replicas": int64(0),
					"selector": map[string]any{"matchLabels": labels},
					"template": map[string]any{
						"metadata": map[string]any{"labels": labels},
						"spec": map[string]any{"containers": []any{map[string]any{
							"name": "main", "image": "registry.k8s.io/pause:3.10",
							"resources": map[string]any{"requests": map[string]any{"cpu": "1000m", "memory": "64Mi"}},
							"ports":     []any{map[string]any{"name": "http", "containerPort": int64(8080)}},
						}}},
					},
				},
			}})
	}
	return out
}

// contestant is the tool's side, plan or apply, or what bounds it, the patches
// alone; in a process of its own.
func contestant(verb, manifest string) error {
	data, err := os.ReadFile(manifest)
	if err != nil {
		return err
	}
	var all []*unstructured.Unstructured
	for _, doc := range bytes.Split(data, []byte("---\n")) {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(doc, &o.Object); err != nil {
			return err
		}
		all = append(all, o)
	}
	connect := func(context.Context) (*rest.Config, error) {
		return clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	}
	if verb == "patch" {
		return patchAll(connect, all)
	}
	layer := addons.New(addons.Options{
		Repository: "bench", Cluster: "bench", Files: []addons.File{{Name: "bench", Objects: all}}, Connect: connect,
	})
	var changes []plan.Change
	if verb == "plan" {
		changes, err = layer.Plan(context.Background())
	} else {
		changes, err = layer.Apply(context.Background())
	}
	fmt.Printf("%d changes, %d requests\n", len(changes), layer.Requests())
	return err
}

// patchAll applies objects by one server-side apply each, 16 at a time, with
// nothing around it: no reading, no waiting, no record.
func patchAll(connect func(context.Context) (*rest.Config, error), all []*unstructured.Unstructured) error {
	ctx := context.Background()
	config, err := connect(ctx)
	if err != nil {
		return err
	}
	config.QPS = -1
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	force := true
	patch := func(o *unstructured.Unstructured) error {
		resource := client.Resource(resources[o.GetKind()])
		data, err := o.MarshalJSON()
		if err != nil {
			return err
		}
		in := dynamic.ResourceInterface(resource)
		if o.GetNamespace() != "" {
			in = resource.Namespace(o.GetNamespace())
		}
		_, err = in.Patch(ctx, o.GetName(), types.ApplyPatchType, data, metav1.PatchOptions{FieldManager: "patch", Force: &force})
		return err
	}
	if err := patch(all[0]); err != nil { // the namespace
		return err
	}
	var group errgroup.Group
	group.SetLimit(16)
	for _, o := range all[1:] {
		group.Go(func() error { return patch(o) })
	}
	return group.Wait()
}

// resources are those of the kinds that objects makes.
var resources = map[string]schema.GroupVersionResource{
	"Namespace":  {Version: "v1", Resource: "namespaces"},
	"ConfigMap":  {Version: "v1", Resource: "configmaps"},
	"Deployment": {Group: "apps", Version: "v1", Resource: "deployments"},
}

// side is one contestant of a row.
type side struct {
	name string
	do   func() error
}

// row is one piece of work; the first side is the tool.
type row struct {
	name  string
	sides []side
	// before brings the server into the state that all start from.
	before func() error
}

func run(count, runs int) error {
	kubectl, err := filepath.Abs("bin/kubectl")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	server, err := apiserver.Start(context.Background())
	if err != nil {
		return err
	}
	defer server.Stop()
	if err := server.StartControllers(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := bench{dir: dir, server: server, self: self, kubectl: kubectl}
	for _, name := range []string{"ours", "theirs", "bare"} {
		if err := b.write(name, count); err != nil {
			return err
		}
	}
	empty := b.command(kubectl, "delete", "namespace", "ours", "theirs", "bare", "--ignore-not-found", "--wait")
	ours := func(verb string) side { return side{"platform", b.command(self, verb, b.manifest("ours"))} }
	apply := side{"kubectl apply --server-side", b.command(kubectl, "apply", "--server-side", "-f", b.manifest("theirs"))}
	diffs, err := b.diffs()
	if err != nil {
		return err
	}
	rows := []row{
		{"apply, all new", []side{ours("apply"), apply, {"bare parallel PATCHes", b.command(self, "patch", b.manifest("bare"))}}, empty},
		{"apply, nothing to do", []side{ours("apply"), apply}, nil},
		{"plan, nothing to do", append([]side{ours("plan")}, diffs...), nil},
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "%d objects, median of %d\t\ttime\tplatform is faster by\t\n", count, runs)
	for _, r := range rows {
		times, err := r.measure(runs)
		if err != nil {
			return err
		}
		us := median(times[0])
		for i, s := range r.sides {
			them := median(times[i])
			name, ratio := "", fmt.Sprintf("%.1f ×", them.Seconds()/us.Seconds())
			if i == 0 {
				name, ratio = r.name, ""
			}
			fmt.Fprintf(table, "%s\t%s\t%.2f s\t%s\t\n", name, s.name, them.Seconds(), ratio)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := empty(); err != nil {
		return err
	}
	return b.scale([]int{100, 1000, 5000})
}

// measure lets the sides take turns.
func (r row) measure(runs int) ([][]time.Duration, error) {
	times := make([][]time.Duration, len(r.sides))
	for range runs {
		if r.before != nil {
			if err := r.before(); err != nil {
				return nil, err
			}
		}
		// The tool last: what warms the server up is to nobody's credit.
		for i := len(r.sides) - 1; i >= 0; i-- {
			start := time.Now()
			if err := r.sides[i].do(); err != nil {
				return nil, err
			}
			times[i] = append(times[i], time.Since(start))
		}
	}
	return times, nil
}

type bench struct {
	dir, self, kubectl string
	server             *apiserver.Server
}

func (b bench) manifest(name string) string { return filepath.Join(b.dir, name+".yaml") }

func (b bench) write(name string, count int) error {
	return write(b.manifest(name), objects(count, name))
}

func (b bench) command(program string, args ...string) func() error {
	return func() error {
		_, err := b.start(program, args...)
		return err
	}
}

// start runs a program to its end.
func (b bench) start(program string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "KUBECONFIG="+b.server.Kubeconfig, "PATH="+filepath.Dir(b.kubectl)+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && slices.Contains(args, "diff") && slices.Contains([]int{1, 10}, exit.ExitCode()) {
		err = nil // there are differences: 10 is kubecfg's
	}
	if err != nil {
		err = fmt.Errorf("%s %v: %w\n%s", filepath.Base(program), args, err, out)
	}
	return cmd, err
}

// diffs are the peers' ways to see that there is nothing to do; those of tk and
// kubecfg where these are installed.
func (b bench) diffs() ([]side, error) {
	sides := []side{{"kubectl diff --server-side", b.command(b.kubectl, "diff", "--server-side", "-f", b.manifest("theirs"))}}
	if tk, err := exec.LookPath("tk"); err == nil {
		if err := b.environment(); err != nil {
			return nil, err
		}
		sides = append(sides, side{"tk diff", b.command(tk, "diff", "environments/default", "--exit-zero", "--diff-strategy", "server")})
	}
	if kubecfg, err := exec.LookPath("kubecfg"); err == nil {
		sides = append(sides, side{"kubecfg diff", b.command(kubecfg, "diff", "--diff-strategy", "subset", b.manifest("theirs"))})
	}
	return sides, nil
}

// environment is a Tanka environment of the peers' objects.
func (b bench) environment() error {
	dir := filepath.Join(b.dir, "environments", "default")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	spec := map[string]any{
		"apiVersion": "tanka.dev/v1alpha1", "kind": "Environment", "metadata": map[string]any{"name": "default"},
		"spec": map[string]any{"apiServer": b.server.Config.Host, "namespace": "theirs"},
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(b.dir, "jsonnetfile.json"), []byte("{}"), 0o644),
		os.WriteFile(filepath.Join(dir, "spec.json"), text, 0o644),
		os.WriteFile(filepath.Join(dir, "main.jsonnet"), []byte("std.parseYaml(importstr '../../theirs.yaml')"), 0o644),
	)
}

// scale shows what planning costs when nothing is to do: requests to the API
// server, and memory at the most.
func (b bench) scale(counts []int) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\nplan, nothing to do\ttime\trequests\tpeak memory\t\n")
	for _, count := range counts {
		name := fmt.Sprintf("scale-%d", count)
		if err := b.write(name, count); err != nil {
			return err
		}
		if _, err := b.start(b.self, "apply", b.manifest(name)); err != nil {
			return err
		}
		cmd := exec.Command(b.self, "plan", b.manifest(name))
		cmd.Env = append(os.Environ(), "KUBECONFIG="+b.server.Kubeconfig)
		start := time.Now()
		out, err := cmd.Output()
		if err != nil {
			return err
		}
		took := time.Since(start)
		var changes, requests int
		if _, err := fmt.Sscanf(string(out), "%d changes, %d requests", &changes, &requests); err != nil || changes != 0 {
			return fmt.Errorf("planning %d objects: %s", count, out)
		}
		usage, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		fmt.Fprintf(table, "%d objects\t%.2f s\t%d\t%d MiB\t\n", count, took.Seconds(), requests, usage.Maxrss/1024)
		if err := b.command(b.kubectl, "delete", "namespace", name, "--wait")(); err != nil {
			return err
		}
	}
	return table.Flush()
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func write(path string, all []*unstructured.Unstructured) error {
	var out bytes.Buffer
	for i, o := range all {
		if i > 0 {
			out.WriteString("---\n")
		}
		text, err := yaml.Marshal(o.Object)
		if err != nil {
			return err
		}
		out.Write(text)
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}
