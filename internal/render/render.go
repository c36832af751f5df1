package render

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	kubejson "k8s.io/apimachinery/pkg/util/json"
)

// ClusterFile is the file of a cluster's folder that declares the cluster
// itself; every other one declares the objects of a namespace.
const ClusterFile = "cluster"

// Options are where to render from and with which variables.
type Options struct {
	// Root is the repository.
	Root string
	// JPath are further folders to import from.
	JPath []string
	// ExtVars and ExtCode are jsonnet's external variables, TLAVars and
	// TLACode its top-level arguments.
	ExtVars, ExtCode, TLAVars, TLACode map[string]string
	// CacheDir is where results are kept between runs; nowhere if empty.
	CacheDir string
	// Version is the tool's: another one doesn't take over its results.
	Version string
}

// File is one rendered file of a cluster.
type File struct {
	// Name is the file's name without its extension.
	Name string
	// Source is the file's path in the repository.
	Source  string
	Objects []Object

	// result is the name of the file's value in the cache, if it is there.
	result string
}

// Cluster is everything that a cluster's folder renders to.
type Cluster struct {
	Name string
	// Declaration is the value of the cluster's own file, as JSON.
	Declaration json.RawMessage
	// Files are the namespace files by name.
	Files []File

	// result is the name of Declaration in the cache, if it is there.
	result string
}

// Source is the path of the cluster's declaration in the repository.
func (c *Cluster) Source() string { return clusterSource(c.Name) }

// Error is what jsonnet says of a file.
type Error struct {
	// Source is the file that was being rendered, which needn't be the one
	// that the message points at.
	Source string
	// Key and Path are the object and its field that it is about, where it is
	// about a value and not about how it came to be.
	Key, Path string
	Message   string
}

func (e *Error) Error() string { return e.Message }

// NoClusterError means that a cluster has no folder or no declaration.
type NoClusterError struct {
	Cluster string
	Path    string
}

func (e *NoClusterError) Error() string {
	return fmt.Sprintf("cluster %s isn't declared: there is no %s", e.Cluster, e.Path)
}

