package drift

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Shard gives the clusters that the i-th of n processes is to look at, counted
// from 1 and in the order given. All agree on it whatever the order in which
// each knows the clusters; a cluster more moves few others; and none has more
// than its even share.
func Shard(clusters []string, i, n int) ([]string, error) {
	if n < 1 || i < 1 || i > n {
		return nil, fmt.Errorf("shard %d/%d: want one such as 1/%d, the first of %[3]d", i, n, max(n, 2))
	}
	room := make([]int, n)
	for k := range room {
		room[k] = (len(clusters) + n - 1) / n
	}
	mine := map[string]bool{}
	for _, name := range slices.Sorted(slices.Values(clusters)) {
		best, most := 0, uint64(0)
		for k := range room {
			if score := affinity(name, k); room[k] > 0 && score >= most {
				best, most = k, score
			}
		}
		room[best]--
		if best == i-1 {
			mine[name] = true
		}
	}
	out := []string{}
	for _, name := range clusters {
		if mine[name] {
			out = append(out, name)
		}
	}
	return out, nil
}

// affinity is how much a cluster wants to be in a shard (rendezvous hashing).
func affinity(cluster string, shard int) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", shard, cluster))
	return binary.BigEndian.Uint64(sum[:])
}

// Merge joins the reports of shards: of the same commit, each on clusters of
// its own. Its clusters are in the order of the parts; see Order.
func Merge(parts []Report) (Report, error) {
	if len(parts) == 0 {
		return Report{}, errors.New("merging reports: there are none")
	}
	first := parts[0]
	out := first
	out.Clusters = []Cluster{}
	out.Ignore = slices.Clone(first.Ignore)
	owner := map[string]Report{}
	for i, part := range parts {
		switch {
		case part.SchemaVersion != SchemaVersion:
			return Report{}, fmt.Errorf("merging reports: that of %s has schema version %d, this tool reads %d; use the tool's version that wrote it, %s",
				stamp(part), part.SchemaVersion, SchemaVersion, part.Tool)
		case part.Repository != first.Repository:
			return Report{}, fmt.Errorf("merging reports: they are of two repositories, %s and %s", first.Repository, part.Repository)
		case part.Commit != first.Commit:
			return Report{}, fmt.Errorf("merging reports: the clusters were compared with two commits, %s (%s) and %s (%s); let all shards run on one",
				first.Commit, stamp(first), part.Commit, stamp(part))
		}
		for _, c := range part.Clusters {
			if other, twice := owner[c.Name]; twice {
				return Report{}, fmt.Errorf("merging reports: cluster %s is in two of them, of %s and of %s", c.Name, stamp(other), stamp(part))
			}
			owner[c.Name] = part
			out.Clusters = append(out.Clusters, c)
		}
		if part.Time.After(out.Time) {
			out.Time = part.Time
		}
		if part.Previous != nil && (out.Previous == nil || part.Previous.After(*out.Previous)) {
			out.Previous = part.Previous
		}
		if i == 0 {
			continue
		}
		if !slices.EqualFunc(part.Ignore, first.Ignore, sameRule) {
			return Report{}, fmt.Errorf("merging reports: those of %s and %s have other rules on what to ignore, although they are of one commit; let all shards run with the same platform.yaml",
				stamp(first), stamp(part))
		}
		for k := range part.Ignore {
			out.Ignore[k].Matched += part.Ignore[k].Matched
			if part.Ignore[k].State == RuleExpired {
				out.Ignore[k].State = RuleExpired // midnight passed in between
			}
		}
	}
	for k := range out.Ignore {
		out.Ignore[k].settle(out.Clusters)
	}
	return out, nil
}

func stamp(r Report) string { return r.Time.UTC().Format("2006-01-02 15:04:05Z") }

// sameRule leaves aside what the rules have done.
func sameRule(a, b IgnoreRule) bool {
	a.State, a.Matched = b.State, b.Matched
	return a == b
}
