package check

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"platform/internal/config"
	"platform/internal/render"
)

// Repository is what rules look at. They must not change it: all of them have
// it at the same time.
type Repository struct {
	Config *config.Config
	// Render is how it is rendered.
	Render render.Options
	// Sources are the jsonnet files to look at, sorted, relative to the root.
	Sources []string
	// Clusters are the rendered clusters to look at, in their order; those
	// that can't be rendered are missing.
	Clusters []*render.Cluster
	// Failures say why they can't.
	Failures []Failure

	// paths are what Only has left.
	paths []string
}

func (r *Repository) objects() int {
	n := 0
	for _, cluster := range r.Clusters {
		for _, file := range cluster.Files {
			n += len(file.Objects)
		}
	}
	return n
}

// Failure is a file that couldn't be rendered.
type Failure struct {
	Cluster string
	Err     error
}

// Rule is one named test.
type Rule struct {
	Name string
	// Title is a few words for lists; Why is the reason that the rule exists.
	Title, Why string
	// NoRender says that the rule doesn't look at Clusters: it needs nothing
	// to be rendered.
	NoRender bool
	// Find returns what is wrong. An error means that it can't tell.
	Find func(ctx context.Context, r *Repository) ([]Finding, error)
}

// RuleError says which rule couldn't run.
type RuleError struct {
	Rule string
	Err  error
}

func (e *RuleError) Error() string { return fmt.Sprintf("rule %s: %v", e.Rule, e.Err) }
func (e *RuleError) Unwrap() error { return e.Err }

// Result is what all rules found.
type Result struct {
	// Rules are those that ran, in their order, with the time that each took.
	Rules    []RuleResult `json:"rules"`
	Findings []Finding    `json:"findings"`
	// Files and Objects are how many there were to look at.
	Files   int `json:"files"`
	Objects int `json:"objects"`
}

// RuleResult is one rule's share.
type RuleResult struct {
	Rule     string  `json:"rule"`
	Findings int     `json:"findings"`
	Seconds  float64 `json:"seconds"`
}

// Run runs rules side by side.
func Run(ctx context.Context, r *Repository, rules []Rule) (*Result, error) {
	found := make([][]Finding, len(rules))
	results := make([]RuleResult, len(rules))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, rule := range rules {
		group.Go(func() error {
			start := time.Now()
			findings, err := rule.Find(ctx, r)
			if err != nil {
				return &RuleError{Rule: rule.Name, Err: err}
			}
			for j := range findings {
				findings[j].Rule = rule.Name
			}
			found[i] = findings
			results[i] = RuleResult{Rule: rule.Name, Seconds: time.Since(start).Seconds()}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	locator := newLocator(r.Config.Root, r.Config.JPath)
	var all []Finding
	for i := range found {
		for _, f := range found[i] {
			if f.File == "" {
				f.File, f.Line = locator.place(f.source, f.key, f.Path)
			}
			all = append(all, f)
		}
	}
	all = merge(r.within(all), r.Config.ClusterNames())
	for i := range results {
		for _, f := range all {
			if f.Rule == results[i].Rule {
				results[i].Findings++
			}
		}
	}
	return &Result{Rules: results, Findings: all, Files: len(r.Sources), Objects: r.objects()}, nil
}
