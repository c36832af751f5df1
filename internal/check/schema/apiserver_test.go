package schema

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"

	"platform/internal/check"
	"platform/internal/render"
	"platform/test/apiserver"
)

var (
	mutations = flag.Int("mutations", 1500, "how many mutated objects to compare with the API server")
	seed      = flag.Uint64("seed", 1, "of the mutations")
)

func TestMain(m *testing.M) { apiserver.Main(m) }

// server is a real API server that has the cluster's namespaces and definitions,
// and nothing else: each object is new to it.
type server struct {
	client dynamic.Interface
	mapper meta.RESTMapper
}

func startServer(t *testing.T, objects []render.Object) *server {
	t.Helper()
	config := rest.CopyConfig(apiserver.Shared(t).Config)
	config.QPS, config.WarningHandler = -1, rest.NoWarnings{}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{client: client}
	d, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	discover := func() {
		groups, err := restmapper.GetAPIGroupResources(d)
		if err != nil {
			t.Fatal(err)
		}
		s.mapper = restmapper.NewDiscoveryRESTMapper(groups)
	}
	discover()
	for _, o := range objects {
		if kind := o.GetKind(); kind != "Namespace" && kind != "CustomResourceDefinition" {
			continue
		}
		if err := s.apply(t.Context(), o.Unstructured, false); err != nil {
			t.Fatalf("%s: %v", check.Describe(o), err)
		}
	}
	// Definitions take a moment to be served.
	for _, o := range objects {
		err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
			_, err := s.resource(o.Unstructured)
			if err != nil {
				discover()
			}
			return err == nil, nil
		})
		if err != nil {
			t.Fatalf("%s isn't served: %v", check.Describe(o), err)
		}
	}
	return s
}

func (s *server) resource(o *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := o.GroupVersionKind()
	mapping, err := s.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return s.client.Resource(mapping.Resource).Namespace(o.GetNamespace()), nil
	}
	return s.client.Resource(mapping.Resource), nil
}

// apply applies an object as platform up does, but refuses unknown fields.
func (s *server) apply(ctx context.Context, o *unstructured.Unstructured, dryRun bool) error {
	resource, err := s.resource(o)
	if err != nil {
		return err
	}
	data, err := json.Marshal(o.Object)
	if err != nil {
		return err
	}
	options := metav1.PatchOptions{FieldManager: "platform", FieldValidation: metav1.FieldValidationStrict}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	_, err = resource.Patch(ctx, o.GetName(), types.ApplyPatchType, data, options)
	return err
}

// specimens are the objects of testdata/specimens.yaml and their namespace.
func specimens(t testing.TB) []render.Object {
	t.Helper()
	data, err := os.ReadFile("testdata/specimens.yaml")
	if err != nil {
		t.Fatal(err)
	}
	out := []render.Object{object(t, "{apiVersion: v1, kind: Namespace, metadata: {name: specimens}}")}
	for _, text := range strings.Split(string(data), "\n---\n") {
		out = append(out, object(t, text))
	}
	return out
}

// object reads an object from YAML, as rendering would give it.
func object(t testing.TB, text string) render.Object {
	t.Helper()
	data, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{}
	if err := kubejson.Unmarshal(data, &o.Object); err != nil {
		t.Fatal(err)
	}
	return render.Object{Key: o.GetName(), Unstructured: o}
}

// refuses says whether the server refuses an object because of what it is.
func refuses(err error) (bool, error) {
	status, ok := err.(apierrors.APIStatus)
	switch {
	case err == nil:
		return false, nil
	case strings.Contains(err.Error(), "INTERNAL_ERROR"):
		// The API server's own code panics on some definitions.
		return true, nil
	case !ok:
		return false, err
	}
	switch code := status.Status().Code; code {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusForbidden, http.StatusRequestEntityTooLarge:
		return true, nil
	default:
		return false, fmt.Errorf("%d: %w", code, err)
	}
}

