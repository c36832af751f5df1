package node

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/kops/pkg/apis/kops"

	"platform/sandbox/internal/machine"
)

func workerBoot(id string) *machine.Boot {
	return &machine.Boot{
		Machine: machine.Machine{
			ID: id, Cluster: "dev.example.net", Type: "t3.large", Zone: "eu-central-1a", Region: "eu-central-1",
			PrivateIP: "10.20.32.6", PrivateDNS: id + ".eu-central-1.compute.internal", Arch: "amd64", Lifecycle: "spot",
			Tags: map[string]string{
				"k8s.io/cluster-autoscaler/node-template/label/node-role.kubernetes.io/node": "",
				"k8s.io/cluster-autoscaler/node-template/label/team":                         "a",
				"Name": "nodes.dev.example.net",
			},
		},
		Joins: true, Role: kops.InstanceGroupRoleNode, InstanceGroup: "nodes",
		NodeupConfig: `
KubernetesVersion: 1.36.1
KubeletConfig:
  taints: ["dedicated=web:NoSchedule", "dedicated=web:NoSchedule"]
  kubeReserved: {cpu: 100m, memory: 256Mi}
containerdConfig: {version: 2.2.4}
`,
		Size: machine.Size{CPUs: 2, MemoryBytes: 8 << 30, DiskBytes: 100 << 30},
	}
}

func controlPlaneBoot(id string) *machine.Boot {
	boot := workerBoot(id)
	boot.Role, boot.InstanceGroup = kops.InstanceGroupRoleControlPlane, "control-plane"
	boot.Machine.Tags = nil
	boot.NodeupConfig = `
KubernetesVersion: 1.36.1
KubeletConfig:
  taints: ["node-role.kubernetes.io/control-plane=:NoSchedule"]
APIServerConfig:
  ClusterDNSDomain: cluster.local
  KubeAPIServer: {image: "registry.k8s.io/kube-apiserver:v1.36.1"}
  API: {}
  ServiceAccountPublicKeys: ""
ControlPlaneConfig:
  KubeControllerManager: {image: "registry.k8s.io/kube-controller-manager:v1.36.1"}
  KubeScheduler: {image: "registry.k8s.io/kube-scheduler:v1.36.1"}
`
	boot.StaticPods = []string{
		"kind: Pod\nmetadata:\n  name: etcd-manager-main\n  namespace: kube-system\n  labels: {k8s-app: etcd-manager-main}\nspec:\n  priorityClassName: system-cluster-critical\n",
		"kind: Pod\nmetadata: {name: kops-channels, namespace: kube-system}\n",
	}
	return boot
}

func TestBuildNode(t *testing.T) {
	node, err := Build(workerBoot("i-1"))
	if err != nil {
		t.Fatal(err)
	}
	if node.Name != "i-1" || node.Spec.ProviderID != "aws:///eu-central-1a/i-1" {
		t.Errorf("name %s, provider ID %s", node.Name, node.Spec.ProviderID)
	}
	for label, want := range map[string]string{
		"kubernetes.io/hostname": "i-1", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
		"node.kubernetes.io/instance-type": "t3.large", "topology.kubernetes.io/zone": "eu-central-1a",
		"topology.kubernetes.io/region": "eu-central-1", "node-role.kubernetes.io/node": "",
		"node-role.kubernetes.io/spot-worker": "true", "team": "a",
	} {
		if got, ok := node.Labels[label]; !ok || got != want {
			t.Errorf("label %s is %q (%v), want %q", label, got, ok, want)
		}
	}
	if _, ok := node.Labels["Name"]; ok {
		t.Error("a tag that isn't a label's became one")
	}
	if want := []corev1.Taint{{Key: "dedicated", Value: "web", Effect: corev1.TaintEffectNoSchedule}}; !slices.Equal(node.Spec.Taints, want) {
		t.Errorf("taints %v, want %v", node.Spec.Taints, want)
	}
	for name, want := range map[corev1.ResourceName][2]string{
		corev1.ResourceCPU: {"2", "1900m"}, corev1.ResourceMemory: {"8Gi", "7836Mi"},
		corev1.ResourcePods: {"110", "110"}, corev1.ResourceEphemeralStorage: {"100Gi", "90Gi"},
	} {
		has, left := node.Status.Capacity[name], node.Status.Allocatable[name]
		if has.String() != want[0] || left.String() != want[1] {
			t.Errorf("%s: %s, allocatable %s; want %v", name, has.String(), left.String(), want)
		}
	}
	if got := node.Status.NodeInfo; got.KubeletVersion != "v1.36.1" || got.ContainerRuntimeVersion != "containerd://2.2.4" {
		t.Errorf("versions %+v", got)
	}
	if got := node.Status.Addresses[0]; got.Type != corev1.NodeInternalIP || got.Address != "10.20.32.6" {
		t.Errorf("addresses %v", node.Status.Addresses)
	}
}

