// Command render compares rendering this repository with what other jsonnet
// tools make of the same files, in turns, in one run, and prints a table of
// ratios.
//
// jsonnet itself is built from the module that the tool uses. Other peers are
// taken from PATH or where flags say; one that isn't there has no row.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench/render:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root := flag.String("root", ".", "the repository")
	platform := flag.String("platform", "bin/platform", "the tool")
	tk := flag.String("tk", "tk", "Tanka")
	kubecfg := flag.String("kubecfg", "kubecfg", "kubecfg")
	jrsonnet := flag.String("jrsonnet", "jrsonnet", "jrsonnet")
	runs := flag.Int("runs", 7, "how many runs of each")
	flag.Parse()

	b, err := newBench(ctx, *root, *platform)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	rows := []*row{
		{name: "jsonnet, a process for each file", do: b.loop},
		{name: fmt.Sprintf("jsonnet, all files in %d processes", b.split), do: b.inSplit(b.jsonnet)},
	}
	for _, peer := range []struct {
		program string
		rows    func(program string) []*row
	}{
		{*tk, func(program string) []*row {
			return []*row{{name: fmt.Sprintf("tk export -p %d", b.split), do: b.tanka(program)}}
		}},
		{*kubecfg, func(program string) []*row {
			return []*row{{name: "kubecfg show, a process for each cluster", do: b.kubecfg(program)}}
		}},
		{*jrsonnet, func(program string) []*row {
			return []*row{{name: fmt.Sprintf("jrsonnet, all files in %d processes", b.split), do: b.inSplit(program)}}
		}},
	} {
		found, err := exec.LookPath(peer.program)
		if err != nil {
			fmt.Fprintf(os.Stderr, "no %s: left out\n", peer.program)
			continue
		}
		if found, err = filepath.Abs(found); err != nil {
			return err
		}
		rows = append(rows, peer.rows(found)...)
	}
	rows = append(rows,
		&row{name: "platform render, cold", do: b.platform("--no-cache")},
		&row{name: "platform render, warm", do: b.platform()},
	)
	// Once for nothing: files get into memory, results into the cache.
	for i := range *runs + 1 {
		for _, r := range rows {
			b.cpu = 0
			start := time.Now()
			if err := r.do(ctx); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			if i > 0 {
				r.wall = append(r.wall, time.Since(start))
				r.cpu = append(r.cpu, b.cpu)
			}
		}
	}
	return b.print(rows, *runs)
}

// row is one contestant.
type row struct {
	name      string
	do        func(context.Context) error
	wall, cpu []time.Duration
}

// bench is a copy of the repository to work in, and what is in it.
type bench struct {
	dir     string
	tree    string
	program string
	jsonnet string
	// files are all, namespaces the ones that only hold Kubernetes objects, by
	// cluster: what the peers that know about those can take.
	files      []string
	clusters   []string
	namespaces map[string][]string
	split      int
	// cpu is what the processes of the run at hand took.
	cpu time.Duration
}

func newBench(ctx context.Context, root, program string) (*bench, error) {
	dir, err := os.MkdirTemp("", "bench-render-")
	if err != nil {
		return nil, err
	}
	b := &bench{dir: dir, tree: filepath.Join(dir, "tree"), jsonnet: filepath.Join(dir, "jsonnet"), namespaces: map[string][]string{}, split: runtime.GOMAXPROCS(0)}
	if err := b.prepare(ctx, root, program); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}

func (b *bench) prepare(ctx context.Context, root, program string) error {
	for _, folder := range []string{"lib", "addons", "clusters"} {
		if err := os.CopyFS(filepath.Join(b.tree, folder), os.DirFS(filepath.Join(root, folder))); err != nil {
			return err
		}
	}
	config, err := os.ReadFile(filepath.Join(root, "platform.yaml"))
	if err != nil {
		return err
	}
	if err := b.write("platform.yaml", string(config)); err != nil {
		return err
	}
	if b.program, err = filepath.Abs(program); err != nil {
		return err
	}
	sources, err := filepath.Glob(filepath.Join(b.tree, "clusters", "*", "*.jsonnet"))
	if err != nil {
		return err
	}
	for _, source := range sources {
		rel, err := filepath.Rel(b.tree, source)
		if err != nil {
			return err
		}
		b.files = append(b.files, rel)
		cluster := filepath.Base(filepath.Dir(rel))
		if !slices.Contains(b.clusters, cluster) {
			b.clusters = append(b.clusters, cluster)
		}
		if filepath.Base(rel) != "cluster.jsonnet" {
			b.namespaces[cluster] = append(b.namespaces[cluster], rel)
		}
	}
	if len(b.files) == 0 {
		return fmt.Errorf("%s has no clusters", root)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", b.jsonnet, "github.com/google/go-jsonnet/cmd/jsonnet")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building jsonnet: %w\n%s", err, out)
	}
	return nil
}

