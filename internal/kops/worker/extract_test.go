package worker

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kops/pkg/assets"
	"k8s.io/kops/upup/pkg/fi"
	"k8s.io/kops/upup/pkg/fi/cloudup/awstasks"
	"k8s.io/kops/upup/pkg/fi/fitasks"
	"k8s.io/kops/util/pkg/vfs"

	"platform/internal/plan"
)

type fakeDeletion struct {
	fi.CloudupDeletion
	deferred bool
}

func (fakeDeletion) TaskName() string      { return "SecurityGroupRule" }
func (fakeDeletion) Item() string          { return "port=22" }
func (d fakeDeletion) DeferDeletion() bool { return d.deferred }

// TestTargetFields holds the names of the unexported fields that extract
// reads against the version of kops in use: it fails when an upgrade moves
// them.
func TestTargetFields(t *testing.T) {
	target := fi.NewCloudupDryRunTarget(assets.NewAssetBuilder(vfs.Context, nil, false), true, io.Discard)
	vpc := &awstasks.VPC{Name: new("dev"), CIDR: new("10.0.0.0/16"), EnableDNSSupport: new(true)}
	old := &awstasks.Subnet{Name: new("a"), CIDR: new("10.0.1.0/24"), VPC: vpc}
	want := &awstasks.Subnet{Name: new("a"), CIDR: new("10.0.2.0/24"), VPC: vpc}
	file := &fitasks.ManagedFile{Name: new("spec"), Location: new("cluster.spec"), Contents: fi.NewStringResource("spec:\n  a: 1\n  b: 2\n")}
	newFile := &fitasks.ManagedFile{Name: new("spec"), Location: new("cluster.spec"), Contents: fi.NewStringResource("spec:\n  a: 1\n  b: 3\n")}
	tasks := map[string]fi.CloudupTask{"VPC/dev": vpc, "Subnet/a": want, "ManagedFile/spec": newFile}
	for _, r := range []struct{ a, e, changes fi.CloudupTask }{
		{(*awstasks.VPC)(nil), vpc, vpc},
		{old, want, &awstasks.Subnet{CIDR: want.CIDR}},
		{file, newFile, &fitasks.ManagedFile{Contents: newFile.Contents}},
	} {
		if err := target.Render(r.a, r.e, r.changes); err != nil {
			t.Fatal(err)
		}
	}
	if err := target.RecordDeletion(fakeDeletion{deferred: true}); err != nil {
		t.Fatal(err)
	}
	got, err := extract(target, tasks)
	if err != nil {
		t.Fatal(err)
	}
	expected := []plan.Change{
		{Layer: plan.Kops, Op: plan.Create, Resource: "VPC/dev", Diff: []plan.Field{
			{Path: "CIDR", To: "10.0.0.0/16"}, {Path: "EnableDNSSupport", To: true},
		}},
		{Layer: plan.Kops, Op: plan.Update, Resource: "ManagedFile/spec", Diff: []plan.Field{{Path: "Contents.spec.b", From: 2.0, To: 3.0}}},
		{Layer: plan.Kops, Op: plan.Update, Resource: "Subnet/a", Diff: []plan.Field{{Path: "CIDR", From: "10.0.1.0/24", To: "10.0.2.0/24"}}},
		{Layer: plan.Kops, Op: plan.Delete, Resource: "SecurityGroupRule/port=22"},
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("extract (-want +got):\n%s", diff)
	}
}

func TestDiffText(t *testing.T) {
	for _, test := range []struct {
		name, from, to string
		want           []plan.Field
	}{
		{"yaml", "a: 1\n", "a: 2\n", []plan.Field{{Path: "X.a", From: 1.0, To: 2.0}}},
		{"script", "#!/bin/sh\necho a\necho b", "#!/bin/sh\necho a\necho c", []plan.Field{{Path: "X", From: "echo b", To: "echo c"}}},
		{"secret", "S3_SECRET_ACCESS_KEY=old\nx", "S3_SECRET_ACCESS_KEY=new\ny", []plan.Field{{Path: "X", From: "x", To: "y"}}},
		{"repeated line", "a b\na b\nc d", "a b\nc d", []plan.Field{{Path: "X", From: "a b"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, diffText("X", test.from, test.to)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckEndpoints(t *testing.T) {
	for _, test := range []struct {
		name, aws, s3 string
		refused       bool
	}{
		{"neither", "", "", false},
		{"AWS elsewhere, S3 as usual", "http://127.0.0.1:5000", "", false},
		{"all emulated", "http://127.0.0.1:5000", "http://127.0.0.1:5000", false},
		{"S3 alone", "", "http://127.0.0.1:5000", true},
		{"two emulators", "http://127.0.0.1:5000", "http://127.0.0.1:9000", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := checkEndpoints(test.aws, test.s3); (err != nil) != test.refused {
				t.Errorf("checkEndpoints(%q, %q) = %v, refused should be %v", test.aws, test.s3, err, test.refused)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	want := map[string]any{"spec": map[string]any{"a": 1.0, "misspelt": "x", "empty": ""}, "list": []any{map[string]any{"b": true}}}
	have := map[string]any{"spec": map[string]any{"a": 2.0}, "list": []any{map[string]any{"b": true}}}
	if got := missing("", want, have); got != "spec.misspelt" {
		t.Errorf("missing = %q, want spec.misspelt", got)
	}
	have["spec"].(map[string]any)["misspelt"] = "other"
	if got := missing("", want, have); got != "" {
		t.Errorf("missing = %q, want none", got)
	}
}

func TestEvents(t *testing.T) {
	e, ok := logEvent(`E1125 12:00:00.000000    4711 rollingupdate.go:42] it broke: [x] y`)
	if want := (plan.Event{Layer: plan.Kops, Action: "warning", Detail: "it broke: [x] y"}); !ok || e != want {
		t.Errorf("logEvent = %+v, %v; want %+v", e, ok, want)
	}
	if _, ok := logEvent("no header"); ok {
		t.Error("a line without klog's header became an event")
	}
	e, ok = deletionEvent("vpc:vpc-1\tok")
	if want := (plan.Event{Layer: plan.Kops, Resource: "vpc:vpc-1", Action: "deleted"}); !ok || e != want {
		t.Errorf("deletionEvent = %+v, %v; want %+v", e, ok, want)
	}
}

func TestOldestControlPlane(t *testing.T) {
	node := func(role, version string) corev1.Node {
		return corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"node-role.kubernetes.io/" + role: ""}},
			Status:     corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{KubeletVersion: version}},
		}
	}
	for _, test := range []struct {
		name  string
		nodes []corev1.Node
		want  string
	}{
		{"nothing runs", nil, "1.36.1"},
		{"half upgraded", []corev1.Node{node("control-plane", "v1.36.1"), node("control-plane", "v1.35.4")}, "1.35.4"},
		{"nodes don't count", []corev1.Node{node("control-plane", "v1.36.1"), node("node", "v1.34.0")}, "1.36.1"},
		{"ahead of git", []corev1.Node{node("control-plane", "v1.37.0")}, "1.36.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := oldestControlPlane(test.nodes, "1.36.1"); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
