package drift

import (
	"slices"
	"time"

	"platform/internal/plan"
)

// keepUnread carries over what the last report had of layers that couldn't be
// read this time: nobody knows whether it is still there, least of all that it
// is resolved.
func (c *Cluster) keepUnread(was *Cluster, at time.Time) {
	if c.Error == "" {
		return
	}
	c.Seen = was.Seen
	for _, f := range was.Findings {
		if f.Status == Resolved || c.Read(f.Layer) {
			continue
		}
		f.Diff = slices.Clone(f.Diff)
		f.Status, f.Ignored = Unknown, nil // the rules of today decide
		if f.UnknownSince == nil {
			f.UnknownSince = &at
		}
		c.Findings = append(c.Findings, f)
	}
}

// place is a field of a resource, or the resource itself.
type place struct {
	layer    plan.Layer
	op       plan.Op
	resource string
	path     string
}

func (f Finding) at(path string) place { return place{f.Layer, f.Op, f.Resource, path} }

// sighting is a place that the last report had.
type sighting struct {
	finding int
	since   time.Time
}

// compare finds out which findings are new, which are open since when, and
// which of the last report's are resolved. Without a last report all are new.
func (c *Cluster) compare(was *Cluster, at time.Time) {
	var before []Finding
	if was != nil {
		c.Previous = &was.Time
		before = was.Findings
	}
	sightings := map[place][]sighting{}
	for i, f := range before {
		if f.Status == Resolved {
			continue
		}
		for k, path := range f.places() {
			since := f.FirstSeen
			if path != "" {
				since = f.Diff[k].Since
			}
			sightings[f.at(path)] = append(sightings[f.at(path)], sighting{i, since})
		}
	}

	taken := map[string]bool{}
	for _, f := range c.Findings {
		if f.ID != "" {
			taken[f.ID] = true
		}
	}
	gone := make([]bool, len(before))
	for i, f := range before {
		gone[i] = f.Status != Resolved && f.Ignored == nil && c.Read(f.Layer)
	}
	// What isn't ignored chooses first: where a rule splits a finding, the part
	// that people go on to see keeps its identity.
	for _, ignored := range []bool{false, true} {
		for i := range c.Findings {
			f := &c.Findings[i]
			if (f.Ignored != nil) != ignored || f.ID != "" {
				continue // of another pass, or carried over
			}
			if f.Status == Unknown {
				f.ID = f.newID(c.Name, taken) // a part of what was carried over
				taken[f.ID] = true
				continue
			}
			shared := map[int]int{}
			for k, path := range f.places() {
				for _, s := range sightings[f.at(path)] {
					shared[s.finding]++
					gone[s.finding] = false
					f.Status = Open
					if path != "" {
						f.Diff[k].Since = earlier(f.Diff[k].Since, s.since)
					}
					f.FirstSeen = earlier(f.FirstSeen, s.since)
				}
			}
			if f.places()[0] == "" {
				for k := range f.Diff {
					f.Diff[k].Since = f.FirstSeen
				}
			}
			f.ID = closest(before, shared, taken)
			if f.ID == "" {
				f.ID = f.newID(c.Name, taken)
			}
			taken[f.ID] = true
		}
	}
	for i, f := range before {
		if !gone[i] {
			continue
		}
		f.Status, f.UnknownSince = Resolved, nil
		if taken[f.ID] {
			f.ID = f.newID(c.Name, taken)
		}
		taken[f.ID] = true
		c.Findings = append(c.Findings, f)
	}
	for i := range c.Findings {
		f := &c.Findings[i]
		f.AgeSeconds = int64(max(0, at.Sub(f.FirstSeen)) / time.Second)
	}
}

// closest is the name of the earlier finding that shares most, and that no
// other goes by yet.
func closest(before []Finding, shared map[int]int, taken map[string]bool) string {
	best, most := "", 0
	for i, f := range before {
		if shared[i] > most && !taken[f.ID] {
			best, most = f.ID, shared[i]
		}
	}
	return best
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
