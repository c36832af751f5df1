package node

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"platform/sandbox/internal/machine"
)

// staticPods are the pods that the kubelet of a control-plane machine runs from
// files: the components, and the manifests that kops keeps in the state store
// (etcd-manager, kops-channels). kops' validation wants to see them.
func staticPods(boot *machine.Boot) ([]*corev1.Pod, error) {
	config, err := boot.Config()
	if err != nil || config.APIServerConfig == nil || config.ControlPlaneConfig == nil {
		return nil, err
	}
	pods := []*corev1.Pod{
		component("kube-apiserver", config.APIServerConfig.KubeAPIServer.Image),
		component("kube-controller-manager", config.ControlPlaneConfig.KubeControllerManager.Image),
		component("kube-scheduler", config.ControlPlaneConfig.KubeScheduler.Image),
	}
	for _, manifest := range boot.StaticPods {
		pod := &corev1.Pod{}
		if err := yaml.Unmarshal([]byte(manifest), pod); err != nil {
			return nil, fmt.Errorf("static pod of %s: %w", boot.Machine.ID, err)
		}
		pods = append(pods, pod)
	}
	return pods, nil
}

const (
	// readyAnnotation holds a pod's readiness: our KWOK stages keep one with
	// "false" from being ready.
	readyAnnotation = "sandbox.platform/ready"
	// channelsPod applies kops' addons; it is ready once it has.
	channelsPod = "kops-channels"
)

func component(name, image string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: metav1.NamespaceSystem, Labels: map[string]string{"k8s-app": name}},
		Spec: corev1.PodSpec{
			HostNetwork: true, PriorityClassName: "system-cluster-critical",
			Containers: []corev1.Container{{Name: name, Image: image}},
		},
	}
}

// mirror gives the object by which a kubelet shows a pod of its own in the API.
func mirror(pod *corev1.Pod, node *corev1.Node) *corev1.Pod {
	out := pod.DeepCopy()
	hash := sha256.Sum256([]byte(pod.String()))
	controller := true
	out.ObjectMeta = metav1.ObjectMeta{
		Name: pod.Name + "-" + node.Name, Namespace: pod.Namespace, Labels: pod.Labels,
		Annotations: map[string]string{
			"kubernetes.io/config.hash":   hex.EncodeToString(hash[:16]),
			corev1.MirrorPodAnnotationKey: hex.EncodeToString(hash[:16]),
			"kubernetes.io/config.seen":   time.Now().UTC().Format(time.RFC3339Nano),
			"kubernetes.io/config.source": "file",
		},
		// Gone with the node.
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID, Controller: &controller}},
	}
	for key, value := range pod.Annotations {
		out.Annotations[key] = value
	}
	out.Spec.NodeName = node.Name
	out.Spec.Tolerations = append(out.Spec.Tolerations, corev1.Toleration{Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute})
	out.Status = corev1.PodStatus{}
	return out
}
