package addons

import (
	"context"
	"fmt"
	"slices"

	discoveryv2 "k8s.io/api/apidiscovery/v2"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
)

// kind is how objects of one kind and version are reached.
type kind struct {
	gvr        schema.GroupVersionResource
	namespaced bool
	listable   bool
}

// kinds is what an API server serves.
type kinds struct {
	served    map[schema.GroupVersionKind]kind
	preferred map[schema.GroupKind]schema.GroupVersionKind
	// stale are group versions of aggregated API servers that don't answer.
	stale map[schema.GroupVersion]bool
}

// aggregated asks for the whole of discovery in one document. All API servers
// since 1.30 have it; client-go's own discovery client can't be interrupted.
const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

// discover reads what the API server serves, in two requests.
func (s *api) discover(ctx context.Context) error {
	var lists [2]discoveryv2.APIGroupDiscoveryList
	for i, path := range []string{"/api", "/apis"} {
		err := s.retry(ctx, func() error {
			data, err := s.discovery.Get().AbsPath(path).SetHeader("Accept", aggregated).Do(ctx).Raw()
			if err != nil {
				return err
			}
			return json.Unmarshal(data, &lists[i])
		})
		if err != nil {
			return explain(s.server, fmt.Errorf("asking API server %s what it serves: %w", s.server, err))
		}
	}
	s.kinds = readKinds(append(lists[0].Items, lists[1].Items...))
	return nil
}

func readKinds(groups []discoveryv2.APIGroupDiscovery) *kinds {
	k := &kinds{
		served:    map[schema.GroupVersionKind]kind{},
		preferred: map[schema.GroupKind]schema.GroupVersionKind{},
		stale:     map[schema.GroupVersion]bool{},
	}
	for _, group := range groups {
		for _, version := range group.Versions {
			gv := schema.GroupVersion{Group: group.Name, Version: version.Version}
			if version.Freshness == discoveryv2.DiscoveryFreshnessStale {
				k.stale[gv] = true
			}
			for _, resource := range version.Resources {
				if resource.ResponseKind == nil {
					continue
				}
				gvk := gv.WithKind(resource.ResponseKind.Kind)
				if _, twice := k.served[gvk]; twice {
					continue
				}
				k.served[gvk] = kind{
					gvr:        gv.WithResource(resource.Resource),
					namespaced: resource.Scope == discoveryv2.ScopeNamespace,
					listable:   slices.Contains(resource.Verbs, "list"),
				}
				// Versions come in the order of preference.
				if _, better := k.preferred[gvk.GroupKind()]; !better {
					k.preferred[gvk.GroupKind()] = gvk
				}
			}
		}
	}
	return k
}

// of finds a kind.
func (k *kinds) of(gvk schema.GroupVersionKind) (kind, bool) {
	found, ok := k.served[gvk]
	return found, ok
}

// unserved says why a kind isn't there.
func (k *kinds) unserved(gvk schema.GroupVersionKind) error {
	if k.stale[gvk.GroupVersion()] {
		return fmt.Errorf("the API server behind %s doesn't answer: see its APIService", gvk.GroupVersion())
	}
	if better, ok := k.preferred[gvk.GroupKind()]; ok {
		return fmt.Errorf("the API server doesn't serve %s of %s: use %s", gvk.Kind, gvk.GroupVersion(), better.GroupVersion())
	}
	return fmt.Errorf("the API server doesn't serve %s of %s: declare its definition (CRD) as well, or is apiVersion or kind misspelt?", gvk.Kind, gvk.GroupVersion())
}
