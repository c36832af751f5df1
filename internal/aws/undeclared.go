package aws

import (
	"context"
	"slices"
	"strings"
)

// Undeclared lists the records in the hosted zone, at or below the cluster's
// name, that neither the tool nor kops nor cert-manager has made, as resources
// are named in plans: somebody made them by hand.
func (l *Layer) Undeclared(ctx context.Context) ([]string, error) {
	zones, err := l.findZones(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, z := range zones {
		all, err := l.allRecords(ctx, z)
		if err != nil {
			return nil, err
		}
		out = append(out, undeclared(l.spec, zone{ID: z.ID, Name: z.Name, Records: all})...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func undeclared(spec Spec, z zone) []string {
	ours := map[string]bool{spec.Wildcard: true, markName(spec.Wildcard): true}
	for _, name := range z.marked(spec.Cluster) {
		ours[name], ours[markName(name)] = true, true
	}
	var out []string
	for _, r := range z.Records {
		below := r.Name == spec.Cluster || strings.HasSuffix(r.Name, "."+spec.Cluster)
		switch {
		case !below, ours[r.Name]:
		case r.Type == "NS", r.Type == "SOA": // a zone's own, or a delegation of it
		case r.Type == "TXT" && strings.HasPrefix(r.Name, "_acme-challenge."): // cert-manager's, for minutes
		case kopsRecord(spec.Cluster, r.Name):
		default:
			out = append(out, "Record/"+r.Name+" "+r.Type)
		}
	}
	return out
}

// kopsRecord reports whether kops makes the record of a name, in topologies with
// DNS: https://kops.sigs.k8s.io/topology/
func kopsRecord(cluster, name string) bool {
	switch strings.TrimSuffix(name, "."+cluster) {
	case "api", "api.internal", "kops-controller.internal", "bastion":
		return true
	}
	return false
}
