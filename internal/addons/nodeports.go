package addons

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// An API server puts a Service's node ports down as taken before it stores the
// Service. A client that is killed in between, while it applies a new Service,
// leaves them taken by nobody (Kubernetes: registry.Store.Update commits the
// allocation before the write). The server finds that out by itself, at the
// third of its looks, which are three minutes apart, and until then refuses the
// Service. Waiting for that is all that an interrupted apply needs to be
// finished.
const (
	leakPatience = 12 * time.Minute
	leakInterval = 5 * time.Second
)

var takenPort = regexp.MustCompile(`Invalid value: (\d+): provided port is already allocated`)

// refusedPort gives the node port that an API server refused as taken.
func refusedPort(err error) (int64, bool) {
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) {
		return 0, false
	}
	found := takenPort.FindStringSubmatch(status.Status().Message)
	if found == nil {
		return 0, false
	}
	port, err := strconv.ParseInt(found[1], 10, 64)
	return port, err == nil
}

// applyPatiently applies an object, and waits for a node port that nobody has.
func (a *applier) applyPatiently(ctx context.Context, k kind, st *step) error {
	for start := time.Now(); ; {
		_, err := a.apply(ctx, k, st.body, applyOptions{manager: Manager, force: a.opts.Force})
		port, refused := refusedPort(err)
		if !refused {
			return err
		}
		holder, listErr := a.portHolder(ctx, k, port)
		if listErr != nil {
			return listErr
		}
		if holder != "" {
			return fmt.Errorf("node port %d is taken by Service %s: choose another", port, holder)
		}
		if time.Since(start) > leakPatience {
			return err
		}
		a.report(st.String(), "waiting", fmt.Sprintf("node port %d is taken by a creation that was interrupted; the API server notices within ten minutes", port), true)
		if err := sleep(ctx, leakInterval); err != nil {
			return err
		}
	}
}

// portHolder names the Service that has a node port, if any has.
func (a *applier) portHolder(ctx context.Context, services kind, port int64) (string, error) {
	holder := ""
	err := a.list(ctx, services, "", func(o *unstructured.Unstructured) {
		ports, _, _ := unstructured.NestedSlice(o.Object, "spec", "ports")
		for _, p := range ports {
			if m, ok := p.(map[string]any); ok && m["nodePort"] == port {
				holder = o.GetNamespace() + "/" + o.GetName()
			}
		}
	})
	return holder, err
}
