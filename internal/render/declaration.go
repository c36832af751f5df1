package render

import "context"

// Declaration evaluates a cluster's own file, and lists its namespace files
// without evaluating them.
func Declaration(ctx context.Context, o Options, cluster string) (*Cluster, error) {
	im, err := newImporter(o.Root, o.JPath)
	if err != nil {
		return nil, err
	}
	out, err := list(o.Root, cluster)
	if err != nil {
		return nil, err
	}
	return out, run(ctx, o, im, []job{{source: out.Source(), cluster: out}})
}
