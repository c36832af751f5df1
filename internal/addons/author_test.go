package addons

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"platform/internal/plan"
)

func TestCredit(t *testing.T) {
	at := func(hour int) *metav1.Time {
		return &metav1.Time{Time: time.Date(2026, 11, 1, hour, 0, 0, 0, time.UTC)}
	}
	entry := func(manager, operation string, hour int, fields string) metav1.ManagedFieldsEntry {
		e := metav1.ManagedFieldsEntry{Manager: manager, Operation: metav1.ManagedFieldsOperationType(operation), Time: at(hour), FieldsV1: &metav1.FieldsV1{}}
		e.FieldsV1.SetRawBytes([]byte(fields))
		return e
	}
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetManagedFields([]metav1.ManagedFieldsEntry{
		entry(Manager, "Apply", 1, `{"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:image":{}}}}}},"f:metadata":{"f:labels":{"f:app.kubernetes.io/name":{}}}}`),
		entry("kubectl-edit", "Update", 3, `{"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":{"f:image":{},"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}}}`),
		entry("scaler", "Update", 2, `{"f:spec":{"f:replicas":{},"f:hosts":{"v:\"x\"":{}},"f:selector":{}}}`),
	})
	by, err := ownersOf(u)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"spec.replicas": "kubectl-edit 3",
		`spec.template.spec.containers[name="a"].image`:                                  "kubectl-edit 3",
		`spec.template.spec.containers[name="a"].ports[containerPort=80,protocol="TCP"]`: "kubectl-edit 3",
		`spec.template.spec.containers[name="a"].imagePullPolicy`:                        "",
		`metadata.labels["app.kubernetes.io/name"]`:                                      "platform 1",
		`spec.hosts["x"]`:           "scaler 2",
		"spec.selector.matchLabels": "scaler 2", // beneath what is held as a whole
		"spec.strategy":             "",
		"spec.repli":                "",
	} {
		fields := []plan.Field{{Path: path, From: "x", To: "y"}, {Path: path, To: "y"}}
		credit(fields, by)
		got := ""
		if fields[0].Manager != "" {
			got = fmt.Sprintf("%s %d", fields[0].Manager, fields[0].Written.Hour())
		}
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		if fields[1].Manager != "" || fields[1].Written != nil {
			t.Errorf("%s: a field that was removed is credited to %s", path, fields[1].Manager)
		}
	}
}
