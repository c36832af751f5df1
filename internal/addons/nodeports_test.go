package addons

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestRefusedPort(t *testing.T) {
	invalid := func(value int64, detail string) error {
		return apierrors.NewInvalid(schema.GroupKind{Kind: "Service"}, "nginx", field.ErrorList{
			field.Invalid(field.NewPath("spec").Child("ports").Index(0).Child("nodePort"), value, detail),
		})
	}
	for _, test := range []struct {
		name string
		err  error
		port int64
	}{
		{"taken", invalid(30080, "provided port is already allocated"), 30080},
		{"taken, explained", fmt.Errorf("applying: %w", invalid(30443, "provided port is already allocated")), 30443},
		{"out of range", invalid(80, "provided port is not in the valid range"), 0},
		{"not an API's error", errors.New("Invalid value: 1: provided port is already allocated"), 0},
		{"none", nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if port, refused := refusedPort(test.err); port != test.port || refused != (test.port != 0) {
				t.Errorf("got %d, %v", port, refused)
			}
		})
	}
}

// TestTakenPort: a port that another Service has isn't worth waiting for. (One
// that nobody has is the end-to-end interruptions' to find.)
func TestTakenPort(t *testing.T) {
	w := newWorld(t)
	w.namespace()
	service := func(name string) string {
		return `
apiVersion: v1
kind: Service
metadata: {name: ` + name + `, namespace: NS}
spec: {type: NodePort, ports: [{port: 80, nodePort: 30731}]}
`
	}
	w.mustKubectl(strings.ReplaceAll(service("first"), "NS", w.ns), "create", "-f", "-")
	_, err := w.layer(files("ports", w.parse(service("second")))).Apply(t.Context())
	if want := "node port 30731 is taken by Service " + w.ns + "/first: choose another"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}
