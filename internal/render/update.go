package render

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Update makes generated/ what the clusters render to. Nothing is written
// unless all of them render.
//
// The cache keeps the digest of the tree that a cluster was last written as, by
// the names of the results that went into it: if neither the sources nor
// generated/ have changed since, nothing is decoded, let alone evaluated.
func Update(ctx context.Context, o Options, names []string) ([]Written, error) {
	defer relaxGC()()
	im, err := newImporter(o.Root, o.JPath)
	if err != nil {
		return nil, err
	}
	clusters, err := listAll(o.Root, names)
	if err != nil {
		return nil, err
	}
	store := newCache(o.CacheDir, o.Version)
	written := make([]Written, len(clusters))
	have := make([]map[string][]byte, len(clusters))
	unchanged := make([]bool, len(clusters))
	each := func(do func(i int) error) error {
		var group errgroup.Group
		for i := range clusters {
			if !unchanged[i] {
				group.Go(func() error { return do(i) })
			}
		}
		return group.Wait()
	}
	err = each(func(i int) (err error) {
		c := clusters[i]
		if have[i], err = existing(o.Root, c.Name); err != nil {
			return err
		}
		written[i] = Written{Cluster: c.Name, Objects: len(have[i])}
		unchanged[i] = store.isTree(o, im, c, have[i])
		return nil
	})
	if err != nil {
		return nil, err
	}
	var changed []*Cluster
	for i, c := range clusters {
		if !unchanged[i] {
			changed = append(changed, c)
		}
	}
	if err := renderAll(ctx, o, im, changed); err != nil {
		return nil, err
	}
	trees := make([]map[string][]byte, len(clusters))
	if err := each(func(i int) (err error) { trees[i], err = Tree(clusters[i]); return err }); err != nil {
		return nil, err
	}
	err = each(func(i int) (err error) {
		if written[i], err = write(o.Root, clusters[i].Name, trees[i], have[i]); err != nil {
			return err
		}
		store.putTree(clusters[i], trees[i])
		return nil
	})
	return written, err
}

// isTree says whether tree is what the cluster is known to render to now.
func (c *cache) isTree(o Options, im *importer, cluster *Cluster, tree map[string][]byte) bool {
	if c == nil {
		return false
	}
	results := make([]string, 0, 1+len(cluster.Files))
	for _, source := range cluster.sources() {
		result, ok := c.current(o, im, source)
		if !ok {
			return false
		}
		results = append(results, result)
	}
	want, ok := c.read(treeKey(cluster, results) + treeSuffix)
	return ok && bytes.Equal(want, treeDigest(tree))
}

// putTree keeps a tree's digest, if all that went into it is in the cache.
func (c *cache) putTree(cluster *Cluster, tree map[string][]byte) {
	if c == nil {
		return
	}
	results := []string{cluster.result}
	for _, file := range cluster.Files {
		results = append(results, file.result)
	}
	if !slices.Contains(results, "") {
		_ = c.write(treeKey(cluster, results)+treeSuffix, treeDigest(tree))
	}
}

// sources are the paths of a cluster's files, its declaration's first.
func (c *Cluster) sources() []string {
	out := []string{clusterSource(c.Name)}
	for _, file := range c.Files {
		out = append(out, file.Source)
	}
	return out
}

// treeKey names the tree of a cluster by those of its files' results, which
// have the tool's version in them.
func treeKey(cluster *Cluster, results []string) string {
	return digest([]any{"tree", cluster.sources(), results})
}

func treeDigest(tree map[string][]byte) []byte {
	sum := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(tree)) {
		content := sha256.Sum256(tree[path])
		sum.Write([]byte(path + "\x00" + hex.EncodeToString(content[:]) + "\n"))
	}
	return sum.Sum(nil)
}
