package ruletest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// memory keeps the samples of one test.
type memory struct {
	series map[string]*promql.Series
	// till hides what is later, as if it hadn't been measured yet.
	till int64
}

func newMemory() *memory { return &memory{series: map[string]*promql.Series{}} }

func (m *memory) get(metric labels.Labels) *promql.Series {
	key := metric.String()
	if m.series[key] == nil {
		m.series[key] = &promql.Series{Metric: metric}
	}
	return m.series[key]
}

// load adds a series that is written as tests write it, a value per interval.
func (m *memory) load(series, values string, start, interval int64) error {
	metric, sequence, err := parser.ParseSeriesDesc(series + " " + values)
	if err != nil {
		return err
	}
	if len(sequence) == 0 {
		return fmt.Errorf("series %s has no values", series)
	}
	s := m.get(metric)
	if len(s.Floats) > 0 || len(s.Histograms) > 0 {
		return fmt.Errorf("series %s is there twice", series)
	}
	for i, value := range sequence {
		t := start + int64(i)*interval
		switch {
		case value.Omitted:
		case value.Histogram != nil:
			s.Histograms = append(s.Histograms, promql.HPoint{T: t, H: value.Histogram})
		default:
			s.Floats = append(s.Floats, promql.FPoint{T: t, F: value.Value})
		}
	}
	return nil
}

// Querier implements storage.Queryable.
func (m *memory) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{m: m, mint: mint, maxt: min(maxt, m.till)}, nil
}

type querier struct {
	m          *memory
	mint, maxt int64
}

func (q *querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	var out []promql.Series
	for _, s := range q.m.series {
		if !matches(s.Metric, matchers) {
			continue
		}
		part := promql.Series{
			Metric:     s.Metric,
			Floats:     between(s.Floats, func(p promql.FPoint) int64 { return p.T }, q.mint, q.maxt),
			Histograms: between(s.Histograms, func(p promql.HPoint) int64 { return p.T }, q.mint, q.maxt),
		}
		if len(part.Floats) > 0 || len(part.Histograms) > 0 {
			out = append(out, part)
		}
	}
	slices.SortFunc(out, func(a, b promql.Series) int { return labels.Compare(a.Metric, b.Metric) })
	return &seriesSet{series: out}
}

// between are the points of a time, both ends included.
func between[P any](points []P, at func(P) int64, mint, maxt int64) []P {
	from := sort.Search(len(points), func(i int) bool { return at(points[i]) >= mint })
	to := sort.Search(len(points), func(i int) bool { return at(points[i]) > maxt })
	if from >= to {
		return nil
	}
	return points[from:to]
}

func matches(metric labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(metric.Get(m.Name)) {
			return false
		}
	}
	return true
}

func (q *querier) LabelValues(_ context.Context, name string, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	var out []string
	for _, s := range q.m.series {
		if value := s.Metric.Get(name); value != "" && matches(s.Metric, matchers) {
			out = append(out, value)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil, nil
}

func (q *querier) LabelNames(_ context.Context, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	var out []string
	for _, s := range q.m.series {
		if matches(s.Metric, matchers) {
			s.Metric.Range(func(l labels.Label) { out = append(out, l.Name) })
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil, nil
}

func (q *querier) Close() error { return nil }

type seriesSet struct {
	series []promql.Series
	next   int
}

func (s *seriesSet) Next() bool {
	s.next++
	return s.next <= len(s.series)
}
func (s *seriesSet) At() storage.Series                { return promql.NewStorageSeries(s.series[s.next-1]) }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

// Appender implements storage.Appendable. What is added can be read at once: the
// rules of a group see the results of those before them, as they do in a database
// that each rule commits to.
func (m *memory) Appender(context.Context) storage.Appender { return appender{m: m} }

type appender struct{ m *memory }

func (a appender) Append(_ storage.SeriesRef, l labels.Labels, t int64, v float64) (storage.SeriesRef, error) {
	s := a.m.get(l)
	if n := len(s.Floats); n > 0 && s.Floats[n-1].T >= t {
		switch last := s.Floats[n-1]; {
		case last.T > t:
			return 0, storage.ErrOutOfOrderSample
		case math.Float64bits(last.F) != math.Float64bits(v):
			return 0, storage.ErrDuplicateSampleForTimestamp
		}
		return 0, nil
	}
	s.Floats = append(s.Floats, promql.FPoint{T: t, F: v})
	return 0, nil
}

func (a appender) AppendHistogram(_ storage.SeriesRef, l labels.Labels, t int64, h *histogram.Histogram, fh *histogram.FloatHistogram) (storage.SeriesRef, error) {
	if fh == nil {
		fh = h.ToFloat(nil)
	}
	s := a.m.get(l)
	if n := len(s.Histograms); n > 0 && s.Histograms[n-1].T >= t {
		return 0, storage.ErrOutOfOrderSample
	}
	s.Histograms = append(s.Histograms, promql.HPoint{T: t, H: fh})
	return 0, nil
}

// The rest of the interface isn't used by rules.

func (appender) Commit() error                     { return nil }
func (appender) Rollback() error                   { return nil }
func (appender) SetOptions(*storage.AppendOptions) {}
func (appender) AppendExemplar(storage.SeriesRef, labels.Labels, exemplar.Exemplar) (storage.SeriesRef, error) {
	return 0, nil
}
func (appender) UpdateMetadata(storage.SeriesRef, labels.Labels, metadata.Metadata) (storage.SeriesRef, error) {
	return 0, nil
}
func (appender) AppendSTZeroSample(storage.SeriesRef, labels.Labels, int64, int64) (storage.SeriesRef, error) {
	return 0, nil
}
func (appender) AppendHistogramSTZeroSample(storage.SeriesRef, labels.Labels, int64, int64, *histogram.Histogram, *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return 0, nil
}

// text spells labels as tests do, without what is known anyway.
func text(metric labels.Labels, without ...string) string {
	var parts []string
	metric.Range(func(l labels.Label) {
		if !slices.Contains(without, l.Name) {
			parts = append(parts, fmt.Sprintf("%s=%q", l.Name, l.Value))
		}
	})
	return "{" + strings.Join(parts, ", ") + "}"
}
