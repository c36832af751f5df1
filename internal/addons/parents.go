package addons

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// readSets reads the parents of our sets, and finds those whose files git no
// longer has.
func (l *Layer) readSets(ctx context.Context, s *api, found *survey) error {
	byName := map[string]*applySet{}
	for _, set := range found.sets {
		byName[set.name] = set
	}
	var errs []error
	gone := map[string]*applySet{}
	err := s.list(ctx, configMaps, labelParent, func(parent *unstructured.Unstructured) {
		if parent.GetNamespace() != parentNamespace || l.opts.Alone && byName[parent.GetName()] == nil {
			return
		}
		set := byName[parent.GetName()]
		if set == nil {
			key, ours := parentKey(parent)
			if !ours || key.Repository != l.opts.Repository || key.Cluster != l.opts.Cluster {
				return
			}
			set = newApplySet(key)
			if set.name != parent.GetName() {
				return // a copy of one of ours under another name
			}
			gone[set.name] = set
		}
		errs = append(errs, set.read(parent))
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(gone)) {
		found.sets = append(found.sets, gone[name])
	}
	// An object of a parent's name that isn't labelled as one isn't in the
	// list, and must not be made one.
	for _, set := range found.sets {
		if set.exists || len(errs) > 0 {
			continue
		}
		other, err := s.get(ctx, configMaps, set.parent())
		if err != nil {
			return fmt.Errorf("reading %s: %w", set.parent(), err)
		}
		if other != nil {
			errs = append(errs, set.read(other))
		}
	}
	return join(errs)
}

var configMaps = kind{gvr: schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, namespaced: true}
