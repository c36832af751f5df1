package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"platform/sandbox/internal/machine"
)

// fieldManager marks what we write as what kops-controller writes in reality.
const fieldManager = "kops-controller"

// Sync makes a cluster's Nodes follow its machines: one for each that booted,
// none for one that is gone. What others wrote to a Node, such as a cordon or a
// taint, stays. It gives the Nodes by machine.
func Sync(ctx context.Context, client kubernetes.Interface, boots []*machine.Boot) (map[string]*corev1.Node, error) {
	// Whatever the API server has in memory is new enough.
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return nil, fmt.Errorf("listing nodes: %w", err)
	}
	existing := map[string]*corev1.Node{}
	for i := range list.Items {
		existing[list.Items[i].Name] = &list.Items[i]
	}
	alive := map[string]bool{}
	out := map[string]*corev1.Node{}
	var errs []error
	for _, boot := range boots {
		if !boot.Joins {
			continue
		}
		name := Name(boot.Machine)
		alive[name] = true
		node, err := ensure(ctx, client, boot, existing[name])
		if err != nil {
			errs = append(errs, fmt.Errorf("node %s: %w", name, err))
			continue
		}
		out[boot.Machine.ID] = node
	}
	for name, node := range existing {
		// The cloud controller removes the nodes of its own instances alone.
		if alive[name] || !strings.HasPrefix(node.Spec.ProviderID, "aws://") {
			continue
		}
		err := client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("node %s: %w", name, err))
		}
	}
	return out, errors.Join(errs...)
}

func ensure(ctx context.Context, client kubernetes.Interface, boot *machine.Boot, node *corev1.Node) (*corev1.Node, error) {
	if node == nil {
		wanted, err := Build(boot)
		if err != nil {
			return nil, err
		}
		created, err := client.CoreV1().Nodes().Create(ctx, wanted, metav1.CreateOptions{FieldManager: fieldManager})
		if apierrors.IsAlreadyExists(err) {
			return client.CoreV1().Nodes().Get(ctx, wanted.Name, metav1.GetOptions{})
		}
		return created, err
	}
	missing := map[string]string{}
	for key, value := range Labels(boot) {
		if actual, ok := node.Labels[key]; !ok || actual != value {
			missing[key] = value
		}
	}
	if len(missing) == 0 {
		return node, nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": missing}})
	if err != nil {
		return nil, err
	}
	return client.CoreV1().Nodes().Patch(ctx, node.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
}

// SyncStaticPods makes the mirror pods of a control-plane machine that aren't
// there. That of kops-channels is ready only when the addons are applied, which
// is what kops' validation waits for.
func SyncStaticPods(ctx context.Context, client kubernetes.Interface, boot *machine.Boot, node *corev1.Node, addonsApplied bool) error {
	pods, err := staticPods(boot)
	if err != nil {
		return err
	}
	list, err := client.CoreV1().Pods(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", node.Name).String(), ResourceVersion: "0",
	})
	if err != nil {
		return fmt.Errorf("listing the pods of node %s: %w", node.Name, err)
	}
	existing := map[string]*corev1.Pod{}
	for i := range list.Items {
		existing[list.Items[i].Name] = &list.Items[i]
	}
	var errs []error
	for _, pod := range pods {
		wanted := mirror(pod, node)
		if pod.Name == channelsPod {
			wanted.Annotations[readyAnnotation] = strconv.FormatBool(addonsApplied)
		}
		if err := ensureMirror(ctx, client, wanted, existing[wanted.Name]); err != nil {
			errs = append(errs, fmt.Errorf("static pod %s: %w", wanted.Name, err))
		}
	}
	return errors.Join(errs...)
}

func ensureMirror(ctx context.Context, client kubernetes.Interface, wanted, existing *corev1.Pod) error {
	pods := client.CoreV1().Pods(wanted.Namespace)
	if existing == nil {
		_, err := pods.Create(ctx, wanted, metav1.CreateOptions{FieldManager: "kubelet"})
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	}
	ready := wanted.Annotations[readyAnnotation]
	if ready == existing.Annotations[readyAnnotation] {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{readyAnnotation: ready}}})
	if err != nil {
		return err
	}
	_, err = pods.Patch(ctx, wanted.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{FieldManager: "kubelet"})
	return err
}

// IsReady tells whether a Node's kubelet reports it ready.
func IsReady(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