func (b *bench) write(name, text string) error {
	path := filepath.Join(b.tree, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

func (b *bench) link(target, name string) error {
	path := filepath.Join(b.tree, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(target, path); err != nil && !os.IsExist(err) {
		return err
	}
	return nil
}

// start begins a process in the tree and gives what waits for it.
func (b *bench) start(ctx context.Context, program string, args ...string) (wait func() (time.Duration, error), err error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = b.tree
	cmd.Env = append(os.Environ(), "PLATFORM_CACHE_DIR="+filepath.Join(b.dir, "cache"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() (time.Duration, error) {
		if err := cmd.Wait(); err != nil {
			return 0, fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, stderr.String())
		}
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
	}, nil
}

func (b *bench) exec(ctx context.Context, program string, args ...string) error {
	wait, err := b.start(ctx, program, args...)
	if err != nil {
		return err
	}
	cpu, err := wait()
	b.cpu += cpu
	return err
}

func (b *bench) platform(args ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		return b.exec(ctx, b.program, append([]string{"render"}, args...)...)
	}
}

func (b *bench) loop(ctx context.Context) error {
	for _, file := range b.files {
		if err := b.exec(ctx, b.jsonnet, "-J", ".", file); err != nil {
			return err
		}
	}
	return nil
}

// inSplit has a process for each processor evaluate an equal part of the files.
// Files of one name, the work of which is alike, are dealt out in turn: of the
// splits by hand that come to mind, the fastest.
func (b *bench) inSplit(program string) func(context.Context) error {
	files := slices.Clone(b.files)
	slices.SortStableFunc(files, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	parts := make([]string, b.split)
	for i, file := range files {
		parts[i%b.split] += fmt.Sprintf("import '%s',\n", file)
	}
	return func(ctx context.Context) error {
		var group errgroup.Group
		cpu := make([]time.Duration, len(parts))
		for i, part := range parts {
			wait, err := b.start(ctx, program, "-J", ".", "--exec", "["+part+"]")
			if err != nil {
				return err
			}
			group.Go(func() error {
				cpu[i], err = wait()
				return err
			})
		}
		err := group.Wait()
		for _, part := range cpu {
			b.cpu += part
		}
		return err
	}
}

func (b *bench) kubecfg(program string) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, cluster := range b.clusters {
			if err := b.exec(ctx, program, append([]string{"show", "-J", "."}, b.namespaces[cluster]...)...); err != nil {
				return err
			}
		}
		return nil
	}
}

// tanka makes each cluster an environment, whose objects are those of all of
// the cluster's files.
func (b *bench) tanka(program string) func(context.Context) error {
	return func(ctx context.Context) error {
		err := b.write("jsonnetfile.json", `{"version": 1, "dependencies": [], "legacyImports": true}`)
		// tk looks for imports in vendor/, and not in the root.
		for _, folder := range []string{"lib", "addons", "clusters"} {
			err = errors.Join(err, b.link(filepath.Join("..", folder), filepath.Join("vendor", folder)))
		}
		for _, cluster := range b.clusters {
			environment := filepath.Join("environments", cluster)
			var main strings.Builder
			for _, file := range b.namespaces[cluster] {
				fmt.Fprintf(&main, "  '%s': import '%s',\n", filepath.Base(file), file)
			}
			err = errors.Join(err,
				b.write(filepath.Join(environment, "main.jsonnet"), "{\n"+main.String()+"}\n"),
				b.write(filepath.Join(environment, "spec.json"),
					`{"apiVersion": "tanka.dev/v1alpha1", "kind": "Environment", "metadata": {"name": "`+cluster+`"}, "spec": {"namespace": "default"}}`))
		}
		out := filepath.Join(b.dir, "tanka")
		if err := errors.Join(err, os.RemoveAll(out)); err != nil {
			return err
		}
		args := []string{"export", out, "environments", "--recursive", "-p", fmt.Sprint(b.split), "--format", "{{env.metadata.name}}/{{.kind}}-{{.metadata.namespace}}-{{.metadata.name}}"}
		return b.exec(ctx, program, args...)
	}
}

func (b *bench) print(rows []*row, runs int) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "%d files, median of %d\ttime\tspeed-up\tprocessor\tspeed-up\t\n", len(b.files), runs)
	wall, cpu := median(rows[0].wall), median(rows[0].cpu)
	for _, r := range rows {
		w, c := median(r.wall), median(r.cpu)
		fmt.Fprintf(table, "%s\t%.2f s\t%.1f ×\t%.2f s\t%.1f ×\t\n", r.name, w.Seconds(), wall.Seconds()/w.Seconds(), c.Seconds(), cpu.Seconds()/c.Seconds())
	}
	return table.Flush()
}

func median(times []time.Duration) time.Duration {
	times = slices.Clone(times)
	slices.Sort(times)
	return times[len(times)/2]
}
