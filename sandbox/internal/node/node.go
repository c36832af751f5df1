package node

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kops/pkg/apis/kops"
	"k8s.io/kops/pkg/apis/kops/util"
	"k8s.io/kops/pkg/apis/nodeup"
	"k8s.io/kops/pkg/nodelabels"

	"platform/sandbox/internal/machine"
)

const (
	// labelTag begins the tags of an instance that kops-controller makes labels
	// of (pkg/nodeidentity/aws).
	labelTag = "k8s.io/cluster-autoscaler/node-template/label/"

	zoneIDLabel = "topology.ebs.csi.aws.com/zone"
	// evictionReserve is what kops' kubelets keep free: memory.available<100Mi.
	evictionReserve = 100 << 20
	defaultMaxPods  = 110
)

// Name is the name of a machine's Node: on AWS kops names hosts by resource,
// which is the instance's ID.
func Name(m machine.Machine) string { return m.ID }

// ProviderID is what ties a Node to its instance.
func ProviderID(m machine.Machine) string { return fmt.Sprintf("aws:///%s/%s", m.Zone, m.ID) }

// Build makes the Node of a machine that booted.
func Build(boot *machine.Boot) (*corev1.Node, error) {
	config, err := boot.Config()
	if err != nil {
		return nil, err
	}
	taints, err := taints(config.KubeletConfig.Taints)
	if err != nil {
		return nil, fmt.Errorf("taints of %s: %w", boot.Machine.ID, err)
	}
	m := boot.Machine
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: Name(m), Labels: Labels(boot), Annotations: map[string]string{
			// The kubelet leaves the attaching of volumes to the controller manager.
			"volumes.kubernetes.io/controller-managed-attach-detach": "true",
		}},
		Spec: corev1.NodeSpec{ProviderID: ProviderID(m), Taints: taints},
		Status: corev1.NodeStatus{
			Capacity:    capacity(boot.Size, config),
			Allocatable: allocatable(boot.Size, config),
			Addresses:   addresses(m),
			NodeInfo:    info(m, config),
		},
	}, nil
}

// Labels are the labels that a Node has from its machine: those of the kubelet,
// of the cloud controller, of the EBS driver and of kops-controller.
func Labels(boot *machine.Boot) map[string]string {
	m := boot.Machine
	labels := map[string]string{
		corev1.LabelHostname:                Name(m),
		corev1.LabelOSStable:                "linux",
		corev1.LabelArchStable:              m.Arch,
		corev1.LabelInstanceTypeStable:      m.Type,
		corev1.LabelTopologyZone:            m.Zone,
		corev1.LabelTopologyRegion:          m.Region,
		"beta.kubernetes.io/os":             "linux",
		"beta.kubernetes.io/arch":           m.Arch,
		corev1.LabelInstanceType:            m.Type,
		corev1.LabelFailureDomainBetaZone:   m.Zone,
		corev1.LabelFailureDomainBetaRegion: m.Region,
		zoneIDLabel:                         m.Zone,
	}
	for key, value := range m.Tags {
		if label, ok := strings.CutPrefix(key, labelTag); ok {
			labels[label] = value
		}
	}
	if m.Lifecycle != "" {
		labels["node-role.kubernetes.io/"+m.Lifecycle+"-worker"] = "true"
	}
	if boot.Role == kops.InstanceGroupRoleControlPlane {
		for key, value := range nodelabels.BuildMandatoryControlPlaneLabels() {
			labels[key] = value
		}
	}
	return labels
}

func taints(declared []string) ([]corev1.Taint, error) {
	var out []corev1.Taint
	for _, text := range declared {
		parsed, err := util.ParseTaint(text)
		if err != nil {
			return nil, err
		}
		taint := corev1.Taint{Key: parsed["key"], Value: parsed["value"], Effect: corev1.TaintEffect(parsed["effect"])}
		if !slices.Contains(out, taint) {
			out = append(out, taint)
		}
	}
	return out, nil
}

func addresses(m machine.Machine) []corev1.NodeAddress {
	dns := m.PrivateDNS
	if dns == "" {
		dns = Name(m)
	}
	return []corev1.NodeAddress{
		{Type: corev1.NodeInternalIP, Address: m.PrivateIP},
		{Type: corev1.NodeInternalDNS, Address: dns},
		{Type: corev1.NodeHostName, Address: dns},
	}
}

func capacity(size machine.Size, config *nodeup.Config) corev1.ResourceList {
	pods := int32(defaultMaxPods)
	if config.KubeletConfig.MaxPods != nil {
		pods = *config.KubeletConfig.MaxPods
	}
	out := corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewQuantity(int64(size.CPUs), resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(size.MemoryBytes, resource.BinarySI),
		corev1.ResourcePods:   *resource.NewQuantity(int64(pods), resource.DecimalSI),
	}
	if size.DiskBytes > 0 {
		out[corev1.ResourceEphemeralStorage] = *resource.NewQuantity(size.DiskBytes, resource.BinarySI)
	}
	return out
}

// allocatable is what is left after the kubelet's reservations.
func allocatable(size machine.Size, config *nodeup.Config) corev1.ResourceList {
	size.MemoryBytes -= evictionReserve
	// nodefs.available<10%
	size.DiskBytes -= size.DiskBytes / 10
	out := capacity(size, config)
	for _, reserved := range []map[string]string{config.KubeletConfig.KubeReserved, config.KubeletConfig.SystemReserved} {
		for name, text := range reserved {
			left, ok := out[corev1.ResourceName(name)]
			amount, err := resource.ParseQuantity(text)
			if ok && err == nil {
				left.Sub(amount)
				out[corev1.ResourceName(name)] = left
			}
		}
	}
	return out
}

func info(m machine.Machine, config *nodeup.Config) corev1.NodeSystemInfo {
	version := "v" + strings.TrimPrefix(config.KubernetesVersion, "v")
	runtime := "containerd://sandbox"
	if config.ContainerdConfig != nil && config.ContainerdConfig.Version != nil {
		runtime = "containerd://" + *config.ContainerdConfig.Version
	}
	return corev1.NodeSystemInfo{
		MachineID: m.ID, SystemUUID: m.ID, BootID: m.ID,
		KernelVersion: "sandbox", OSImage: "Simulated by the sandbox", OperatingSystem: "linux", Architecture: m.Arch,
		ContainerRuntimeVersion: runtime, KubeletVersion: version,
	}
}
