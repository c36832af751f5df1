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

	"github.com/google/go-jsonnet"
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
}

// File is one rendered file of a cluster.
type File struct {
	// Name is the file's name without its extension.
	Name string
	// Source is the file's path in the repository.
	Source  string
	Objects []Object
}

// Cluster is everything that a cluster's folder renders to.
type Cluster struct {
	Name string
	// Declaration is the value of the cluster's own file, as JSON.
	Declaration json.RawMessage
	// Files are the namespace files by name.
	Files []File
}

// Error is what jsonnet says of a file.
type Error struct {
	// Source is the file that was being rendered, which needn't be the one
	// that the message points at.
	Source  string
	Message string
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
	dir := filepath.Join("clusters", cluster)
	entries, err := os.ReadDir(filepath.Join(o.Root, dir))
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("reading %s: %w", dir, err)
	}
	var names []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".jsonnet"); ok && !entry.IsDir() {
			names = append(names, name)
		}
	}
	if !slices.Contains(names, ClusterFile) {
		return nil, &NoClusterError{Cluster: cluster, Path: filepath.Join(dir, ClusterFile+".jsonnet")}
	}
	out := &Cluster{Name: cluster}
	files := make([]File, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	errs := make([]error, len(names))
	for i, name := range names {
		source := filepath.Join(dir, name+".jsonnet")
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if name == ClusterFile {
				text, err := evaluate(o, source)
				out.Declaration = json.RawMessage(text)
				errs[i] = err
				return nil
			}
			objects, err := evaluateObjects(o, source)
			files[i] = File{Name: name, Source: source, Objects: objects}
			errs[i] = err
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, file := range files {
		if file.Name != "" {
			out.Files = append(out.Files, file)
		}
	}
	return out, nil
}

// Objects evaluates one file, wherever it is in the repository.
func Objects(o Options, path string) ([]Object, error) { return evaluateObjects(o, path) }

func evaluateObjects(o Options, source string) ([]Object, error) {
	text, err := evaluate(o, source)
	if err != nil {
		return nil, err
	}
	value, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	found, err := objects(value)
	if err != nil {
		return nil, &Error{Source: source, Message: fmt.Sprintf("%s: %v", source, err)}
	}
	return found, nil
}

// decode uses the API's own JSON decoder, which keeps whole numbers whole.
func decode(text string) (any, error) {
	var value any
	err := kubejson.Unmarshal([]byte(text), &value)
	return value, err
}

func evaluate(o Options, source string) (string, error) {
	im, err := newImporter(o.Root, o.JPath)
	if err != nil {
		return "", err
	}
	vm := jsonnet.MakeVM()
	vm.Importer(im)
	vm.StringOutput = false
	for key, value := range o.ExtVars {
		vm.ExtVar(key, value)
	}
	for key, value := range o.ExtCode {
		vm.ExtCode(key, value)
	}
	for key, value := range o.TLAVars {
		vm.TLAVar(key, value)
	}
	for key, value := range o.TLACode {
		vm.TLACode(key, value)
	}
	text, err := vm.EvaluateFile(source)
	if err != nil {
		return "", &Error{Source: source, Message: firstPlace(source, err)}
	}
	return text, nil
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
