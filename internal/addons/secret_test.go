package addons

import (
	"strings"
	"testing"

	"platform/internal/plan"
)

func TestSecretsAreHashed(t *testing.T) {
	fields := func() []plan.Field {
		return []plan.Field{
			{Path: "data.password", From: "b2xk", To: "bmV3"},
			{Path: `data["tls.key"]`, From: nil, To: "b2xk"},
			{Path: "data", From: map[string]any{"a": "b2xk"}},
			{Path: `metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]`, From: `{"data":{"a":"b2xk"}}`},
			{Path: "metadata.labels.app", From: "b2xk", To: "bmV3"},
			{Path: "type", From: "Opaque", To: "kubernetes.io/tls"},
		}
	}
	salt := []byte("salt")
	hidden := hide("Secret", fields(), salt)
	for _, f := range hidden[:4] {
		if s := text(f); strings.Contains(s, "b2xk") || strings.Contains(s, "bmV3") {
			t.Errorf("%s is readable: %s", f.Path, s)
		}
	}
	if hidden[1].From != nil || hidden[3].To != nil {
		t.Error("an absent value must stay absent")
	}
	if hidden[0].From != hidden[1].To {
		t.Error("equal values must have equal hashes")
	}
	if hidden[0].From == hidden[0].To {
		t.Error("different values must have different hashes")
	}
	if other := hide("Secret", fields(), []byte("pepper")); other[0].From == hidden[0].From {
		t.Error("the hash doesn't depend on the salt")
	}
	if hidden[4].From != "b2xk" || hidden[5].To != "kubernetes.io/tls" {
		t.Error("what isn't secret must stay readable")
	}
	if other := hide("ConfigMap", fields(), salt); other[0].From != "b2xk" {
		t.Error("a ConfigMap holds no secrets")
	}
}
