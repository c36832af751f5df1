// Package savedplan keeps a plan in a file, so that what was reviewed is what is
// applied: the plan that is made again when the time comes must be the same.
package savedplan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"platform/internal/atomicfile"
	"platform/internal/plan"
	"platform/internal/render"
)

// format is the version of the file's format.
const format = 1

// Saved is a plan and what it was made of.
type Saved struct {
	Format  int       `json:"format"`
	Cluster string    `json:"cluster"`
	Made    time.Time `json:"made"`
	// Tool is the version of the tool that made it.
	Tool string `json:"tool"`
	// Commit is the one that it was made of, as far as it is known; From is
	// what was asked for by name, if that wasn't what was checked out.
	Commit string `json:"commit,omitempty"`
	From   string `json:"from,omitempty"`
	// Rendered is the digest of all that the cluster rendered to: a plan
	// doesn't show what it would create in full.
	Rendered string `json:"rendered"`
	// PruneData and ForceConflicts are the choices that it was made with.
	PruneData      bool      `json:"pruneData"`
	ForceConflicts bool      `json:"forceConflicts"`
	Plan           plan.Plan `json:"plan"`
}

// Digest is the digest of all that a cluster renders to.
func Digest(c *render.Cluster) (string, error) {
	tree, err := render.Tree(c)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(tree)) {
		fmt.Fprintf(hash, "%s\x00%d\x00", path, len(tree[path]))
		hash.Write(tree[path])
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Write writes a plan to a file that only its owner can read, in one step.
func Write(path string, s Saved) error {
	s.Format = format
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.Write(path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	return nil
}

// Read reads a saved plan.
func Read(path string) (Saved, error) {
	var s Saved
	data, err := os.ReadFile(path)
	if err != nil {
		return s, fmt.Errorf("reading the saved plan: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&s); err != nil {
		return s, fmt.Errorf("%s is no saved plan: %w", path, err)
	}
	switch {
	case s.Format == 0 || s.Cluster == "" || s.Plan.Cluster != s.Cluster || s.Rendered == "":
		return s, fmt.Errorf("%s is no saved plan; `platform plan CLUSTER --out FILE` makes one", path)
	case s.Format != format:
		return s, fmt.Errorf("%s was saved by platform %s, in another form than this one reads; make it again", path, s.Tool)
	}
	return s, nil
}

// StaleError means that a saved plan isn't what would be done now.
type StaleError struct {
	Made time.Time
	// Git says that what git declares has changed; otherwise reality has.
	Git bool
	// Now and Before are the changes that only one of the two plans has.
	Now, Before []string
}

func (e *StaleError) Error() string {
	what := "reality"
	if e.Git {
		what = "what git declares"
	}
	var parts []string
	if len(e.Now) > 0 {
		parts = append(parts, "now also to "+few(e.Now))
	}
	if len(e.Before) > 0 {
		parts = append(parts, "no longer to "+few(e.Before))
	}
	text := fmt.Sprintf("%s has changed since the plan was made, %s", what, e.Made.UTC().Format("2006-01-02 15:04:05 UTC"))
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, "; ")
	}
	return text
}

// few names some of many.
func few(all []string) string {
	const most = 5
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}

// Check fails with a StaleError unless a plan that was made just now is the saved
// one, and of the same declarations.
func (s Saved) Check(now plan.Plan, rendered string) error {
	stale := &StaleError{Made: s.Made, Git: rendered != s.Rendered}
	before, after := byName(s.Plan), byName(now)
	for _, c := range now.Changes {
		if name := nameOf(c); !reflect.DeepEqual(before[name], after[name]) {
			stale.Now = append(stale.Now, name)
		}
	}
	for _, c := range s.Plan.Changes {
		if name := nameOf(c); after[name] == nil {
			stale.Before = append(stale.Before, name)
		}
	}
	if stale.Git || len(stale.Now)+len(stale.Before) > 0 {
		return stale
	}
	return nil
}

func nameOf(c plan.Change) string { return string(c.Op) + " " + c.Resource }

// byName gives the changes as far as they must be the same, by operation and
// resource.
func byName(p plan.Plan) map[string]any {
	out := map[string]any{}
	for _, c := range p.Changes {
		// Through JSON, as the saved one came.
		data, err := json.Marshal(c)
		if err != nil {
			panic(err) // plans are plain data
		}
		var value map[string]any
		if err := json.Unmarshal(data, &value); err != nil {
			panic(err)
		}
		fields, _ := value["diff"].([]any)
		for _, field := range fields {
			f := field.(map[string]any)
			delete(f, "manager")
			delete(f, "written")
			for _, side := range []string{"from", "to"} {
				if text, ok := f[side].(string); ok {
					f[side] = salted.ReplaceAllString(text, "(secret)")
				}
			}
		}
		if len(fields) == 0 {
			delete(value, "diff")
		}
		out[nameOf(c)] = value
	}
	return out
}

// salted matches what stands for secret values, which is another text in each
// plan. That the values are still the same is for Change.Seen to say.
var salted = regexp.MustCompile(`^\(secret, hash [0-9a-f]+\)$`)
