package controlplane

import (
	"context"
	"crypto/x509/pkix"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kops/pkg/apis/kops"
	"k8s.io/kops/pkg/flagbuilder"

	"platform/sandbox/internal/supervise"
)

// kubeSchedulerConfig and kubeSchedulerKubeconfig are where kops puts the
// scheduler's files on a machine.
const (
	kubeSchedulerConfig     = "/var/lib/kube-scheduler/config.yaml"
	kubeSchedulerKubeconfig = "/var/lib/kube-scheduler/kubeconfig"
)

// There is one of each per cluster: nobody to elect a leader from, and no wait
// for a dead leader's lease to run out after a restart.
func noElection() *kops.LeaderElectionConfiguration {
	never := false
	return &kops.LeaderElectionConfiguration{LeaderElect: &never}
}

// controllerManager is what nodeup's KubeControllerManagerBuilder makes.
func (b *builder) controllerManager(ctx context.Context) (supervise.Process, error) {
	c := b.config.ControlPlaneConfig.KubeControllerManager.DeepCopy()
	ca, err := b.pki.keypair(ctx, "kubernetes-ca")
	if err != nil {
		return supervise.Process{}, err
	}
	server, err := b.pki.issue(ctx, "kube-controller-manager-server", certificate{
		signer: "kubernetes-ca", kind: "server", subject: pkix.Name{CommonName: controllerManager}, names: []string{"127.0.0.1"},
	})
	if err != nil {
		return supervise.Process{}, err
	}
	kubeconfig, err := b.kubeconfig(ctx, controllerManager, pkix.Name{CommonName: "system:kube-controller-manager"})
	if err != nil {
		return supervise.Process{}, err
	}
	c.RootCAFile = b.file("ca.crt")
	c.ServiceAccountPrivateKeyFile = b.file("service-account.key")
	c.TLSCertFile, c.TLSPrivateKeyFile = &server.cert, server.key
	c.LeaderElection = noElection()
	flags, err := flagbuilder.BuildFlagsList(c)
	if err != nil {
		return supervise.Process{}, fmt.Errorf("flags of %s: %w", controllerManager, err)
	}
	for _, prefix := range []string{"", "authentication-", "authorization-"} {
		flags = append(flags, "--"+prefix+"kubeconfig="+kubeconfig)
	}
	flags = append(b.localPaths(flags),
		"--cluster-signing-cert-file="+ca.cert, "--cluster-signing-key-file="+ca.key,
		"--flex-volume-plugin-dir="+b.file("volume-plugins"),
		"--bind-address=127.0.0.1", "--secure-port="+strconv.Itoa(b.site.Ports.ControllerManager))
	return b.process(controllerManager, flags, b.healthz(b.site.Ports.ControllerManager)), nil
}

// scheduler is what nodeup's KubeSchedulerBuilder makes.
func (b *builder) scheduler(ctx context.Context) (supervise.Process, error) {
	c := b.config.ControlPlaneConfig.KubeScheduler.DeepCopy()
	server, err := b.pki.issue(ctx, "kube-scheduler-server", certificate{
		signer: "kubernetes-ca", kind: "server", subject: pkix.Name{CommonName: scheduler}, names: []string{"127.0.0.1"},
	})
	if err != nil {
		return supervise.Process{}, err
	}
	kubeconfig, err := b.kubeconfig(ctx, scheduler, pkix.Name{CommonName: "system:kube-scheduler"})
	if err != nil {
		return supervise.Process{}, err
	}
	config, err := b.schedulerConfig(kubeconfig)
	if err != nil {
		return supervise.Process{}, err
	}
	c.TLSCertFile, c.TLSPrivateKeyFile = &server.cert, server.key
	c.LeaderElection = noElection()
	flags, err := flagbuilder.BuildFlagsList(c)
	if err != nil {
		return supervise.Process{}, fmt.Errorf("flags of %s: %w", scheduler, err)
	}
	flags = append(b.localPaths(flags), "--config="+config,
		"--authentication-kubeconfig="+kubeconfig, "--authorization-kubeconfig="+kubeconfig,
		"--authentication-tolerate-lookup-failure=false",
		"--bind-address=127.0.0.1", "--secure-port="+strconv.Itoa(b.site.Ports.Scheduler))
	return b.process(scheduler, flags, b.healthz(b.site.Ports.Scheduler)), nil
}

// schedulerConfig is the scheduler's configuration as kops wrote it, with the
// kubeconfig of this machine.
func (b *builder) schedulerConfig(kubeconfig string) (string, error) {
	text := "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nclientConnection:\n  kubeconfig: " + kubeSchedulerKubeconfig + "\n"
	if file, ok := b.assets[kubeSchedulerConfig]; ok {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		text = string(data)
	}
	file := b.file("kube-scheduler-config.yaml")
	return file, os.WriteFile(file, []byte(strings.ReplaceAll(text, kubeSchedulerKubeconfig, kubeconfig)), 0o600)
}

// kwok stands in for every node's kubelet.
func (b *builder) kwok(ctx context.Context) (supervise.Process, error) {
	kubeconfig, err := b.kubeconfig(ctx, kwok, adminName)
	if err != nil {
		return supervise.Process{}, err
	}
	stages, err := b.stages()
	if err != nil {
		return supervise.Process{}, err
	}
	port := strconv.Itoa(b.site.Ports.KWOK)
	flags := []string{
		"--kubeconfig=" + kubeconfig, "--config=" + stages, "--manage-all-nodes=true",
		// As kubelets hold theirs.
		"--node-lease-duration-seconds=40",
		"--server-address=127.0.0.1:" + port,
		// Otherwise a line for every lease that is renewed.
		"--v=WARN",
	}
	if cidr := b.config.ControlPlaneConfig.KubeControllerManager.ClusterCIDR; cidr != "" {
		flags = append(flags, "--cidr="+cidr)
	}
	p := b.process(kwok, flags, func(ctx context.Context) error {
		return get(ctx, http.DefaultClient, "http://127.0.0.1:"+port+"/healthz")
	})
	p.Command = append([]string{b.site.KWOK}, flags...)
	p.Before, err = b.releaseLeases()
	return p, err
}

// releaseLeases takes away the leases of the nodes. Each run of KWOK has a name
// of its own and waits until the lease of the one before has run out, 40 s in
// which no pod would start or end.
func (b *builder) releaseLeases() (func(context.Context) error, error) {
	client, err := kubernetes.NewForConfig(b.admin)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return client.CoordinationV1().Leases(corev1.NamespaceNodeLease).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
	}, nil
}

// stages joins the stages of all folders into one file.
func (b *builder) stages() (string, error) {
	var documents []string
	for _, dir := range b.site.Stages {
		files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
		if err != nil {
			return "", err
		}
		if len(files) == 0 {
			return "", fmt.Errorf("no KWOK stages in %s: run make sandbox", dir)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			documents = append(documents, string(data))
		}
	}
	file := b.file("kwok-stages.yaml")
	return file, os.WriteFile(file, []byte(strings.Join(documents, "\n---\n")), 0o600)
}
