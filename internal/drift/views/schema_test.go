package views

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"

	"platform/internal/drift"
	"platform/internal/plan"
)

// schema reads docs/drift-report.schema.json. The validator knows no $ref: they
// are replaced by what they refer to.
func schema(t *testing.T) *validate.SchemaValidator {
	t.Helper()
	data, err := os.ReadFile("../../../docs/drift-report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	definitions := root["$defs"].(map[string]any)
	var expand func(any) any
	expand = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			if reference, ok := v["$ref"].(string); ok {
				target, has := definitions[strings.TrimPrefix(reference, "#/$defs/")]
				if !has {
					t.Fatalf("the schema has no %s", reference)
				}
				return expand(target)
			}
			out := map[string]any{}
			for key, value := range v {
				if key != "$defs" && key != "$schema" && key != "$id" {
					out[key] = expand(value)
				}
			}
			return out
		case []any:
			out := make([]any, len(v))
			for i, item := range v {
				out[i] = expand(item)
			}
			return out
		}
		return v
	}
	expanded, err := json.Marshal(expand(root))
	if err != nil {
		t.Fatal(err)
	}
	parsed := &spec.Schema{}
	if err := json.Unmarshal(expanded, parsed); err != nil {
		t.Fatal(err)
	}
	return validate.NewSchemaValidator(parsed, nil, "", strfmt.Default)
}

func wrong(t *testing.T, validator *validate.SchemaValidator, document []byte) error {
	t.Helper()
	var v any
	if err := json.Unmarshal(document, &v); err != nil {
		t.Fatal(err)
	}
	return validator.Validate(v).AsError()
}

func TestSchema(t *testing.T) {
	validator := schema(t)
	for _, name := range []string{"testdata/report.json"} {
		document, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := wrong(t, validator, document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// The schema can say no: each of these makes it wrong.
		for _, change := range [][2]string{
			{`"schemaVersion": 1`, `"schemaVersion": 2`}, {`"state": "paused"`, `"state": "asleep"`}, {`"op": "roll"`, `"op": "rolled"`},
			{`"commit"`, `"comit"`}, {`"requests": 34`, `"requests": -1`}, {`"requests": 34`, `"requests": "34"`}, {`"wanted"`, `"want"`},
			{`"firstSeen": "2026`, `"firstSeen": "26`}, {`"path": "data.key"`, `"pfad": "data.key"`}, {`"matched": 1`, `"matched": null`},
			{`"expires": "2026-12-15"`, `"expires": "soon"`}, {`"status": "resolved"`, `"status": "gone"`}, {`"id": "`, `"id": "x`},
		} {
			if !bytes.Contains(document, []byte(change[0])) {
				t.Errorf("%s has no %s", name, change[0])
			}
			if err := wrong(t, validator, bytes.Replace(document, []byte(change[0]), []byte(change[1]), 1)); err == nil {
				t.Errorf("the schema allows %s", change[1])
			}
		}
	}
	big, _ := bigFleet(3, 3, false)
	at := time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)
	for name, r := range map[string]*drift.Report{
		"fleet":   big,
		"nothing": drift.Make(drift.About{Time: at}, nil, nil, nil),
		"bare":    drift.Make(drift.About{Time: at}, []drift.Look{{Cluster: "dev", Err: errors.New("x")}, {Cluster: "int", Changes: []plan.Change{{Layer: plan.AWS, Op: plan.Delete, Resource: "x"}}}}, nil, nil),
	} {
		document := render(t, func(w *bytes.Buffer) error { return drift.Write(w, r) })
		if err := wrong(t, validator, document); err != nil {
			t.Errorf("%s: %v\n%s", name, err, document)
		}
	}
}
