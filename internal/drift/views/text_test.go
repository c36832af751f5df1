package views

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"platform/internal/drift"
	"platform/internal/plan"
	"platform/internal/ui"
)

// A cluster that is gone doesn't fill the terminal, unless somebody wants it to.
func TestTextOfALostCluster(t *testing.T) {
	look := drift.Look{Cluster: "dev"}
	for i := range 200 {
		look.Changes = append(look.Changes, plan.Change{Layer: plan.Addons, Op: plan.Create, Resource: fmt.Sprintf("Role a/r%d", i)})
	}
	look.Changes = append(look.Changes, plan.Change{Layer: plan.AWS, Op: plan.Update, Resource: "SecurityGroup/x"})
	other := drift.Look{Cluster: "int", Err: errors.New("no route")}
	report := drift.Make(drift.About{Time: time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)}, []drift.Look{look, other}, nil, nil)
	lines := func(o TextOptions) []string {
		var b strings.Builder
		if err := Text(&b, ui.Paint{}, report, o); err != nil {
			t.Fatal(err)
		}
		return strings.Split(b.String(), "\n")
	}
	short := lines(TextOptions{})
	if text := strings.Join(short, "\n"); len(short) > 15 || !strings.Contains(text, "+ Role ×200\n") || !strings.Contains(text, "SecurityGroup/x") {
		t.Errorf("%d lines:\n%s", len(short), text)
	}
	if long := lines(TextOptions{Verbose: true}); len(long) < 200 {
		t.Errorf("all of it has %d lines", len(long))
	}
}
