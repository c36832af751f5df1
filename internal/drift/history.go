package drift

import "time"

// Entry is what is left of a report when only its counts matter.
type Entry struct {
	Time     time.Time        `json:"time"`
	Commit   string           `json:"commit"`
	Clusters map[string]Tally `json:"clusters"`
}

// Entry counts the report's findings.
func (r *Report) Entry() Entry {
	e := Entry{Time: r.Time, Commit: r.Commit, Clusters: make(map[string]Tally, len(r.Clusters))}
	for _, c := range r.Clusters {
		e.Clusters[c.Name] = c.Tally()
	}
	return e
}

// Night is what was found on one date, in UTC.
type Night struct {
	Date time.Time
	// Clusters is what each cluster's last report of the date counted; one
	// that none was made of isn't there.
	Clusters map[string]Tally
}

// Nights gives the n dates up to the one of last, the oldest first, those
// without a report as well.
func Nights(entries []Entry, last time.Time, n int) []Night {
	last = last.UTC().Truncate(24 * time.Hour)
	nights := make([]Night, n)
	for i := range nights {
		nights[i] = Night{last.AddDate(0, 0, i-n+1), map[string]Tally{}}
	}
	newest := map[string]time.Time{}
	for _, e := range entries {
		date := e.Time.UTC().Truncate(24 * time.Hour)
		i := n - 1 - int(last.Sub(date)/(24*time.Hour))
		if i < 0 || i >= n {
			continue
		}
		for name, tally := range e.Clusters {
			key := date.Format(time.DateOnly) + " " + name
			if at, has := newest[key]; has && e.Time.Before(at) {
				continue
			}
			newest[key] = e.Time
			nights[i].Clusters[name] = tally
		}
	}
	return nights
}

// Total counts over the clusters of a night. Its state is Unreachable if a
// cluster was, as what it had then is only known from before.
func (n Night) Total() Tally {
	var out Tally
	for _, t := range n.Clusters {
		out.Current += t.Current
		out.New += t.New
		out.Unknown += t.Unknown
		out.Resolved += t.Resolved
		out.Ignored += t.Ignored
		if t.State == Unreachable {
			out.State = Unreachable
		}
	}
	return out
}
