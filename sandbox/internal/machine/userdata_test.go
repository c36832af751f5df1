package machine

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/kops/pkg/apis/kops"
	"k8s.io/kops/pkg/apis/nodeup"
	"k8s.io/kops/pkg/model/resources"
	"k8s.io/kops/upup/pkg/fi"
)

// kopsUserData is made by kops itself: a kops that makes it otherwise fails here.
func kopsUserData(t *testing.T, config *nodeup.BootConfig, compress bool, additional ...kops.UserData) []byte {
	t.Helper()
	script, err := (&resources.NodeUpScript{BootConfig: config, CompressUserData: compress, CloudProvider: "aws"}).Build()
	if err != nil {
		t.Fatal(err)
	}
	text, err := fi.ResourceAsString(script)
	if err != nil {
		t.Fatal(err)
	}
	group := &kops.InstanceGroup{Spec: kops.InstanceGroupSpec{Role: config.InstanceGroupRole, AdditionalUserData: additional}}
	userData, err := resources.AWSMultipartMIME(text, group)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(userData)
}

func TestParseUserData(t *testing.T) {
	base := "s3://state/dev.example.net"
	boot := &nodeup.BootConfig{
		CloudProvider: kops.CloudProviderAWS, ClusterName: "dev.example.net", ConfigBase: &base,
		InstanceGroupName: "nodes", InstanceGroupRole: kops.InstanceGroupRoleNode, NodeupConfigHash: "hash=",
	}
	extra := kops.UserData{Name: "extra.sh", Type: "text/x-shellscript", Content: "#!/bin/sh\ncat > conf/kube_env.yaml << '__EOF_KUBE_ENV'\nClusterName: other\n__EOF_KUBE_ENV\n"}
	tests := []struct {
		name     string
		userData []byte
	}{
		{"plain", kopsUserData(t, boot, false)},
		{"compressed", kopsUserData(t, boot, true)},
		{"with others", kopsUserData(t, boot, false, extra)},
		{"compressed with others", kopsUserData(t, boot, true, extra)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseUserData(test.userData)
			if err != nil {
				t.Fatal(err)
			}
			if got.ClusterName != boot.ClusterName || *got.ConfigBase != base || got.InstanceGroupName != "nodes" ||
				got.InstanceGroupRole != kops.InstanceGroupRoleNode || got.NodeupConfigHash != "hash=" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestParseUserDataThatIsNotKops(t *testing.T) {
	bastion := &nodeup.BootConfig{InstanceGroupRole: kops.InstanceGroupRoleBastion}
	tests := []struct {
		name     string
		userData string
		want     error
		text     string
	}{
		{"none", "", errNotKops, ""},
		{"a person's", "#!/bin/sh\necho hello\n", errNotKops, ""},
		{"a bastion's", string(kopsUserData(t, bastion, false, kops.UserData{Name: "a.sh", Type: "text/x-shellscript", Content: "echo"})), errNotKops, ""},
		{"broken base64", `echo "=" | base64 -d | gzip -d > conf/kube_env.yaml`, nil, "decoding kube_env.yaml"},
		{"broken gzip", `echo "aGVsbG8=" | base64 -d | gzip -d > conf/kube_env.yaml`, nil, "decompressing kube_env.yaml"},
		{"broken YAML", "cat > conf/kube_env.yaml << '__EOF_KUBE_ENV'\n{\n__EOF_KUBE_ENV\n", nil, "parsing kube_env.yaml"},
		{"broken MIME", "Content-Type: multipart/mixed; boundary=\"\r\n\r\n", nil, "parsing the user data"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseUserData([]byte(test.userData))
			if err == nil || (test.want != nil && !errors.Is(err, test.want)) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want %v %s", err, test.want, test.text)
			}
		})
	}
}
