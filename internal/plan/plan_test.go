package plan

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMarshal(t *testing.T) {
	got, err := json.Marshal(Plan{Cluster: "dev", Changes: []Change{
		{Layer: AWS, Op: Create, Resource: "TargetGroup/http", Diff: []Field{{Path: "arn", To: Unknown}}},
		{Layer: Addons, Op: Delete, Resource: "Service web/old", Source: "clusters/dev/web.jsonnet"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"cluster":"dev","changes":[` +
		`{"layer":"aws","op":"create","resource":"TargetGroup/http","diff":[{"path":"arn","from":null,"to":"(known after apply)"}]},` +
		`{"layer":"addons","op":"delete","resource":"Service web/old","diff":[],"source":"clusters/dev/web.jsonnet"}],` +
		`"summary":{"create":1,"delete":1,"replace":0,"roll":0,"update":0},"requests":0}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	empty, err := json.Marshal(Plan{Cluster: "dev"})
	if err != nil || string(empty) != `{"cluster":"dev","changes":[],"summary":{"create":0,"delete":0,"replace":0,"roll":0,"update":0},"requests":0}` {
		t.Errorf("an empty plan is %s, %v", empty, err)
	}
}

func decode(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDiff(t *testing.T) {
	for _, test := range []struct {
		name, from, to string
		want           []Field
	}{
		{"equal", `{"a": [1, {"b": null}]}`, `{"a": [1, {"b": null}]}`, nil},
		{"scalar", `{"a": {"b": 1}}`, `{"a": {"b": 2}}`, []Field{{Path: "a.b", From: 1.0, To: 2.0}}},
		{"added and removed", `{"a": 1}`, `{"b": 2}`, []Field{{Path: "a", From: 1.0, To: nil}, {Path: "b", From: nil, To: 2.0}}},
		{"subtree added", `{}`, `{"a": {"b": {"c": 1}}}`, []Field{{Path: "a.b.c", From: nil, To: 1.0}}},
		{"label", `{"labels": {"app.kubernetes.io/name": "x"}}`, `{"labels": {"app.kubernetes.io/name": "y"}}`, []Field{{Path: `labels["app.kubernetes.io/name"]`, From: "x", To: "y"}}},
		{"list by index", `{"a": [1, 2]}`, `{"a": [1, 3]}`, []Field{{Path: "a[1]", From: 2.0, To: 3.0}}},
		{"list of other length", `{"a": [1]}`, `{"a": [1, 3]}`, []Field{{Path: "a", From: []any{1.0}, To: []any{1.0, 3.0}}}},
		{"list by name", `{"c": [{"name": "x", "v": 1}, {"name": "y"}]}`, `{"c": [{"name": "y"}, {"name": "x", "v": 2}]}`, []Field{{Path: `c[name="x"].v`, From: 1.0, To: 2.0}}},
		{"named one gone", `{"c": [{"name": "x"}, {"name": "y"}]}`, `{"c": [{"name": "y"}]}`, []Field{{Path: `c[name="x"].name`, From: "x", To: nil}}},
		{"another order", `[{"name": "x"}, {"name": "y"}]`, `[{"name": "y"}, {"name": "x"}]`, []Field{{Path: "", From: []any{"x", "y"}, To: []any{"y", "x"}}}},
		{"type changes", `{"a": {"b": 1}}`, `{"a": "text"}`, []Field{{Path: "a", From: map[string]any{"b": 1.0}, To: "text"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Diff("", decode(t, test.from), decode(t, test.to))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzDiff holds that equal values have no diff and others have one.
func FuzzDiff(f *testing.F) {
	f.Add(`{"a": [{"name": "x"}, {"name": "x"}]}`, `{"a": [{"name": "x"}]}`)
	f.Add(`{"a": {}}`, `{}`)
	f.Fuzz(func(t *testing.T, from, to string) {
		var a, b any
		if json.Unmarshal([]byte(from), &a) != nil || json.Unmarshal([]byte(to), &b) != nil {
			return
		}
		if d := Diff("", a, a); len(d) > 0 {
			t.Errorf("%s differs from itself: %v", from, d)
		}
		if len(Diff("", a, b)) == 0 && !cmp.Equal(a, b) {
			t.Errorf("%s and %s are not the same, but nothing differs", from, to)
		}
	})
}
