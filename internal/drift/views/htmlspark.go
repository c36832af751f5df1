package views

import (
	"fmt"
	"strings"

	"platform/internal/drift"
)

// spark is a small chart of bars, one for each night.
type spark struct {
	ID, Title     string
	Width, Height int
	// Bars are nights with findings, Now is the last of them, Nil those
	// without, Dim those on which not everything could be read.
	Base, Bars, Now, Nil, Dim string
}

// sparks draws a spark.
type sparks struct {
	spark
	name    string
	step    int
	tallies []drift.Tally
	seen    []bool
	most    int
}

func newSparks(id, name string, history []drift.Night, step, height int) *sparks {
	return &sparks{
		spark: spark{ID: id, Width: step * len(history), Height: height}, name: name, step: step,
		tallies: make([]drift.Tally, len(history)), seen: make([]bool, len(history)),
	}
}

func (s *sparks) add(night int, tally drift.Tally, seen bool) {
	s.tallies[night], s.seen[night] = tally, seen
	s.most = max(s.most, tally.Current)
}

func (s *sparks) done() spark {
	var bars, now, none, dim strings.Builder
	missing, unread := 0, 0
	last := len(s.tallies) - 1
	floor := s.Height - 1
	for i, t := range s.tallies {
		if !s.seen[i] {
			missing++
			continue
		}
		// Even one finding of very many is to be seen, and to be told from none.
		height := 2
		if t.Current > 0 {
			height = max(5, (s.Height-2)*t.Current/s.most)
		}
		bar := fmt.Sprintf("M%d %dv-%d", i*s.step+s.step/2, floor, height)
		switch {
		case t.State == drift.Unreachable:
			unread++
			dim.WriteString(bar)
		case t.Current == 0:
			none.WriteString(bar)
		case i == last:
			now.WriteString(bar)
		default:
			bars.WriteString(bar)
		}
	}
	s.Base = fmt.Sprintf("M0 %d.5h%d", floor, s.Width)
	s.Bars, s.Now, s.Nil, s.Dim = bars.String(), now.String(), none.String(), dim.String()
	s.Title = fmt.Sprintf("%s, findings in the last %d nights: %d now, at most %d", s.name, len(s.tallies), s.tallies[last].Current, s.most)
	if missing > 0 {
		s.Title += fmt.Sprintf("; %s without a report", count(missing, "night"))
	}
	if unread > 0 {
		s.Title += fmt.Sprintf("; %s on which it couldn't all be read", count(unread, "night"))
	}
	return s.spark
}
