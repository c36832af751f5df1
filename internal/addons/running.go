package addons

import (
	"context"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/version"
)

// Running is what runs in a cluster.
type Running struct {
	// Kubernetes is the API server's version, such as 1.36.1.
	Kubernetes string
	// Kubelets are the versions of the nodes, each once, in order.
	Kubelets []string
	// Images are those of all pods, each once, in order.
	Images []string
}

// Running tells what runs in the cluster; nil while there is none.
func (l *Layer) Running(ctx context.Context) (*Running, error) {
	s, err := l.connect(ctx)
	if err != nil || s == nil {
		return nil, err
	}
	var serves version.Info
	kubelets, images := map[string]bool{}, map[string]bool{}
	errs := each(ctx, s.parallel, 3, func(i int) error {
		switch i {
		case 0:
			return s.retry(ctx, func() error {
				data, err := s.discovery.Get().AbsPath("/version").Do(ctx).Raw()
				if err != nil {
					return explain(s.server, err)
				}
				return json.Unmarshal(data, &serves)
			})
		case 1:
			return s.list(ctx, kind{gvr: schema.GroupVersionResource{Version: "v1", Resource: "nodes"}}, "", func(u *unstructured.Unstructured) {
				if v, _, _ := unstructured.NestedString(u.Object, "status", "nodeInfo", "kubeletVersion"); v != "" {
					kubelets[strings.TrimPrefix(v, "v")] = true
				}
			})
		}
		return s.list(ctx, kind{gvr: schema.GroupVersionResource{Version: "v1", Resource: "pods"}, namespaced: true}, "", func(u *unstructured.Unstructured) {
			if phase, _, _ := unstructured.NestedString(u.Object, "status", "phase"); phase == "Succeeded" || phase == "Failed" {
				return
			}
			for _, field := range []string{"initContainers", "containers"} {
				containers, _, _ := unstructured.NestedSlice(u.Object, "spec", field)
				for _, container := range containers {
					fields, _ := container.(map[string]any)
					if image, _ := fields["image"].(string); image != "" {
						images[image] = true
					}
				}
			}
		})
	})
	if err := join(errs); err != nil {
		return nil, err
	}
	return &Running{
		Kubernetes: strings.TrimPrefix(serves.GitVersion, "v"),
		Kubelets:   slices.Sorted(maps.Keys(kubelets)),
		Images:     slices.Sorted(maps.Keys(images)),
	}, nil
}
