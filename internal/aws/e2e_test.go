package aws

import (
	"testing"

	"platform/internal/plan"
)

func ops(changes []plan.Change) []string {
	out := []string{}
	for _, c := range changes {
		out = append(out, string(c.Op)+" "+c.Resource)
	}
	return out
}

func TestFirst(t *testing.T) {
	a := newCluster(t)
	l := a.layer()
	p, err := l.Plan(t.Context())
	t.Log(ops(p), err)
	done, err := l.Apply(t.Context())
	t.Log(ops(done), err)
	p, err = l.Plan(t.Context())
	t.Logf("%+v %v", p, err)
	for _, line := range a.inventory() { t.Log(line) }
	h, err := l.Verify(t.Context())
	t.Log(h, err)
	done, err = l.Delete(t.Context())
	t.Log(ops(done), err)
	for _, line := range a.inventory() { t.Log(line) }
}
