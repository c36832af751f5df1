package addons

import (
	"context"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Certificate is a certificate that cert-manager keeps.
type Certificate struct {
	// Resource is named as in plan.Change.
	Resource string `json:"resource"`
	// Names are the host names that it is for.
	Names []string `json:"names"`
	// Expires is zero as long as nothing has been issued.
	Expires time.Time `json:"expires"`
	// Reason is why the last issue failed or is under way; empty if it is
	// ready.
	Reason string `json:"reason,omitempty"`
}

var certificates = schema.GroupKind{Group: "cert-manager.io", Kind: "Certificate"}

// Certificates lists all of the cluster's certificates with their expiry; none
// where cert-manager isn't installed.
func (l *Layer) Certificates(ctx context.Context) ([]Certificate, error) {
	s, err := l.connect(ctx)
	if err != nil || s == nil {
		return nil, err
	}
	k, served := s.kinds.of(s.kinds.preferred[certificates])
	if !served {
		return nil, nil
	}
	var out []Certificate
	err = s.list(ctx, k, "", func(u *unstructured.Unstructured) { out = append(out, certificateOf(u)) })
	slices.SortFunc(out, func(a, b Certificate) int { return strings.Compare(a.Resource, b.Resource) })
	return out, err
}

func certificateOf(u *unstructured.Unstructured) Certificate {
	c := Certificate{Resource: refOf(u).String()}
	c.Names, _, _ = unstructured.NestedStringSlice(u.Object, "spec", "dnsNames")
	if text, _, _ := unstructured.NestedString(u.Object, "status", "notAfter"); text != "" {
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			c.Expires = t
		}
	}
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, item := range conditions {
		condition, _ := item.(map[string]any)
		if condition["type"] == "Ready" && condition["status"] != "True" {
			c.Reason, _ = condition["message"].(string)
		}
	}
	return c
}
