package jsonnet

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"platform/internal/addons"
	"platform/internal/render"
	"platform/test/apiserver"
)

// server is an API server and what it takes to apply objects to it.
type server struct {
	t         *testing.T
	discovery *discovery.DiscoveryClient
	client    dynamic.Interface
	mapper    meta.RESTMapper
}

func connect(t *testing.T, config *rest.Config) *server {
	t.Helper()
	config = rest.CopyConfig(config)
	config.QPS = -1
	var s server
	var err error
	s.t = t
	if s.discovery, err = discovery.NewDiscoveryClientForConfig(config); err != nil {
		t.Fatal(err)
	}
	if s.client, err = dynamic.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	s.discover()
	return &s
}

func (s *server) discover() {
	s.t.Helper()
	groups, err := restmapper.GetAPIGroupResources(s.discovery)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mapper = restmapper.NewDiscoveryRESTMapper(groups)
}

// resource finds where an object goes and fails unless it names its namespace
// exactly if it has one.
func (s *server) resource(o *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	gvk := o.GroupVersionKind()
	mapping, err := s.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return nil, err
	}
	resource := s.client.Resource(mapping.Resource)
	namespaced := mapping.Scope.Name() == meta.RESTScopeNameNamespace
	switch ns := o.GetNamespace(); {
	case namespaced && ns == "":
		return nil, fmt.Errorf("names no namespace")
	case !namespaced && ns != "":
		return nil, fmt.Errorf("has no namespace but names %s", ns)
	case namespaced:
		return resource.Namespace(ns), nil
	}
	return resource, nil
}

// apply applies an object as the addons layer does, but refuses whatever the
// API doesn't know.
func (s *server) apply(o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	resource, err := s.resource(o)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(o.Object)
	if err != nil {
		return nil, err
	}
	// Patch, since ApplyOptions have no field validation.
	return resource.Patch(s.t.Context(), o.GetName(), types.ApplyPatchType, data, metav1.PatchOptions{
		FieldManager:    addons.Manager,
		FieldValidation: metav1.FieldValidationStrict,
	})
}

// order puts objects in the order of the addons layer's stages, but webhooks
// last: nobody answers them here.
func order(all []render.Object) []render.Object {
	rank := func(o render.Object) int {
		if strings.HasSuffix(o.GetKind(), "WebhookConfiguration") {
			return len(addons.Stages) + 1
		}
		return int(addons.StageOf(o.GroupVersionKind().GroupKind()))
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b render.Object) int { return rank(a) - rank(b) })
	return all
}

