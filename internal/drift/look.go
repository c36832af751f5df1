package drift

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"platform/internal/config"
	"platform/internal/plan"
)

// Look is what one look at a cluster gave.
type Look struct {
	Cluster string
	// Changes are those of the plan, and further ones of the layers Versions,
	// Certificates and Undeclared.
	Changes []plan.Change
	// Err says why the cluster, or the layers of Unread, couldn't be read. Their
	// changes don't count.
	Err    error
	Unread []plan.Layer

	Server, Account, Region string
	Requests                int
	Took                    time.Duration
	Paused                  *Pause
	Versions                map[string]Version
}

// LookAll looks at clusters, at most parallel of them side by side. The looks are
// in the order of the clusters.
func LookAll(clusters []string, parallel int, look func(cluster string) Look) []Look {
	looks := make([]Look, len(clusters))
	var group errgroup.Group
	group.SetLimit(parallel)
	for i, cluster := range clusters {
		group.Go(func() error {
			looks[i] = look(cluster)
			return nil
		})
	}
	_ = group.Wait() // what goes wrong is part of the look
	return looks
}

// About is what a report says of itself.
type About struct {
	Time       time.Time
	Tool       string
	Repository string
	Commit     string
}

// Make makes the report of a look at some clusters. It is compared with
// previous, which is nil for a first one and may know more or fewer clusters:
// those that nobody looked at this time aren't in the new report. Rules whose
// last day is over no longer ignore anything.
func Make(about About, looks []Look, previous *Report, rules []config.Ignore) *Report {
	r := &Report{
		SchemaVersion: SchemaVersion, Time: about.Time.UTC(), Tool: about.Tool,
		Repository: about.Repository, Commit: about.Commit,
		Clusters: make([]Cluster, 0, len(looks)),
	}
	for _, look := range looks {
		r.Clusters = append(r.Clusters, newCluster(look, r.Time))
	}
	before := map[string]*Cluster{}
	if previous != nil {
		for i := range previous.Clusters {
			before[previous.Clusters[i].Name] = &previous.Clusters[i]
		}
	}
	for i := range r.Clusters {
		if was := before[r.Clusters[i].Name]; was != nil {
			r.Clusters[i].keepUnread(was, r.Time)
		}
	}
	r.ignore(rules)
	for i := range r.Clusters {
		c := &r.Clusters[i]
		c.compare(before[c.Name], r.Time)
		c.settle()
		if c.Previous != nil && (r.Previous == nil || c.Previous.After(*r.Previous)) {
			r.Previous = c.Previous
		}
	}
	return r
}

// newCluster makes findings of a look, all of them new.
func newCluster(look Look, at time.Time) Cluster {
	c := Cluster{
		Name: look.Cluster, Time: at, Server: look.Server, Account: look.Account, Region: look.Region,
		Requests: look.Requests, Seconds: look.Took.Round(time.Millisecond).Seconds(),
		Paused: look.Paused, Versions: maps.Clone(look.Versions), Findings: []Finding{},
	}
	if c.Versions == nil {
		c.Versions = map[string]Version{}
	}
	if look.Err != nil {
		c.Error = look.Err.Error()
		c.Unread = slices.Clone(look.Unread)
	} else {
		c.Seen = &at
	}
	for _, change := range look.Changes {
		if !c.Read(change.Layer) {
			continue // half a layer can't be compared
		}
		f := Finding{
			Layer: change.Layer, Op: change.Op, Resource: change.Resource,
			Source: change.Source, Reason: change.Reason,
			Diff: make([]Field, len(change.Diff)), Status: New, FirstSeen: at, LastSeen: at,
		}
		for i, field := range change.Diff {
			f.Diff[i] = Field{field, at}
		}
		slices.SortStableFunc(f.Diff, func(a, b Field) int { return cmp.Compare(a.Path, b.Path) })
		c.Findings = append(c.Findings, f)
	}
	return c
}

// places are what makes a finding the same one the next time: the fields of an
// update; of everything else, that it is there. A resource that is missing
// stays missing, whatever git comes to say of its fields.
func (f Finding) places() []string {
	if f.Op != plan.Update || len(f.Diff) == 0 {
		return []string{""}
	}
	paths := make([]string, len(f.Diff))
	for i, field := range f.Diff {
		paths[i] = field.Path
	}
	return paths
}

// newID names a finding that no report had before.
func (f Finding) newID(cluster string, taken map[string]bool) string {
	parts := append([]string{cluster, string(f.Layer), f.Resource, string(f.Op)}, f.places()...)
	for {
		hash := sha256.New()
		for _, part := range parts {
			hash.Write([]byte(part))
			hash.Write([]byte{0})
		}
		id := hex.EncodeToString(hash.Sum(nil))[:16]
		if !taken[id] {
			return id
		}
		// A finding that has gained and lost fields since has it.
		parts = append(parts, id)
	}
}
