package machine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"k8s.io/kops/pkg/apis/kops"
	"k8s.io/kops/pkg/apis/nodeup"
	"k8s.io/kops/util/pkg/vfs"
)

const base = "memfs://state/dev.example.net"

// write puts a file into kops' in-memory file system.
func write(t *testing.T, path, text string) {
	t.Helper()
	file, err := vfs.Context.BuildVfsPath(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.WriteFile(t.Context(), bytes.NewReader([]byte(text)), nil); err != nil {
		t.Fatal(err)
	}
}

// fleet gives a fleet whose EC2 knows one instance's user data, type and root
// volume.
func fleet(t *testing.T, userData []byte) *Fleet {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/xml")
		switch action := r.Form.Get("Action"); action {
		case "DescribeInstanceAttribute":
			fmt.Fprintf(w, `<DescribeInstanceAttributeResponse><instanceId>i-1</instanceId><userData><value>%s</value></userData></DescribeInstanceAttributeResponse>`,
				base64.StdEncoding.EncodeToString(userData))
		case "DescribeInstanceTypes":
			fmt.Fprint(w, `<DescribeInstanceTypesResponse><instanceTypeSet><item><instanceType>t3.large</instanceType><vCpuInfo><defaultVCpus>2</defaultVCpus></vCpuInfo><memoryInfo><sizeInMiB>8192</sizeInMiB></memoryInfo></item></instanceTypeSet></DescribeInstanceTypesResponse>`)
		case "DescribeVolumes":
			fmt.Fprint(w, `<DescribeVolumesResponse><volumeSet><item><volumeId>vol-1</volumeId><size>64</size></item></volumeSet></DescribeVolumesResponse>`)
		default:
			t.Errorf("unexpected action %s", action)
		}
	}))
	t.Cleanup(server.Close)
	return NewFleet(aws.Config{
		Region: "eu-central-1", BaseEndpoint: aws.String(server.URL),
		Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	})
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func TestBoot(t *testing.T) {
	vfs.Context.ResetMemfsContext(true)
	const nodeConfig = "KubernetesVersion: 1.36.1\nKubeletConfig: {}\n"
	const controlPlaneConfig = "KubernetesVersion: 1.35.4\nKubeletConfig: {}\netcdManifests:\n- " + base + "/manifests/etcd/main-control-plane.yaml\n"
	write(t, base+"/igconfig/node/nodes/nodeupconfig.yaml", nodeConfig)
	write(t, base+"/igconfig/control-plane/control-plane/nodeupconfig.yaml", controlPlaneConfig)
	write(t, base+"/manifests/etcd/main-control-plane.yaml", "kind: Pod\n")

	at := base
	node := nodeup.BootConfig{
		InstanceGroupName: "nodes", InstanceGroupRole: kops.InstanceGroupRoleNode, NodeupConfigHash: hash(nodeConfig),
		ConfigServer: &nodeup.ConfigServerOptions{Servers: []string{"https://kops-controller.internal.dev.example.net:3988/"}},
	}
	stale := node
	stale.NodeupConfigHash = hash("older")
	controlPlane := nodeup.BootConfig{
		InstanceGroupName: "control-plane", InstanceGroupRole: kops.InstanceGroupRoleControlPlane, ConfigBase: &at,
		NodeupConfigHash: hash(controlPlaneConfig),
	}
	missing := controlPlane
	missing.InstanceGroupName = "other"
	nowhere := controlPlane
	nowhere.ConfigBase = nil

	tests := []struct {
		name       string
		config     nodeup.BootConfig
		serverBase string
		version    string
		pods       int
		err        string
		is         error
	}{
		{name: "a node asks a control plane", config: node, serverBase: base, version: "1.36.1"},
		{name: "a node without a control plane waits", config: node, is: ErrNoControlPlane},
		{name: "a control plane reads the state store", config: controlPlane, version: "1.35.4", pods: 1},
		{name: "not what it was made for", config: stale, serverBase: base, err: "isn't what this machine was made for"},
		{name: "no configuration", config: missing, err: "other/nodeupconfig.yaml"},
		{name: "no state store", config: nowhere, err: "neither a state store nor a control plane"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := fleet(t, kopsUserData(t, &test.config, false))
			boot, err := f.Boot(t.Context(), Machine{ID: "i-1", Type: "t3.large", RootVolume: "vol-1"}, test.serverBase)
			if test.err != "" || test.is != nil {
				if err == nil || (test.is != nil && !errors.Is(err, test.is)) || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("got %v, want %s %v", err, test.err, test.is)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			config, err := boot.Config()
			if err != nil || config.KubernetesVersion != test.version {
				t.Errorf("version %v, %v; want %s", config, err, test.version)
			}
			if !boot.Joins || boot.ConfigBase != base || len(boot.StaticPods) != test.pods {
				t.Errorf("boot %+v", boot)
			}
			if want := (Size{CPUs: 2, MemoryBytes: 8 << 30, DiskBytes: 64 << 30}); boot.Size != want {
				t.Errorf("size %+v, want %+v", boot.Size, want)
			}
		})
	}

	t.Run("a bastion joins nothing", func(t *testing.T) {
		boot, err := fleet(t, []byte("#!/bin/sh\n")).Boot(t.Context(), Machine{ID: "i-1"}, "")
		if err != nil || boot.Joins {
			t.Errorf("boot %+v, %v", boot, err)
		}
	})
}

