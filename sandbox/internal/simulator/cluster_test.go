package simulator

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"k8s.io/kops/pkg/apis/kops"

	"platform/sandbox/internal/machine"
)

func boots(t *testing.T, list ...*machine.Boot) *cluster {
	t.Helper()
	store, err := machine.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, boot := range list {
		boot.Machine.Cluster = "dev.example.net"
		if err := store.Put(boot); err != nil {
			t.Fatal(err)
		}
	}
	s := &Simulator{o: Options{Log: slog.New(slog.DiscardHandler), StateDir: t.TempDir()}, boots: store}
	return newCluster(s, "dev.example.net")
}

func controlPlane(id, version string, minute int) *machine.Boot {
	return &machine.Boot{
		Machine: machine.Machine{ID: id}, Role: kops.InstanceGroupRoleControlPlane,
		NodeupConfig: fmt.Sprintf("KubernetesVersion: %s\n", version), Time: time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC),
	}
}

func TestHost(t *testing.T) {
	node := controlPlane("i-node", "1.36.1", 9)
	node.Role = kops.InstanceGroupRoleNode
	tests := []struct {
		name  string
		boots []*machine.Boot
		want  string
	}{
		{"none", nil, ""},
		{"only nodes", []*machine.Boot{node}, ""},
		{"one", []*machine.Boot{controlPlane("i-1", "1.36.1", 0), node}, "i-1"},
		{"the newest of equals", []*machine.Boot{controlPlane("i-1", "1.36.1", 1), controlPlane("i-2", "1.36.1", 2), controlPlane("i-3", "1.36.1", 0)}, "i-2"},
		{"an upgrade under way", []*machine.Boot{controlPlane("i-1", "1.35.4", 5), controlPlane("i-2", "1.36.1", 2)}, "i-2"},
		{"an older machine comes back in between", []*machine.Boot{controlPlane("i-1", "1.9.10", 9), controlPlane("i-2", "v1.10.0", 2)}, "i-2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if host := boots(t, test.boots...).host(); host != nil {
				got = host.Machine.ID
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestPlaneLivesOnWithItsMachines(t *testing.T) {
	p := &plane{hosts: map[string]bool{"i-1": true, "i-2": true}}
	for _, test := range []struct {
		hosts map[string]bool
		want  bool
	}{
		{map[string]bool{"i-1": true, "i-2": true}, true},
		{map[string]bool{"i-2": true, "i-3": true}, true},
		{map[string]bool{"i-3": true}, false},
		{nil, false},
	} {
		if got := p.shares(test.hosts); got != test.want {
			t.Errorf("with %v: %v, want %v", test.hosts, got, test.want)
		}
	}
}

func TestForgetsMachinesThatAreGone(t *testing.T) {
	c := boots(t, controlPlane("i-1", "1.36.1", 0), controlPlane("i-2", "1.36.1", 0))
	c.failures["i-3"] = failure{message: "failed"}
	if err := c.forget([]machine.Machine{{ID: "i-2"}}); err != nil {
		t.Fatal(err)
	}
	if c.s.boots.Get("i-1") != nil || c.s.boots.Get("i-2") == nil || len(c.failures) != 0 {
		t.Errorf("remembered %v and %v, failures %v", c.s.boots.Get("i-1"), c.s.boots.Get("i-2"), c.failures)
	}
}

func TestNewestListWins(t *testing.T) {
	c := boots(t)
	c.give([]machine.Machine{{ID: "i-1"}})
	c.give([]machine.Machine{{ID: "i-2"}})
	if got := <-c.machines; len(got) != 1 || got[0].ID != "i-2" {
		t.Errorf("got %v", got)
	}
}

func TestMachineStatus(t *testing.T) {
	booted := controlPlane("i-1", "1.36.1", 0)
	c := boots(t, booted)
	c.failures["i-2"] = failure{message: "booting i-2: no configuration"}
	tags := func(group string) map[string]string { return map[string]string{"kops.k8s.io/instancegroup": group} }
	got := c.machineStatus([]machine.Machine{{ID: "i-3", Tags: tags("nodes")}, {ID: "i-1", Tags: tags("control-plane")}, {ID: "i-2", Tags: tags("nodes")}}, nil)
	want := []MachineStatus{
		{ID: "i-1", InstanceGroup: "control-plane", Role: "control-plane", Version: "1.36.1"},
		{ID: "i-2", InstanceGroup: "nodes", Message: "booting i-2: no configuration"},
		{ID: "i-3", InstanceGroup: "nodes", Message: machine.ErrNoControlPlane.Error()},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
