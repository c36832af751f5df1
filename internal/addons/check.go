package addons

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// checkKinds makes sure that every declared object can be applied: its kind
// is served, or will be once the declared definitions are, and it has a
// namespace where its kind needs one.
func (s *api) checkKinds(objects []*object) error {
	coming := map[schema.GroupKind]bool{}
	comingGroups := map[schema.GroupVersion]bool{}
	for _, o := range objects {
		text := func(path ...string) string {
			value, _, _ := unstructured.NestedString(o.body.Object, path...)
			return value
		}
		switch {
		case o.Group == "apiextensions.k8s.io" && o.Kind == "CustomResourceDefinition":
			coming[schema.GroupKind{Group: text("spec", "group"), Kind: text("spec", "names", "kind")}] = true
		case o.Group == "apiregistration.k8s.io" && o.Kind == "APIService":
			comingGroups[schema.GroupVersion{Group: text("spec", "group"), Version: text("spec", "version")}] = true
		}
	}
	var errs []error
	for _, o := range objects {
		var err error
		k, served := s.kinds.of(o.gvk)
		switch {
		case !served && (coming[o.GroupKind] || comingGroups[o.gvk.GroupVersion()]):
		case !served:
			err = s.kinds.unserved(o.gvk)
		case k.namespaced && o.Namespace == "":
			err = fmt.Errorf("it has no metadata.namespace: name the namespace that it belongs to")
		case !k.namespaced && o.Namespace != "":
			err = fmt.Errorf("a %s belongs to no namespace, but metadata.namespace is %q: remove it", o.Kind, o.Namespace)
		}
		if err != nil {
			errs = append(errs, &ObjectError{Doing: "planning", Resource: o.String(), Source: o.file.Source, Err: err})
		}
	}
	return join(errs)
}

// checkNamespaces makes sure that what is to be created has a namespace to be
// created in.
func (s *api) checkNamespaces(ctx context.Context, steps []*step) error {
	declared := map[string]bool{}
	for _, st := range steps {
		if st.Group == "" && st.Kind == "Namespace" {
			declared[st.Name] = true
		}
	}
	first := map[string]*step{}
	for _, st := range steps {
		if st.do == create && st.Namespace != "" && !declared[st.Namespace] && first[st.Namespace] == nil {
			first[st.Namespace] = st
		}
	}
	names := slices.Sorted(maps.Keys(first))
	errs := each(ctx, s.parallel, len(names), func(i int) error {
		u, err := s.get(ctx, namespaces, ref{GroupKind: schema.GroupKind{Kind: "Namespace"}, Name: names[i]})
		if err == nil && u == nil {
			err = fmt.Errorf("there is no namespace %s: declare it in git as well", names[i])
		}
		if err != nil {
			st := first[names[i]]
			return &ObjectError{Doing: "planning", Resource: st.String(), Source: st.file.Source, Err: err}
		}
		return nil
	})
	return join(errs)
}

var namespaces = kind{gvr: schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}}
