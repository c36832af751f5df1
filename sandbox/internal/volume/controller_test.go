package volume

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
)

// disks is as much of EC2 as volumes need.
type disks struct {
	mu      sync.Mutex
	made    []string // zone, size, type
	deleted []string
}

func (d *disks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = r.ParseForm()
	switch r.Form.Get("Action") {
	case "DescribeVolumes":
		// What the controller asks for is the one volume that this test makes.
		found := ""
		if len(d.made) > len(d.deleted) {
			found = fmt.Sprintf(`<item><volumeId>vol-%d</volumeId></item>`, len(d.made))
		}
		fmt.Fprintf(w, `<DescribeVolumesResponse><volumeSet>%s</volumeSet></DescribeVolumesResponse>`, found)
	case "CreateVolume":
		d.made = append(d.made, strings.Join([]string{r.Form.Get("AvailabilityZone"), r.Form.Get("Size"), r.Form.Get("VolumeType"), r.Form.Get("Encrypted")}, " "))
		fmt.Fprintf(w, `<CreateVolumeResponse><volumeId>vol-%d</volumeId></CreateVolumeResponse>`, len(d.made))
	case "DeleteVolume":
		d.deleted = append(d.deleted, r.Form.Get("VolumeId"))
		fmt.Fprint(w, `<DeleteVolumeResponse><return>true</return></DeleteVolumeResponse>`)
	}
}

func (d *disks) get() (made, deleted []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.made), slices.Clone(d.deleted)
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

func claim(name, class, node string) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "t", Name: name, UID: types.UID("u-" + name)},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &class, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1500Mi")}},
		},
		Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending},
	}
	if node != "" {
		c.Annotations = map[string]string{selectedNode: node}
	}
	return c
}

func TestVolumes(t *testing.T) {
	waits := storagev1.VolumeBindingWaitForFirstConsumer
	client := fake.NewClientset(
		&storagev1.StorageClass{
			ObjectMeta: metav1.ObjectMeta{Name: "ebs"}, Provisioner: driver, VolumeBindingMode: &waits,
			Parameters: map[string]string{"type": "gp3", "encrypted": "true"},
		},
		&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "other"}, Provisioner: "example.net/other"},
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "i-1", Labels: map[string]string{corev1.LabelTopologyZone: "eu-central-1b"}}},
	)
	cloud := &disks{}
	server := httptest.NewServer(cloud)
	defer server.Close()
	controller := New("dev.example.net", client, ec2.New(ec2.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
	}), slog.New(slog.DiscardHandler))
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	running.Go(func() { controller.Run(ctx) })

	claims := client.CoreV1().PersistentVolumeClaims("t")
	for _, c := range []*corev1.PersistentVolumeClaim{claim("waits", "ebs", ""), claim("others", "other", "i-1")} {
		if _, err := claims.Create(ctx, c, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := claims.Create(ctx, claim("data", "ebs", "i-1"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	volumes := client.CoreV1().PersistentVolumes()
	var volume *corev1.PersistentVolume
	eventually(t, "a volume for the claim with a node", func() bool {
		var err error
		volume, err = volumes.Get(ctx, "pvc-u-data", metav1.GetOptions{})
		return err == nil
	})
	if ref := volume.Spec.ClaimRef; ref.Name != "data" || ref.Namespace != "t" || ref.UID != "u-data" {
		t.Errorf("claimed by %+v", ref)
	}
	if csi := volume.Spec.CSI; csi == nil || csi.Driver != driver || csi.VolumeHandle != "vol-1" {
		t.Errorf("source %+v", volume.Spec.PersistentVolumeSource)
	}
	if zone := volume.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0].Values[0]; zone != "eu-central-1b" {
		t.Errorf("zone %s", zone)
	}
	if made, _ := cloud.get(); !slices.Equal(made, []string{"eu-central-1b 2 gp3 true"}) {
		t.Errorf("EC2 volumes %q", made)
	}

	attachment := &storagev1.VolumeAttachment{
		ObjectMeta: metav1.ObjectMeta{Name: "a"},
		Spec:       storagev1.VolumeAttachmentSpec{Attacher: driver, NodeName: "i-1", Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: &volume.Name}},
	}
	if _, err := client.StorageV1().VolumeAttachments().Create(ctx, attachment, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the attachment attached", func() bool {
		got, err := client.StorageV1().VolumeAttachments().Get(ctx, "a", metav1.GetOptions{})
		return err == nil && got.Status.Attached
	})

	// Its claim is gone: what Kubernetes makes of the volume then.
	volume.Status.Phase = corev1.VolumeReleased
	if err := claims.Delete(ctx, "data", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := volumes.Update(ctx, volume, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the volume gone", func() bool {
		list, err := volumes.List(ctx, metav1.ListOptions{})
		return err == nil && len(list.Items) == 0
	})
	if _, deleted := cloud.get(); !slices.Contains(deleted, "vol-1") {
		t.Errorf("deleted EC2 volumes %q", deleted)
	}
}

func TestGibibytes(t *testing.T) {
	for bytes, want := range map[int64]int32{0: 1, 1: 1, 1 << 30: 1, 1<<30 + 1: 2, 5 << 30: 5} {
		if got := gibibytes(bytes); got != want {
			t.Errorf("%d bytes: %d GiB, want %d", bytes, got, want)
		}
	}
}
