package controlplane

import (
	"context"
	"crypto/x509/pkix"
	"fmt"
	"path/filepath"
	"slices"

	"k8s.io/kops/pkg/flagbuilder"

	"platform/sandbox/internal/supervise"
)

// webhookPlugins call webhooks, which are pods here that run nothing: with
// failurePolicy Fail none of their objects could be written. Admission policies
// (CEL) stay on.
var webhookPlugins = []string{"MutatingAdmissionWebhook", "ValidatingAdmissionWebhook"}

// apiServer is what nodeup's KubeAPIServerBuilder makes.
func (b *builder) apiServer(ctx context.Context) (supervise.Process, error) {
	c := b.config.APIServerConfig.KubeAPIServer.DeepCopy()

	names, err := b.serverNames()
	if err != nil {
		return supervise.Process{}, err
	}
	server, err := b.pki.issue(ctx, "server", certificate{signer: "kubernetes-ca", kind: "server", subject: pkix.Name{CommonName: "kubernetes-master"}, names: names, withCA: true})
	if err != nil {
		return supervise.Process{}, err
	}
	kubelet, err := b.pki.issue(ctx, "kubelet-api", certificate{signer: "kubernetes-ca", kind: "client", subject: pkix.Name{CommonName: "kubelet-api"}})
	if err != nil {
		return supervise.Process{}, err
	}
	aggregator, err := b.pki.issue(ctx, "apiserver-aggregator", certificate{signer: "apiserver-aggregator-ca", kind: "client", subject: pkix.Name{CommonName: "aggregator"}})
	if err != nil {
		return supervise.Process{}, err
	}
	signingKey, err := b.pki.privateKey(ctx, "service-account")
	if err != nil {
		return supervise.Process{}, err
	}
	for file, content := range map[string]string{
		"ca.crt": b.config.CAs["kubernetes-ca"], "apiserver-aggregator-ca.crt": b.config.CAs["apiserver-aggregator-ca"],
		"service-account.pub": b.config.APIServerConfig.ServiceAccountPublicKeys,
	} {
		if err := b.pki.write(file, []byte(content)); err != nil {
			return supervise.Process{}, err
		}
	}

	c.BindAddress, c.SecurePort, c.AdvertiseAddress = "127.0.0.1", int32(b.site.Ports.APIServer), b.address
	c.EtcdServers, c.EtcdServersOverrides = []string{b.site.Etcd}, nil
	c.EtcdCAFile, c.EtcdCertFile, c.EtcdKeyFile = "", "", ""
	c.ClientCAFile = b.file("ca.crt")
	c.TLSCertFile, c.TLSPrivateKeyFile = server.cert, server.key
	c.KubeletClientCertificate, c.KubeletClientKey = kubelet.cert, kubelet.key
	c.ProxyClientCertFile, c.ProxyClientKeyFile = &aggregator.cert, &aggregator.key
	c.RequestheaderClientCAFile = b.file("apiserver-aggregator-ca.crt")
	c.ServiceAccountKeyFile = append(c.ServiceAccountKeyFile, b.file("service-account.pub"))
	c.ServiceAccountSigningKeyFile = &signingKey
	c.EnableAdmissionPlugins = slices.DeleteFunc(c.EnableAdmissionPlugins, func(name string) bool { return slices.Contains(webhookPlugins, name) })
	c.DisableAdmissionPlugins = append(c.DisableAdmissionPlugins, webhookPlugins...)
	// An authenticator that runs as a pod and a KMS that doesn't exist can't be
	// asked.
	c.AuthenticationTokenWebhookConfigFile, c.AuthorizationWebhookConfigFile = nil, nil
	c.EncryptionProviderConfig, c.ExperimentalEncryptionProviderConfig = nil, nil
	if c.AuditLogPath != nil && *c.AuditLogPath != "-" {
		path := filepath.Join(b.site.LogDir, b.site.Cluster+"-audit.log")
		c.AuditLogPath = &path
	}

	flags, err := flagbuilder.BuildFlagsList(c)
	if err != nil {
		return supervise.Process{}, fmt.Errorf("flags of %s: %w", apiServer, err)
	}
	flags = append(b.localPaths(flags), "--etcd-prefix="+EtcdPrefix(b.site.Cluster))
	ready, err := b.readyz()
	if err != nil {
		return supervise.Process{}, err
	}
	return b.process(apiServer, flags, ready), nil
}

// serverNames are the names that the API server answers to.
func (b *builder) serverNames() ([]string, error) {
	api := b.config.APIServerConfig
	service, err := firstAddress(api.KubeAPIServer.ServiceClusterIPRange)
	if err != nil {
		return nil, err
	}
	names := []string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + api.ClusterDNSDomain,
		"api." + b.site.Cluster, "api.internal." + b.site.Cluster, "localhost", "127.0.0.1", service, b.address,
	}
	if api.API.PublicName != "" {
		names = append(names, api.API.PublicName)
	}
	names = append(names, api.API.AdditionalSANs...)
	// The load balancer's name and addresses.
	return append(names, b.config.ApiserverAdditionalIPs...), nil
}
