package volume

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
)

// driver is the name of the EBS CSI driver and of its provisioner.
const driver = "ebs.csi.aws.com"

const (
	selectedNode  = "volume.kubernetes.io/selected-node"
	provisionedBy = "pv.kubernetes.io/provisioned-by"
	retryAfter    = 10 * time.Second
)

// Controller looks after the volumes of one cluster.
type Controller struct {
	cluster string
	client  kubernetes.Interface
	ec2     *ec2.Client
	log     *slog.Logger

	claims      corelisters.PersistentVolumeClaimLister
	volumes     corelisters.PersistentVolumeLister
	nodes       corelisters.NodeLister
	classes     storagelisters.StorageClassLister
	attachments storagelisters.VolumeAttachmentLister
}

// New gives the controller of a cluster.
func New(cluster string, client kubernetes.Interface, ec2Client *ec2.Client, log *slog.Logger) *Controller {
	return &Controller{cluster: cluster, client: client, ec2: ec2Client, log: log}
}

// Run works until ctx is done: after everything that happens to a volume, and
// again after a while if something failed.
func (c *Controller) Run(ctx context.Context) {
	factory := informers.NewSharedInformerFactory(c.client, 0)
	wake := make(chan struct{}, 1)
	signal := func(any) {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	handler := cache.ResourceEventHandlerFuncs{AddFunc: signal, UpdateFunc: func(_, o any) { signal(o) }, DeleteFunc: signal}
	core, storage := factory.Core().V1(), factory.Storage().V1()
	for _, informer := range []cache.SharedIndexInformer{
		core.PersistentVolumeClaims().Informer(), core.PersistentVolumes().Informer(), storage.VolumeAttachments().Informer(),
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			c.log.Error("volumes", "cluster", c.cluster, "error", err)
			return
		}
	}
	c.claims, c.volumes, c.nodes = core.PersistentVolumeClaims().Lister(), core.PersistentVolumes().Lister(), core.Nodes().Lister()
	c.classes, c.attachments = storage.StorageClasses().Lister(), storage.VolumeAttachments().Lister()
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	factory.WaitForCacheSync(ctx.Done())
	for {
		again := make(<-chan time.Time)
		if err := c.reconcile(ctx); err != nil {
			c.log.Warn("volumes", "cluster", c.cluster, "error", err)
			again = time.After(retryAfter)
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-again:
		}
	}
}

func (c *Controller) reconcile(ctx context.Context) error {
	var errs []error
	claims, err := c.claims.List(labels.Everything())
	errs = append(errs, err)
	for _, claim := range claims {
		if err := c.provision(ctx, claim); err != nil {
			errs = append(errs, fmt.Errorf("claim %s/%s: %w", claim.Namespace, claim.Name, err))
		}
	}
	volumes, err := c.volumes.List(labels.Everything())
	errs = append(errs, err)
	for _, volume := range volumes {
		if err := c.reclaim(ctx, volume); err != nil {
			errs = append(errs, fmt.Errorf("volume %s: %w", volume.Name, err))
		}
	}
	attachments, err := c.attachments.List(labels.Everything())
	errs = append(errs, err)
	for _, attachment := range attachments {
		if err := c.attach(ctx, attachment); err != nil {
			errs = append(errs, fmt.Errorf("attachment %s: %w", attachment.Name, err))
		}
	}
	return errors.Join(errs...)
}

// provision makes a volume for a claim that waits for one of this driver.
func (c *Controller) provision(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	if claim.Status.Phase != corev1.ClaimPending || claim.Spec.VolumeName != "" || claim.Spec.StorageClassName == nil || claim.DeletionTimestamp != nil {
		return nil
	}
	class, err := c.classes.Get(*claim.Spec.StorageClassName)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if class.Provisioner != driver {
		return nil
	}
	name := "pvc-" + string(claim.UID)
	if _, err := c.volumes.Get(name); err == nil {
		return nil // waits for Kubernetes to bind it
	}
	zone, err := c.zone(class, claim)
	if err != nil || zone == "" {
		return err
	}
	return c.create(ctx, name, zone, class, claim)
}

// zone is where the volume has to be: with the node that the scheduler chose,
// if the class waits for that. Empty means that it hasn't chosen yet.
func (c *Controller) zone(class *storagev1.StorageClass, claim *corev1.PersistentVolumeClaim) (string, error) {
	waits := class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
	name := claim.Annotations[selectedNode]
	if waits && name == "" {
		return "", nil
	}
	if name != "" {
		node, err := c.nodes.Get(name)
		if err != nil {
			return "", err
		}
		return node.Labels[corev1.LabelTopologyZone], nil
	}
	nodes, err := c.nodes.List(labels.Everything())
	if err != nil {
		return "", err
	}
	for _, node := range nodes {
		if zone := node.Labels[corev1.LabelTopologyZone]; zone != "" {
			return zone, nil
		}
	}
	return "", nil
}

func (c *Controller) create(ctx context.Context, name, zone string, class *storagev1.StorageClass, claim *corev1.PersistentVolumeClaim) error {
	size := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	id, err := c.ensureDisk(ctx, name, zone, class.Parameters, size.Value(), claim)
	if err != nil {
		return err
	}
	policy := corev1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		policy = *class.ReclaimPolicy
	}
	mode := corev1.PersistentVolumeFilesystem
	if claim.Spec.VolumeMode != nil {
		mode = *claim.Spec.VolumeMode
	}
	filesystem := class.Parameters["csi.storage.k8s.io/fstype"]
	if filesystem == "" {
		filesystem = "ext4"
	}
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{provisionedBy: driver}},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes: claim.Spec.AccessModes, Capacity: corev1.ResourceList{corev1.ResourceStorage: size},
			PersistentVolumeReclaimPolicy: policy, StorageClassName: class.Name, VolumeMode: &mode, MountOptions: class.MountOptions,
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name,
				UID: claim.UID, ResourceVersion: claim.ResourceVersion,
			},
			PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: driver, VolumeHandle: id, FSType: filesystem}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{zone}}},
			}}}},
		},
	}
	_, err = c.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{FieldManager: "csi-provisioner"})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err == nil {
		c.log.Info("volume provisioned", "cluster", c.cluster, "claim", claim.Namespace+"/"+claim.Name, "volume", id, "zone", zone)
	}
	return err
}

// reclaim takes away a volume whose claim is gone, if its policy says so.
func (c *Controller) reclaim(ctx context.Context, volume *corev1.PersistentVolume) error {
	if volume.Spec.CSI == nil || volume.Spec.CSI.Driver != driver || volume.Annotations[provisionedBy] != driver {
		return nil
	}
	if volume.Status.Phase != corev1.VolumeReleased || volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
		return nil
	}
	if err := c.deleteDisk(ctx, volume.Spec.CSI.VolumeHandle); err != nil {
		return err
	}
	err := c.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// attach confirms that a volume is attached.
func (c *Controller) attach(ctx context.Context, attachment *storagev1.VolumeAttachment) error {
	if attachment.Spec.Attacher != driver || attachment.Status.Attached || attachment.DeletionTimestamp != nil {
		return nil
	}
	_, err := c.client.StorageV1().VolumeAttachments().Patch(ctx, attachment.Name, types.MergePatchType,
		[]byte(`{"status":{"attached":true}}`), metav1.PatchOptions{FieldManager: "csi-attacher"}, "status")
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