// The rule and a real API server agree on objects with a mistake in them.
func TestRuleAgreesWithAPIServer(t *testing.T) {
	repo := repository(t)
	dev := repo.Clusters[0]
	var objects []render.Object
	for _, file := range dev.Files {
		objects = append(objects, file.Objects...)
	}
	objects = append(objects, specimens(t)...)
	s := startServer(t, objects)
	c, findings, err := newCluster(dev, newCompiler())
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	// As they are, the objects are right to both.
	for _, o := range objects {
		if err := s.apply(t.Context(), o.Unstructured, true); err != nil {
			t.Fatalf("%s: %v", check.Describe(o), err)
		}
		begin := func(path string) check.Finding { return check.OnObject(dev.Name, render.File{}, o, path) }
		if found := c.judge(t.Context(), begin, o, nil); len(found) > 0 {
			t.Fatalf("%s: %s: %s", check.Describe(o), found[0].Path, found[0].Message)
		}
	}
	verdicts := make([]verdict, *mutations)
	random := rand.New(rand.NewPCG(*seed, 0))
	var group errgroup.Group
	group.SetLimit(8)
	for i := range verdicts {
		var object render.Object
		mutant, what := &unstructured.Unstructured{}, ""
		for what == "" {
			object = objects[random.IntN(len(objects))]
			mutant.Object = runtime.DeepCopyJSON(object.Object)
			what = mutate(random, mutant.Object)
		}
		group.Go(func() error {
			v := verdict{what: what, object: check.Describe(object)}
			err := s.apply(t.Context(), mutant, true)
			v.server = err
			if v.refused, err = refuses(err); err != nil {
				return fmt.Errorf("%s: %s: %w", v.object, v.what, err)
			}
			begin := func(path string) check.Finding {
				return check.OnObject(dev.Name, render.File{}, render.Object{Unstructured: mutant}, path)
			}
			v.found = c.judge(t.Context(), begin, render.Object{Key: object.Key, Unstructured: mutant}, nil)
			verdicts[i] = v
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	refused, missed, known := 0, 0, map[string]int{}
	for _, v := range verdicts {
		if v.refused {
			refused++
		}
		if v.refused == (len(v.found) > 0) {
			continue
		}
		if reason := v.known(); reason != "" {
			known[reason]++
			continue
		}
		if v.refused {
			missed++
			t.Logf("the rule misses %s: %s: %s", v.object, v.what, strings.ReplaceAll(fmt.Sprint(v.server), "\n", " "))
			continue
		}
		t.Errorf("the API server takes %s: %s; the rule doesn't: %s: %s", v.object, v.what, v.found[0].Path, v.found[0].Message)
	}
	t.Logf("%d mutations, %d refused by the API server, %d of them missed by the rule; known disagreements: %v", len(verdicts), refused, missed, known)
	if refused < len(verdicts)/3 {
		t.Errorf("the API server refuses only %d of %d mutations: they are too harmless to prove anything", refused, len(verdicts))
	}
	if allowed := len(verdicts) / 200; missed > allowed {
		t.Errorf("the rule misses %d of %d mistakes, of at most %d", missed, refused, allowed)
	}
}

// verdict is what both say about a mutated object.
type verdict struct {
	what, object string
	server       error
	refused      bool
	found        []check.Finding
}

// known gives the reason of a disagreement that is meant to be.
func (v verdict) known() string {
	if v.refused {
		text := fmt.Sprint(v.server)
		switch {
		case strings.Contains(v.object, "AdmissionPolicy") && strings.Contains(text, "xpression"):
			return "expressions of admission policies are another rule's"
		case strings.HasPrefix(v.what, "text of") && strings.HasSuffix(v.what, `: ""`):
			return "an empty field is one that is left out, but for some fields"
		}
		return ""
	}
	for _, f := range v.found {
		switch {
		case strings.Contains(f.Message, "doesn't fit into 32 bits"):
			return "the API server cuts numbers off at 32 bits and says nothing"
		case strings.Contains(f.Path, "jobTemplate.metadata"):
			return "the API server checks the metadata of a CronJob's jobs only when it makes one"
		case strings.HasPrefix(f.Message, "the required field"):
			return "the API server takes an empty value for some fields that its schema requires"
		}
	}
	return ""
}
