package views

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"platform/internal/drift"
)

// Prometheus writes a report's measurements in Prometheus' text format, for a
// Pushgateway or for node-exporter's textfile collector: no timestamps, which
// both of them refuse.
func Prometheus(w io.Writer, r *drift.Report) error {
	p := &exposition{}

	p.family("platform_drift_changes", "Findings that are there and not ignored; those of a cluster that couldn't be read as they were last seen.")
	for _, c := range r.Clusters {
		p.sample(float64(c.Tally().Current), "cluster", c.Name)
	}
	p.family("platform_drift_findings", "Findings that are there and not ignored, by layer and operation; what there is none of has no series.")
	for _, c := range r.Clusters {
		for _, layer := range c.LayersOf() {
			for _, op := range drift.Ops {
				if n := c.Counts[layer][op]; n > 0 {
					p.sample(float64(n), "cluster", c.Name, "layer", string(layer), "op", string(op))
				}
			}
		}
	}
	perCluster := func(name, help string, value func(drift.Cluster) float64) {
		p.family(name, help)
		for _, c := range r.Clusters {
			p.sample(value(c), "cluster", c.Name)
		}
	}
	perCluster("platform_drift_new", "Findings that the report before didn't have.", func(c drift.Cluster) float64 { return float64(c.Tally().New) })
	perCluster("platform_drift_resolved", "Findings of the report before that are gone.", func(c drift.Cluster) float64 { return float64(c.Tally().Resolved) })
	perCluster("platform_drift_ignored", "Findings that a rule of platform.yaml ignores.", func(c drift.Cluster) float64 { return float64(c.Tally().Ignored) })
	perCluster("platform_drift_oldest_seconds", "Age of the oldest finding that is there and not ignored.", func(c drift.Cluster) float64 { return c.Oldest().Seconds() })
	perCluster("platform_drift_reachable", "Whether all of the cluster could be read.", func(c drift.Cluster) float64 { return truth(c.Error == "") })
	perCluster("platform_drift_paused", "Whether deployments to the cluster are paused.", func(c drift.Cluster) float64 { return truth(c.Paused != nil) })
	perCluster("platform_drift_versions_behind", "Components that run in another version than the matrix says.", func(c drift.Cluster) float64 {
		n := 0
		for _, v := range c.Versions {
			if v.Behind() {
				n++
			}
		}
		return float64(n)
	})
	perCluster("platform_drift_requests", "Requests that looking at the cluster took.", func(c drift.Cluster) float64 { return float64(c.Requests) })
	perCluster("platform_drift_duration_seconds", "Time that looking at the cluster took.", func(c drift.Cluster) float64 { return c.Seconds })

	p.family("platform_drift_report_timestamp_seconds", "When all of the cluster was read last; missing if that never happened.")
	for _, c := range r.Clusters {
		if c.Seen != nil {
			p.sample(float64(c.Seen.UnixMilli())/1000, "cluster", c.Name)
		}
	}
	p.family("platform_drift_ignore_rules", "Rules of platform.yaml on what to ignore, by how they are doing.")
	for _, state := range []drift.RuleState{drift.RuleActive, drift.RuleExpired, drift.RuleUnused} {
		p.sample(float64(rules(r, state)), "state", string(state))
	}

	_, err := io.WriteString(w, p.String())
	return err
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// exposition is text in Prometheus' format.
type exposition struct {
	strings.Builder
	name, help string
}

// family begins a family of gauges. It is written with its first sample: a
// family without any is none.
func (p *exposition) family(name, help string) { p.name, p.help = name, help }

var labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func (p *exposition) sample(value float64, labels ...string) {
	if p.help != "" {
		fmt.Fprintf(p, "# HELP %s %s\n# TYPE %[1]s gauge\n", p.name, p.help)
		p.help = ""
	}
	p.WriteString(p.name)
	for i := 0; i < len(labels); i += 2 {
		p.WriteByte("{,"[min(i, 1)])
		fmt.Fprintf(p, `%s="%s"`, labels[i], labelEscapes.Replace(strings.ToValidUTF8(labels[i+1], "?")))
	}
	// Without exponents, which people can't read: 1.7e+09.
	fmt.Fprintf(p, "} %s\n", strconv.FormatFloat(value, 'f', -1, 64))
}