func TestControlPlaneNode(t *testing.T) {
	node, err := Build(controlPlaneBoot("i-1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{"node-role.kubernetes.io/control-plane", "kops.k8s.io/kops-controller-pki", "node.kubernetes.io/exclude-from-external-load-balancers"} {
		if _, ok := node.Labels[label]; !ok {
			t.Errorf("no label %s", label)
		}
	}
	if len(node.Spec.Taints) != 1 || node.Spec.Taints[0].Key != "node-role.kubernetes.io/control-plane" {
		t.Errorf("taints %v", node.Spec.Taints)
	}
}

func TestSync(t *testing.T) {
	held := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "i-2", Labels: map[string]string{"team": "b", "mine": "x"}},
		Spec: corev1.NodeSpec{
			ProviderID: "aws:///eu-central-1a/i-2", Unschedulable: true,
			Taints: []corev1.Taint{{Key: "kops.k8s.io/scheduled-for-update", Effect: corev1.TaintEffectPreferNoSchedule}},
		},
	}
	client := fake.NewClientset(held,
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "i-gone"}, Spec: corev1.NodeSpec{ProviderID: "aws:///eu-central-1a/i-gone"}},
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "someone-elses"}},
	)
	bastion := &machine.Boot{Machine: machine.Machine{ID: "i-3"}}
	nodes, err := Sync(t.Context(), client, []*machine.Boot{workerBoot("i-1"), workerBoot("i-2"), bastion})
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes) != 2 || nodes["i-1"] == nil || nodes["i-2"] == nil {
		t.Errorf("nodes %v", nodes)
	}
	list, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, node := range list.Items {
		names = append(names, node.Name)
		if node.Name == "i-2" {
			if node.Labels["team"] != "a" || node.Labels["mine"] != "x" {
				t.Errorf("labels %v", node.Labels)
			}
			if !node.Spec.Unschedulable || len(node.Spec.Taints) != 1 {
				t.Errorf("a cordon and a taint of others are gone: %+v", node.Spec)
			}
		}
	}
	slices.Sort(names)
	if want := []string{"i-1", "i-2", "someone-elses"}; !slices.Equal(names, want) {
		t.Errorf("nodes %v, want %v", names, want)
	}
}

func TestStaticPods(t *testing.T) {
	client := fake.NewClientset()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "i-1", UID: types.UID("u")}}
	boot := controlPlaneBoot("i-1")
	for _, applied := range []bool{false, true} {
		if err := SyncStaticPods(t.Context(), client, boot, node, applied); err != nil {
			t.Fatal(err)
		}
		list, err := client.CoreV1().Pods("kube-system").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		apps := map[string]corev1.Pod{}
		for _, pod := range list.Items {
			apps[pod.Name] = pod
			if pod.Spec.NodeName != "i-1" || pod.Annotations[corev1.MirrorPodAnnotationKey] == "" {
				t.Errorf("%s isn't a mirror pod on the node: %+v", pod.Name, pod)
			}
			if owner := metav1.GetControllerOf(&pod); owner == nil || owner.Kind != "Node" || owner.UID != "u" {
				t.Errorf("%s isn't its node's: %v", pod.Name, owner)
			}
		}
		// kops' validation looks for this label.
		for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd-manager-main"} {
			if got := apps[name+"-i-1"].Labels["k8s-app"]; got != name {
				t.Errorf("%s: label k8s-app is %q", name, got)
			}
		}
		want := "false"
		if applied {
			want = "true"
		}
		if got := apps["kops-channels-i-1"].Annotations[readyAnnotation]; got != want || len(apps) != 5 {
			t.Errorf("kops-channels: %q, want %q; pods %d", got, want, len(apps))
		}
	}
}
