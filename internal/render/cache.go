package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/go-jsonnet"
)

// cache keeps results by the content of everything that they depend on, in two
// steps. A file's name and the variables give the paths that mattered when it
// was last rendered; those paths and what is at them now, be it nothing, give
// the result. A path where a file would now shadow an import is one of them. So
// there is nothing to invalidate, and what goes back to an earlier state finds
// the results of then, as long as it imports the same.
//
// It is a help and no more: what can't be read, written or believed is as good
// as absent. Entries are written aside and renamed; processes may share it.
type cache struct {
	dir     string
	version string
}

const (
	lookupsSuffix = ".lookups"
	resultSuffix  = ".json"
	treeSuffix    = ".tree"
)

// Bounds of the cache: entries that nobody used for as long are removed, and
// the ones unused for longest if all take more space.
const (
	cacheAge   = 30 * 24 * time.Hour
	cacheBytes = 256 << 20
)

// touchAfter is how old the mark of an entry's last use may be: a mark for
// every use would write on every read.
const touchAfter = 24 * time.Hour

// newCache gives nil, which caches nothing, for no dir.
func newCache(dir, version string) *cache {
	if dir == "" {
		return nil
	}
	return &cache{dir: dir, version: version}
}

// key names what is rendered and how, but not from what.
func (c *cache) key(o Options, im *importer, source string) string {
	var jpath []string
	for _, root := range im.roots[1:] {
		jpath = append(jpath, im.relative(root))
	}
	return digest(map[string]any{
		"version": c.version, "jsonnet": jsonnet.Version(), "source": source, "jpath": jpath,
		"extVars": o.ExtVars, "extCode": o.ExtCode, "tlaVars": o.TLAVars, "tlaCode": o.TLACode,
	})
}

// resultKey adds what is at the paths.
func resultKey(key string, im *importer, lookups []string) string {
	at := make([][]string, len(lookups))
	for i, path := range lookups {
		found := im.look(path)
		at[i] = []string{path, found.name, hex.EncodeToString(found.hash[:])}
		if found.err != nil {
			at[i] = append(at[i], found.err.Error())
		}
	}
	return digest([]any{key, at})
}

func digest(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // only maps and slices of strings come here
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// current is the name of what a file renders to now, if it has been rendered.
func (c *cache) current(o Options, im *importer, source string) (result string, ok bool) {
	if c == nil {
		return "", false
	}
	key := c.key(o, im, source)
	data, ok := c.read(key + lookupsSuffix)
	if !ok {
		return "", false
	}
	return resultKey(key, im, strings.Split(string(data), "\n")), true
}

func (c *cache) get(o Options, im *importer, source string) (text, result string, ok bool) {
	result, ok = c.current(o, im, source)
	if !ok {
		return "", "", false
	}
	data, ok := c.read(result + resultSuffix)
	return string(data), result, ok
}

// put gives the result's name, empty if it isn't kept.
func (c *cache) put(o Options, im *importer, source string, lookups []string, text string) (result string) {
	if c == nil || slices.ContainsFunc(lookups, func(path string) bool { return strings.Contains(path, "\n") }) {
		return ""
	}
	key := c.key(o, im, source)
	result = resultKey(key, im, lookups)
	if c.write(result+resultSuffix, []byte(text)) != nil || c.write(key+lookupsSuffix, []byte(strings.Join(lookups, "\n"))) != nil {
		return ""
	}
	return result
}

// read gives an entry's data if it is what was written: it starts with its
// digest.
func (c *cache) read(name string) ([]byte, bool) {
	path := filepath.Join(c.dir, name)
	data, err := os.ReadFile(path)
	if err != nil || len(data) < sha256.Size {
		return nil, false
	}
	sum, data := data[:sha256.Size], data[sha256.Size:]
	if want := sha256.Sum256(data); !bytes.Equal(sum, want[:]) {
		return nil, false
	}
	if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > touchAfter {
		now := time.Now()
		_ = os.Chtimes(path, now, now)
	}
	return data, true
}

func (c *cache) write(name string, data []byte) error {
	// For nobody else: rendered files may hold what the repository's readers
	// may see, and the cache's readers may not.
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(c.dir, "new-*")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	_, err = file.Write(append(sum[:], data...))
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(c.dir, name))
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// sweep keeps the cache within its bounds.
func (c *cache) sweep() {
	if c == nil {
		return
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	var infos []fs.FileInfo
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			infos = append(infos, info)
		}
	}
	// Newest first: what doesn't fit any more goes.
	slices.SortFunc(infos, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	var total int64
	for _, info := range infos {
		total += info.Size()
		if total > cacheBytes || time.Since(info.ModTime()) > cacheAge {
			_ = os.Remove(filepath.Join(c.dir, info.Name()))
		}
	}
}
