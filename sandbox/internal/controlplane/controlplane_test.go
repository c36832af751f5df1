package controlplane

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/kops/pkg/apis/kops"
	"k8s.io/kops/pkg/apis/nodeup"
	"k8s.io/kops/pkg/pki"
	"k8s.io/kops/upup/pkg/fi"
	"k8s.io/kops/util/pkg/vfs"

	"platform/sandbox/internal/supervise"
)

const (
	keyStore = "memfs://state/dev.example.net/pki"
	balancer = "api-dev-example-net-1.elb.eu-central-1.amazonaws.com"
	issuer   = "https://example-net-kops-oidc.s3.eu-central-1.amazonaws.com/dev.example.net"
)

// storeKeyset makes a CA in a key store laid out by kops.
func storeKeyset(t *testing.T, name string) *fi.Keyset {
	t.Helper()
	cert, key, _, err := pki.IssueCert(t.Context(), &pki.IssueCertRequest{Type: "ca", Subject: pkix.Name{CommonName: name}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	keyset, err := fi.NewKeyset(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	base, err := vfs.Context.BuildVfsPath(keyStore)
	if err != nil {
		t.Fatal(err)
	}
	if err := fi.NewVFSCAStore(&kops.Cluster{}, base).StoreKeyset(t.Context(), name, keyset); err != nil {
		t.Fatal(err)
	}
	return keyset
}

func pem1(t *testing.T, keyset *fi.Keyset) string {
	t.Helper()
	data, err := keyset.ToCertificateBytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func config(t *testing.T) *nodeup.Config {
	t.Helper()
	vfs.Context.ResetMemfsContext(true)
	ca, aggregator, serviceAccount := storeKeyset(t, "kubernetes-ca"), storeKeyset(t, "apiserver-aggregator-ca"), storeKeyset(t, "service-account")
	publicKeys, err := serviceAccount.ToPublicKeys()
	if err != nil {
		t.Fatal(err)
	}
	yes, rbac, policy, audit := true, "Node,RBAC", "/srv/kubernetes/audit.yaml", "/var/log/kube-apiserver-audit.log"
	webhook := "/etc/kubernetes/authn.config"
	issuer := issuer
	return &nodeup.Config{
		KubernetesVersion: "1.36.1",
		CAs:               map[string]string{"kubernetes-ca": pem1(t, ca), "apiserver-aggregator-ca": pem1(t, aggregator)},
		KeypairIDs: map[string]string{
			"kubernetes-ca": ca.Primary.Id, "apiserver-aggregator-ca": aggregator.Primary.Id, "service-account": serviceAccount.Primary.Id,
		},
		ConfigStore:            &kops.ConfigStoreSpec{Keypairs: keyStore},
		ApiserverAdditionalIPs: []string{balancer, "10.20.32.9"},
		APIServerConfig: &nodeup.APIServerConfig{
			ClusterDNSDomain: "cluster.local", ServiceAccountPublicKeys: publicKeys,
			KubeAPIServer: &kops.KubeAPIServerConfig{
				ServiceClusterIPRange: "100.64.0.0/13", ServiceAccountIssuer: &issuer, AuthorizationMode: &rbac, AllowPrivileged: &yes,
				EtcdServers: []string{"https://127.0.0.1:4001"}, EtcdServersOverrides: []string{"/events#https://127.0.0.1:4002"},
				BindAddress: "0.0.0.0", SecurePort: 443,
				EnableAdmissionPlugins: []string{"NodeRestriction", "MutatingAdmissionWebhook", "ValidatingAdmissionPolicy", "ValidatingAdmissionWebhook"},
				AuditPolicyFile:        policy, AuditLogPath: &audit, AuthenticationTokenWebhookConfigFile: &webhook,
			},
		},
		ControlPlaneConfig: &nodeup.ControlPlaneConfig{
			KubeControllerManager: kops.KubeControllerManagerConfig{ClusterCIDR: "100.96.0.0/11", LeaderElection: &kops.LeaderElectionConfiguration{LeaderElect: &yes}},
			KubeScheduler:         kops.KubeSchedulerConfig{LeaderElection: &kops.LeaderElectionConfiguration{LeaderElect: &yes}},
		},
		FileAssets: []kops.FileAssetSpec{
			{Path: policy, Content: "apiVersion: audit.k8s.io/v1\n"},
			{Path: kubeSchedulerConfig, Content: "clientConnection:\n  kubeconfig: " + kubeSchedulerKubeconfig + "\nprofiles: []\n"},
		},
	}
}

func site(t *testing.T) Site {
	t.Helper()
	stages := t.TempDir()
	for _, name := range []string{"a.yaml", "b.yaml"} {
		if err := os.WriteFile(filepath.Join(stages, name), []byte("kind: Stage # "+name+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Site{
		Cluster: "dev.example.net", Dir: filepath.Join(t.TempDir(), "controlplane"), Binary: "/bin/controlplane-1.36.1",
		KWOK: "/bin/kwok", Stages: []string{stages}, Etcd: "http://127.0.0.1:2379", LogDir: "/logs",
		Ports: Ports{APIServer: 1001, KWOK: 1002, ControllerManager: 1003, Scheduler: 1004},
	}
}

// flag gives the values of a flag.
func flag(p supervise.Process, name string) []string {
	var out []string
	for _, argument := range p.Command {
		if value, ok := strings.CutPrefix(argument, "--"+name+"="); ok {
			out = append(out, value)
		}
	}
	return out
}

func TestPrepare(t *testing.T) {
	s := site(t)
	plane, err := Prepare(t.Context(), s, config(t), "10.20.32.5")
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]supervise.Process{}
	var order []string
	for _, p := range plane.Processes {
		byName[p.Name] = p
		order = append(order, p.Name)
	}
	const api = "dev.example.net/kube-apiserver"
	if want := []string{api, "dev.example.net/kwok", "dev.example.net/kube-controller-manager", "dev.example.net/kube-scheduler"}; !slices.Equal(order, want) {
		t.Fatalf("processes %v, want %v", order, want)
	}
	for name, p := range byName {
		if (name == api) == slices.Contains(p.After, api) {
			t.Errorf("%s comes after %v", name, p.After)
		}
	}
	tests := []struct {
		process, flag string
		want          []string
	}{
		{api, "bind-address", []string{"127.0.0.1"}},
		{api, "secure-port", []string{"1001"}},
		{api, "advertise-address", []string{"10.20.32.5"}},
		{api, "etcd-servers", []string{"http://127.0.0.1:2379"}},
		{api, "etcd-prefix", []string{"/registry-dev.example.net"}},
		{api, "etcd-servers-overrides", nil},
		{api, "etcd-cafile", nil},
		{api, "service-account-issuer", []string{issuer}},
		{api, "authorization-mode", []string{"Node,RBAC"}},
		{api, "service-cluster-ip-range", []string{"100.64.0.0/13"}},
		{api, "enable-admission-plugins", []string{"NodeRestriction,ValidatingAdmissionPolicy"}},
		{api, "disable-admission-plugins", []string{"MutatingAdmissionWebhook,ValidatingAdmissionWebhook"}},
		{api, "audit-policy-file", []string{s.Dir + "/root/srv/kubernetes/audit.yaml"}},
		{api, "audit-log-path", []string{"/logs/dev.example.net-audit.log"}},
		{api, "authentication-token-webhook-config-file", nil},
		{"dev.example.net/kube-controller-manager", "secure-port", []string{"1003"}},
		{"dev.example.net/kube-controller-manager", "leader-elect", []string{"false"}},
		{"dev.example.net/kube-controller-manager", "cluster-cidr", []string{"100.96.0.0/11"}},
		{"dev.example.net/kube-scheduler", "secure-port", []string{"1004"}},
		{"dev.example.net/kube-scheduler", "leader-elect", []string{"false"}},
		{"dev.example.net/kwok", "server-address", []string{"127.0.0.1:1002"}},
		{"dev.example.net/kwok", "cidr", []string{"100.96.0.0/11"}},
	}
	for _, test := range tests {
		if got := flag(byName[test.process], test.flag); !slices.Equal(got, test.want) {
			t.Errorf("%s: --%s is %q, want %q", test.process, test.flag, got, test.want)
		}
	}
	for name, want := range map[string]string{
		"kube-scheduler-config.yaml": "clientConnection:\n  kubeconfig: " + s.Dir + "/kube-scheduler.kubeconfig\nprofiles: []\n",
		"kwok-stages.yaml":           "kind: Stage # a.yaml\n\n---\nkind: Stage # b.yaml\n",
	} {
		if got, err := os.ReadFile(filepath.Join(s.Dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	kubeconfig, err := clientcmd.LoadFromFile(filepath.Join(s.Dir, "kwok.kubeconfig"))
	if err != nil || kubeconfig.Clusters["sandbox"].Server != "https://127.0.0.1:1001" {
		t.Errorf("kubeconfig %v, %v", kubeconfig, err)
	}
}

// The API server is trusted by whoever trusts the CA in kops' state store, by
// all the names it has.
func TestCertificates(t *testing.T) {
	s, c := site(t), config(t)
	if _, err := Prepare(t.Context(), s, c, "10.20.32.5"); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(c.CAs["kubernetes-ca"]))
	load := func(name string) *x509.Certificate {
		pair, err := tls.LoadX509KeyPair(filepath.Join(s.Dir, name+".crt"), filepath.Join(s.Dir, name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	server := load("server")
	for _, name := range []string{
		balancer, "10.20.32.9", "10.20.32.5", "api.dev.example.net", "api.internal.dev.example.net", "kubernetes.default.svc.cluster.local",
		"100.64.0.1", "127.0.0.1", "localhost",
	} {
		if _, err := server.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
			t.Errorf("the API server as %s: %v", name, err)
		}
	}
	if _, err := server.Verify(x509.VerifyOptions{DNSName: "api.web.example.net", Roots: roots}); err == nil {
		t.Error("the API server is also another cluster's")
	}
	client := x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for name, want := range map[string]string{
		"kube-scheduler-client": "system:kube-scheduler", "kube-controller-manager-client": "system:kube-controller-manager", "kubelet-api": "kubelet-api",
	} {
		cert := load(name)
		if _, err := cert.Verify(client); err != nil || cert.Subject.CommonName != want {
			t.Errorf("%s is %s, %v; want %s", name, cert.Subject.CommonName, err, want)
		}
	}
	if got := load("sandbox").Subject.Organization; !slices.Equal(got, []string{"system:masters"}) {
		t.Errorf("sandbox is in %v", got)
	}
	key, err := os.ReadFile(filepath.Join(s.Dir, "service-account.key"))
	if block, _ := pem.Decode(key); err != nil || block == nil || !strings.Contains(block.Type, "PRIVATE KEY") {
		t.Errorf("service-account.key: %v", err)
	}
	public, err := os.ReadFile(filepath.Join(s.Dir, "service-account.pub"))
	if err != nil || !bytes.Equal(public, []byte(c.APIServerConfig.ServiceAccountPublicKeys)) {
		t.Errorf("service-account.pub: %v", err)
	}
}

func TestPrepareRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*nodeup.Config, *Site)
		err    string
	}{
		{"a node's configuration", func(c *nodeup.Config, _ *Site) { c.APIServerConfig = nil }, "isn't a control plane's"},
		{"a keypair that was removed", func(c *nodeup.Config, _ *Site) { c.KeypairIDs["kubernetes-ca"] = "1" }, "keypair 1 is no longer in the keyset kubernetes-ca"},
		{"an empty key store", func(c *nodeup.Config, _ *Site) { c.ConfigStore.Keypairs = "memfs://state/other/pki" }, "kubernetes-ca"},
		{"no stages", func(_ *nodeup.Config, s *Site) { s.Stages = []string{"/nonexistent"} }, "run make sandbox"},
		{"a broken range", func(c *nodeup.Config, _ *Site) { c.APIServerConfig.KubeAPIServer.ServiceClusterIPRange = "x" }, "the services' range"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, s := config(t), site(t)
			test.change(c, &s)
			if _, err := Prepare(context.Background(), s, c, "10.20.32.5"); err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %v, want %s", err, test.err)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	base := config(t)
	of := func(change func(*nodeup.Config)) string {
		c := *base
		api := *base.APIServerConfig
		c.APIServerConfig = &api
		change(&c)
		got, err := Fingerprint(&c)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	same := of(func(*nodeup.Config) {})
	if same != of(func(c *nodeup.Config) { c.EtcdManifests = []string{"another zone's"} }) {
		t.Error("what differs between the machines of one control plane counts")
	}
	for name, change := range map[string]func(*nodeup.Config){
		"version": func(c *nodeup.Config) { c.KubernetesVersion = "1.35.4" },
		"flags":   func(c *nodeup.Config) { c.APIServerConfig.KubeAPIServer = &kops.KubeAPIServerConfig{} },
		"keys":    func(c *nodeup.Config) { c.KeypairIDs = map[string]string{"kubernetes-ca": "2"} },
	} {
		if same == of(change) {
			t.Errorf("another %s doesn't count", name)
		}
	}
}
