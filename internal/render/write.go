package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// GeneratedDir is where the rendered tree is written.
const GeneratedDir = "generated"

// Written counts what writing a cluster's rendered tree changed.
type Written struct {
	Cluster string `json:"cluster"`
	// Objects is how many there are, the others how many files were written
	// or removed.
	Objects int `json:"objects"`
	Added   int `json:"added"`
	Changed int `json:"changed"`
	Removed int `json:"removed"`
}

// Marshal is the form in which generated files are written: sorted keys, two
// spaces, a final newline.
func Marshal(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Path is where an object is written, in the repository.
func Path(cluster, file, key string) string {
	return filepath.Join(GeneratedDir, below(cluster, file, key))
}

func below(cluster, file, key string) string {
	return filepath.Join(cluster, file, strings.ReplaceAll(key, "/", "_")+".json")
}

// Tree gives a cluster's generated files by their paths below generated/.
func Tree(c *Cluster) (map[string][]byte, error) {
	tree := map[string][]byte{}
	add := func(file, key string, value any) error {
		data, err := Marshal(value)
		if err != nil {
			return err
		}
		path := below(c.Name, file, key)
		if _, twice := tree[path]; twice {
			return fmt.Errorf("%s: two objects would be written to it", filepath.Join(GeneratedDir, path))
		}
		tree[path] = data
		return nil
	}
	var declaration any
	if err := json.Unmarshal(c.Declaration, &declaration); err != nil {
		return nil, err
	}
	for key, value := range splitDeclaration(declaration) {
		if err := add(ClusterFile, key, value); err != nil {
			return nil, err
		}
	}
	for _, file := range c.Files {
		for _, object := range file.Objects {
			if err := add(file.Name, object.Key, object.Object); err != nil {
				return nil, err
			}
		}
	}
	return tree, nil
}

// splitDeclaration gives each kops manifest a file of its own; the rest stays
// together.
func splitDeclaration(declaration any) map[string]any {
	out := map[string]any{}
	all, _ := declaration.(map[string]any)
	kops, _ := all["kops"].(map[string]any)
	rest := map[string]any{}
	for key, value := range all {
		rest[key] = value
	}
	others := map[string]any{}
	for key, value := range kops {
		switch key {
		case "cluster":
			out["kops.cluster"] = value
		case "instanceGroups":
			groups, _ := value.(map[string]any)
			for name, group := range groups {
				out["kops.instanceGroups."+name] = group
			}
		default:
			others[key] = value
		}
	}
	rest["kops"] = others
	out["cluster"] = rest
	return out
}

// Write makes generated/<cluster> what c renders to: files that differ are
// written, files that are no longer rendered removed.
func Write(root string, c *Cluster) (Written, error) {
	have, err := existing(root, c.Name)
	if err != nil {
		return Written{Cluster: c.Name}, err
	}
	tree, err := Tree(c)
	if err != nil {
		return Written{Cluster: c.Name}, err
	}
	return write(root, c.Name, tree, have)
}

// write replaces what there is of a cluster by a tree.
func write(root, cluster string, tree, have map[string][]byte) (Written, error) {
	w := Written{Cluster: cluster, Objects: len(tree)}
	for path, data := range tree {
		old, there := have[path]
		delete(have, path)
		switch {
		case !there:
			w.Added++
		case bytes.Equal(old, data):
			continue
		default:
			w.Changed++
		}
		full := filepath.Join(root, GeneratedDir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return w, err
		}
		if err := os.WriteFile(full, data, 0o644); err != nil {
			return w, err
		}
	}
	for path := range have {
		w.Removed++
		if err := os.Remove(filepath.Join(root, GeneratedDir, path)); err != nil {
			return w, err
		}
	}
	return w, removeEmpty(filepath.Join(root, GeneratedDir, cluster))
}

// StaleFile is a generated file that isn't what its cluster renders to.
type StaleFile struct {
	// Path is relative to the repository's root.
	Path string
	// Missing says that it isn't there, LeftOver that nothing renders to it.
	Missing, LeftOver bool
}

// Stale lists the generated files of a cluster that aren't what c renders to.
func Stale(root string, c *Cluster) ([]StaleFile, error) {
	tree, err := Tree(c)
	if err != nil {
		return nil, err
	}
	have, err := existing(root, c.Name)
	if err != nil {
		return nil, err
	}
	var out []StaleFile
	for path, data := range tree {
		if old, there := have[path]; !there || !bytes.Equal(old, data) {
			out = append(out, StaleFile{Path: filepath.Join(GeneratedDir, path), Missing: !there})
		}
		delete(have, path)
	}
	for path := range have {
		out = append(out, StaleFile{Path: filepath.Join(GeneratedDir, path), LeftOver: true})
	}
	slices.SortFunc(out, func(a, b StaleFile) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

func existing(root, cluster string) (map[string][]byte, error) {
	have := map[string][]byte{}
	base := filepath.Join(root, GeneratedDir)
	err := filepath.WalkDir(filepath.Join(base, cluster), func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(base, path)
		have[rel] = data
		return err
	})
	return have, err
}

// removeEmpty removes the folders below dir that hold nothing any more.
func removeEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		if os.IsNotExist(err) {
			return nil
		}
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			sub := filepath.Join(dir, entry.Name())
			if left, err := os.ReadDir(sub); err == nil && len(left) == 0 {
				if err := os.Remove(sub); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
