// Command bench compares the tool with its peers on the same work, in turns,
// in one run, and prints a table of ratios: absolute times depend on the
// machine, ratios much less.
//
// It starts a real API server and compares the addons layer with kubectl. Each
// contestant is a process of its own; this program starts itself to be one.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"platform/internal/addons"
	"platform/internal/plan"
	"platform/test/apiserver"
)

func main() {
	if len(os.Args) > 1 && (os.Args[1] == "plan" || os.Args[1] == "apply") {
		exitOn(contestant(os.Args[1], os.Args[2]))
		return
	}
	count := flag.Int("objects", 500, "how many objects")
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
		name := fmt.Sprintf("object-%03d", i)
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

// contestant is the tool's side: plan or apply, in a process of its own.
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
	layer := addons.New(addons.Options{
		Repository: "bench", Cluster: "bench", Files: []addons.File{{Name: "bench", Objects: all}},
		Connect: func(context.Context) (*rest.Config, error) {
			return clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
		},
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

type row struct {
	name         string
	ours, theirs func() error
	// before brings the server into the state that both start from.
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
	ours, theirs := filepath.Join(dir, "ours.yaml"), filepath.Join(dir, "theirs.yaml")
	if err := errors.Join(write(ours, objects(count, "ours")), write(theirs, objects(count, "theirs"))); err != nil {
		return err
	}
	command := func(program string, args ...string) func() error {
		return func() error {
			cmd := exec.Command(program, args...)
			cmd.Env = append(os.Environ(), "KUBECONFIG="+server.Kubeconfig)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if errors.As(err, &exit) && slices.Contains(args, "diff") && exit.ExitCode() == 1 {
				return nil // kubectl diff: there are differences
			}
			if err != nil {
				return fmt.Errorf("%s %v: %w\n%s", filepath.Base(program), args, err, out)
			}
			return nil
		}
	}
	empty := command(kubectl, "delete", "namespace", "ours", "theirs", "--ignore-not-found", "--wait")
	rows := []row{
		{"apply, all new", command(self, "apply", ours), command(kubectl, "apply", "--server-side", "-f", theirs), empty},
		{"apply, nothing to do", command(self, "apply", ours), command(kubectl, "apply", "--server-side", "-f", theirs), nil},
		{"plan, nothing to do", command(self, "plan", ours), command(kubectl, "diff", "--server-side", "-f", theirs), nil},
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "%d objects, median of %d\tplatform\tkubectl\tspeed-up\t\n", count, runs)
	for _, r := range rows {
		var ours, theirs []time.Duration
		if r.before != nil {
			if err := r.before(); err != nil {
				return err
			}
		}
		for i := range runs {
			for _, side := range []struct {
				do    func() error
				times *[]time.Duration
			}{{r.theirs, &theirs}, {r.ours, &ours}} {
				start := time.Now()
				if err := side.do(); err != nil {
					return err
				}
				*side.times = append(*side.times, time.Since(start))
			}
			if r.before != nil && i < runs-1 {
				if err := r.before(); err != nil {
					return err
				}
			}
		}
		a, b := median(ours), median(theirs)
		fmt.Fprintf(table, "%s\t%.2f s\t%.2f s\t%.1f ×\t\n", r.name, a.Seconds(), b.Seconds(), b.Seconds()/a.Seconds())
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