// Every object of every cluster is taken as it is by a real API server that
// checks each field, and applying it a second time changes nothing.
func TestAPIServerTakesEveryObject(t *testing.T) {
	if testing.Short() {
		t.Skip("needs real API servers")
	}
	for _, cluster := range clusters(t) {
		t.Run(cluster, func(t *testing.T) {
			all := order(objects(t, cluster))
			process, err := apiserver.Start(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(process.Stop)
			s := connect(t, process.Config)
			live := s.applyAll(all)
			for i, o := range all {
				if live[i] == nil || strings.HasSuffix(o.GetKind(), "WebhookConfiguration") || s.called(o, all) {
					continue
				}
				again, err := s.apply(o.Unstructured)
				if err != nil {
					t.Errorf("%s (%s), again: %v", describe(o), o.Key, err)
				} else if again.GetResourceVersion() != live[i].GetResourceVersion() && !sameButVersion(again, live[i]) {
					t.Errorf("%s (%s) changes when it is applied a second time", describe(o), o.Key)
				}
			}
		})
	}
}

// called reports whether a webhook of ours is asked about an object.
func (s *server) called(o render.Object, all []render.Object) bool {
	for _, other := range all {
		if strings.HasSuffix(other.GetKind(), "WebhookConfiguration") && strings.Contains(fmt.Sprint(other.Object), o.GroupVersionKind().Group) && o.GroupVersionKind().Group != "" {
			return true
		}
	}
	return false
}

// sameButVersion ignores what others (the server itself) write meanwhile.
func sameButVersion(a, b *unstructured.Unstructured) bool {
	a, b = a.DeepCopy(), b.DeepCopy()
	for _, o := range []*unstructured.Unstructured{a, b} {
		o.SetResourceVersion("")
		o.SetManagedFields(nil)
		unstructured.RemoveNestedField(o.Object, "status")
	}
	return reflect.DeepEqual(a.Object, b.Object)
}

// applyAll applies objects in order and gives what the server made of each.
func (s *server) applyAll(all []render.Object) []*unstructured.Unstructured {
	s.t.Helper()
	live := make([]*unstructured.Unstructured, len(all))
	var defined bool
	for i, o := range all {
		if !defined && addons.StageOf(o.GroupVersionKind().GroupKind()) > addons.Definitions {
			s.waitForDefinitions(all[:i])
			defined = true
		}
		out, err := s.apply(o.Unstructured)
		if err != nil {
			s.t.Errorf("%s (%s): %v", describe(o), o.Key, err)
			continue
		}
		live[i] = out
	}
	return live
}

func (s *server) waitForDefinitions(all []render.Object) {
	s.t.Helper()
	for _, o := range all {
		if o.GetKind() != "CustomResourceDefinition" {
			continue
		}
		resource, err := s.resource(o.Unstructured)
		if err != nil {
			s.t.Fatal(err)
		}
		err = wait.PollUntilContextTimeout(s.t.Context(), 50*time.Millisecond, 20*time.Second, true, func(ctx context.Context) (bool, error) {
			live, err := resource.Get(ctx, o.GetName(), metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
			for _, c := range conditions {
				if c, ok := c.(map[string]any); ok && c["type"] == "Established" && c["status"] == "True" {
					return true, nil
				}
			}
			return false, nil
		})
		if err != nil {
			s.t.Fatalf("%s isn't established: %v", describe(o), err)
		}
	}
	s.discover()
}

// A plain Ingress, of a host and a backend, gets all else from the platform.
func TestPlainIngressIsCompleted(t *testing.T) {
	s := connect(t, apiserver.Shared(t).Config)
	const cluster = "dev"
	s.applyAll(slices.DeleteFunc(order(objects(t, cluster)), func(o render.Object) bool {
		return strings.HasSuffix(o.GetKind(), "WebhookConfiguration")
	}))
	s.applyAll(snippet(t, `
		(import 'lib/kube.libsonnet').Namespace('shop')`))
	host := "shop.k." + cluster + ".example.net"
	ingress := func(name string, metadata map[string]any) *unstructured.Unstructured {
		metadata["name"], metadata["namespace"] = name, "shop"
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
			"metadata": metadata,
			"spec": map[string]any{"rules": []any{map[string]any{
				"host": host,
				"http": map[string]any{"paths": []any{map[string]any{
					"path": "/", "pathType": "Prefix",
					"backend": map[string]any{"service": map[string]any{"name": "shop", "port": map[string]any{"number": int64(80)}}},
				}}},
			}}},
		}}
	}
	create := func(o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		resource, err := s.resource(o)
		if err != nil {
			return nil, err
		}
		return resource.Create(t.Context(), o, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	}

	// The server takes a moment to see new policies.
	var got *unstructured.Unstructured
	err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
		var err error
		got, err = create(ingress("shop", map[string]any{}))
		if apierrors.IsServerTimeout(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		_, found, _ := unstructured.NestedSlice(got.Object, "spec", "tls")
		return found, nil
	})
	if err != nil {
		t.Fatalf("a plain Ingress isn't completed: %v\n%s", err, indent(t, got))
	}
	class, _, _ := unstructured.NestedString(got.Object, "spec", "ingressClassName")
	if find(objects(t, cluster), "IngressClass", "", class) == nil {
		t.Errorf("class: got %q, which isn't a class of the cluster", class)
	}
	tls, _, _ := unstructured.NestedSlice(got.Object, "spec", "tls")
	if want := []any{map[string]any{"hosts": []any{host}, "secretName": "shop-tls"}}; !reflect.DeepEqual(tls, want) {
		t.Errorf("tls: got %v, want %v", tls, want)
	}
	issued := func(o *unstructured.Unstructured) bool {
		annotations := o.GetAnnotations()
		return annotations["kubernetes.io/tls-acme"] == "true" || annotations["cert-manager.io/cluster-issuer"] != ""
	}
	if !issued(got) {
		t.Errorf("no annotation asks cert-manager for a certificate: %v", got.GetAnnotations())
	}

	// A host name of its own, too, if it has none.
	nameless := ingress("nameless", map[string]any{})
	rules, _, _ := unstructured.NestedSlice(nameless.Object, "spec", "rules")
	delete(rules[0].(map[string]any), "host")
	if err := unstructured.SetNestedSlice(nameless.Object, rules, "spec", "rules"); err != nil {
		t.Fatal(err)
	}
	if got, err = create(nameless); err != nil {
		t.Fatal(err)
	}
	rules, _, _ = unstructured.NestedSlice(got.Object, "spec", "rules")
	tls, _, _ = unstructured.NestedSlice(got.Object, "spec", "tls")
	host = "nameless-shop.k." + cluster + ".example.net"
	if rules[0].(map[string]any)["host"] != host || len(tls) != 1 || !reflect.DeepEqual(tls[0].(map[string]any)["hosts"], []any{host}) {
		t.Errorf("an Ingress without a host: got rules %v and tls %v, want the host %s in both", rules, tls, host)
	}

	// With annotations of its own the rest must still be there …
	got, err = create(ingress("noted", map[string]any{"annotations": map[string]any{"team": "shop"}}))
	if err != nil {
		t.Fatal(err)
	}
	if !issued(got) || got.GetAnnotations()["team"] != "shop" {
		t.Errorf("annotations: got %v, want the team's and one for cert-manager", got.GetAnnotations())
	}
	// … and what it says about certificates stays as it is.
	for key, value := range map[string]string{"kubernetes.io/tls-acme": "false", "cert-manager.io/issuer": "own"} {
		got, err = create(ingress("own", map[string]any{"annotations": map[string]any{key: value}}))
		if err != nil {
			t.Fatal(err)
		}
		if annotations := got.GetAnnotations(); annotations[key] != value || len(annotations) != 1 {
			t.Errorf("annotations: got %v, want only %s: %s", annotations, key, value)
		}
	}
}