// Render evaluates all files of a cluster, in parallel.
func Render(ctx context.Context, o Options, cluster string) (*Cluster, error) {
	all, err := RenderAll(ctx, o, []string{cluster})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// RenderAll evaluates all files of several clusters, in parallel; what they
// share is read once, and parsed once for each processor.
func RenderAll(ctx context.Context, o Options, clusters []string) ([]*Cluster, error) {
	im, err := newImporter(o.Root, o.JPath)
	if err != nil {
		return nil, err
	}
	out, err := listAll(o.Root, clusters)
	if err != nil {
		return nil, err
	}
	return out, renderAll(ctx, o, im, out)
}

// renderAll fills in clusters that have been listed.
func renderAll(ctx context.Context, o Options, im *importer, clusters []*Cluster) error {
	var jobs []job
	for _, cluster := range clusters {
		jobs = append(jobs, job{source: clusterSource(cluster.Name), cluster: cluster})
		for i := range cluster.Files {
			jobs = append(jobs, job{source: cluster.Files[i].Source, file: &cluster.Files[i]})
		}
	}
	return run(ctx, o, im, jobs)
}

// Objects evaluates one file, wherever it is in the repository.
func Objects(o Options, path string) ([]Object, error) {
	im, err := newImporter(o.Root, o.JPath)
	if err != nil {
		return nil, err
	}
	file := File{Source: path}
	if err := run(context.Background(), o, im, []job{{source: path, file: &file}}); err != nil {
		return nil, err
	}
	return file.Objects, nil
}

func listAll(root string, names []string) ([]*Cluster, error) {
	out := make([]*Cluster, len(names))
	for i, name := range names {
		var err error
		if out[i], err = list(root, name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// list gives a cluster with its files, nothing of it evaluated.
func list(root, cluster string) (*Cluster, error) {
	source := clusterSource(cluster)
	dir := filepath.Dir(source)
	entries, err := os.ReadDir(filepath.Join(root, dir))
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("reading %s: %w", dir, err)
	}
	out := &Cluster{Name: cluster}
	declared := false
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".jsonnet")
		switch {
		case !ok || entry.IsDir():
		case name == ClusterFile:
			declared = true
		default:
			out.Files = append(out.Files, File{Name: name, Source: filepath.Join(dir, entry.Name())})
		}
	}
	if !declared {
		return nil, &NoClusterError{Cluster: cluster, Path: source}
	}
	return out, nil
}

func clusterSource(cluster string) string {
	return filepath.Join("clusters", cluster, ClusterFile+".jsonnet")
}

// job is one file to evaluate: a cluster's declaration or a namespace file.
type job struct {
	source  string
	cluster *Cluster
	file    *File
}

func (j job) do(e *evaluator) error {
	text, result, err := e.evaluate(j.source)
	if err != nil {
		return err
	}
	if j.cluster != nil {
		j.cluster.Declaration, j.cluster.result = json.RawMessage(text), result
		return nil
	}
	j.file.result = result
	value, err := decode(text)
	if err != nil {
		return fmt.Errorf("%s: %w", j.source, err)
	}
	j.file.Objects, err = objects(value)
	if wrong := new(objectError); errors.As(err, &wrong) {
		return &Error{Source: j.source, Key: wrong.key, Path: wrong.path, Message: fmt.Sprintf("%s: %v", j.source, err)}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", j.source, err)
	}
	return nil
}

// run does the jobs on all processors and joins their errors in the order of the
// files' names.
func run(ctx context.Context, o Options, im *importer, jobs []job) error {
	defer relaxGC()()
	store := newCache(o.CacheDir, o.Version)
	jobs = slices.Clone(jobs)
	slices.SortStableFunc(jobs, func(a, b job) int { return strings.Compare(filepath.Base(a.source), filepath.Base(b.source)) })
	workers := min(runtime.GOMAXPROCS(0), len(jobs))
	work := newQueue(len(jobs), workers)
	errs := make([]error, len(jobs))
	group, ctx := errgroup.WithContext(ctx)
	for worker := range workers {
		group.Go(func() error {
			e := newEvaluator(o, im, store)
			for {
				i, ok := work.next(worker)
				if !ok {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				errs[i] = jobs[i].do(e)
			}
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	store.sweep()
	return errors.Join(errs...)
}

// decode uses the API's own JSON decoder, which keeps whole numbers whole.
func decode(text string) (any, error) {
	var value any
	err := kubejson.Unmarshal([]byte(text), &value)
	return value, err
}

// place matches where a jsonnet message says something is: FILE:LINE:COLUMNS,
// or a range of lines.
var place = regexp.MustCompile(`^(\S+:(?:\d+:\d+(?:-\d+)?|\(\d+:\d+\)-\(\d+:\d+\))):?\s`)

// firstPlace puts the place of a jsonnet error in front, as compilers do. Of an
// error while evaluating, go-jsonnet writes the message first and then the
// stack, innermost first; of one in the text, the place and then the message.
func firstPlace(source string, err error) string {
	lines := strings.Split(strings.TrimRight(err.Error(), "\n"), "\n")
	message := strings.TrimPrefix(strings.TrimPrefix(lines[0], "RUNTIME ERROR: "), "INTERNAL ERROR: ")
	if place.MatchString(message) {
		lines[0] = place.ReplaceAllString(message, "$1: ")
		return strings.Join(lines, "\n")
	}
	if len(lines) > 1 {
		if found := place.FindStringSubmatch(strings.TrimSpace(lines[1]) + " "); found != nil {
			lines[0] = found[1] + ": " + message
			return strings.Join(lines, "\n")
		}
	}
	if strings.Contains(message, source) {
		return message
	}
	return source + ": " + message
}