func TestStoreRemembers(t *testing.T) {
	dir := t.TempDir()
	store, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, boot := range []*Boot{
		{Machine: Machine{ID: "i-1", Cluster: "dev.example.net"}, Role: kops.InstanceGroupRoleControlPlane, NodeupConfig: "KubernetesVersion: 1.36.1\n"},
		{Machine: Machine{ID: "i-2", Cluster: "web.example.net"}},
	} {
		if err := store.Put(boot); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Forget("i-2"); err != nil {
		t.Fatal(err)
	}
	if err := store.Forget("i-3"); err != nil {
		t.Errorf("forgetting what isn't known: %v", err)
	}
	again, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	boots := again.Of("dev.example.net")
	if len(boots) != 1 || again.Get("i-2") != nil {
		t.Fatalf("remembered %v, %v", boots, again.Get("i-2"))
	}
	if config, err := boots[0].Config(); err != nil || config.KubernetesVersion != "1.36.1" || !boots[0].ControlPlane() {
		t.Errorf("remembered %+v, %v", boots[0], err)
	}
}

func TestListMachines(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<DescribeInstancesResponse><reservationSet><item><instancesSet><item>
			<instanceId>i-1</instanceId><instanceType>m6g.large</instanceType><architecture>arm64</architecture><instanceLifecycle>spot</instanceLifecycle>
			<placement><availabilityZone>eu-central-1b</availabilityZone></placement><privateIpAddress>10.0.0.7</privateIpAddress>
			<rootDeviceName>/dev/sda1</rootDeviceName><blockDeviceMapping>
			<item><deviceName>/dev/sdf</deviceName><ebs><volumeId>vol-2</volumeId></ebs></item>
			<item><deviceName>/dev/sda1</deviceName><ebs><volumeId>vol-1</volumeId></ebs></item></blockDeviceMapping>
			<tagSet><item><key>KubernetesCluster</key><value>dev.example.net</value></item></tagSet>
			</item></instancesSet></item></reservationSet></DescribeInstancesResponse>`)
	}))
	defer server.Close()
	machines, err := NewFleet(aws.Config{
		Region: "eu-central-1", BaseEndpoint: aws.String(server.URL),
		Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
	}).List(context.Background())
	if err != nil || len(machines) != 1 {
		t.Fatal(machines, err)
	}
	m := machines[0]
	if m.ID != "i-1" || m.Cluster != "dev.example.net" || m.Arch != "arm64" || m.Lifecycle != "spot" || m.Zone != "eu-central-1b" ||
		m.Region != "eu-central-1" || m.PrivateIP != "10.0.0.7" || m.RootVolume != "vol-1" {
		t.Errorf("got %+v", m)
	}
}
