package controlplane

import (
	"context"
	"crypto/tls"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"net/http"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// adminName has all rights, as the kubeconfig has that kops exports.
var adminName = pkix.Name{CommonName: "sandbox", Organization: []string{"system:masters"}}

func (b *builder) adminConfig(ctx context.Context) (*rest.Config, error) {
	cert, err := b.pki.issue(ctx, "sandbox", certificate{signer: "kubernetes-ca", kind: "client", subject: adminName})
	if err != nil {
		return nil, err
	}
	return &rest.Config{
		Host: loopback(b.site.Ports.APIServer),
		TLSClientConfig: rest.TLSClientConfig{
			CAData: []byte(b.config.CAs["kubernetes-ca"]), CertFile: cert.cert, KeyFile: cert.key,
		},
		UserAgent: "sandboxd",
		// The server has its own priority and fairness.
		QPS: -1,
	}, nil
}

// kubeconfig writes a component's, with a certificate of its own.
func (b *builder) kubeconfig(ctx context.Context, component string, name pkix.Name) (string, error) {
	cert, err := b.pki.issue(ctx, component+"-client", certificate{signer: "kubernetes-ca", kind: "client", subject: name})
	if err != nil {
		return "", err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["sandbox"] = &clientcmdapi.Cluster{
		Server: loopback(b.site.Ports.APIServer), CertificateAuthorityData: []byte(b.config.CAs["kubernetes-ca"]),
	}
	config.AuthInfos["sandbox"] = &clientcmdapi.AuthInfo{ClientCertificate: cert.cert, ClientKey: cert.key}
	config.Contexts["sandbox"] = &clientcmdapi.Context{Cluster: "sandbox", AuthInfo: "sandbox"}
	config.CurrentContext = "sandbox"
	file := b.file(component + ".kubeconfig")
	return file, clientcmd.WriteToFile(*config, file)
}

// readyz asks the API server with the sandbox's own certificate: kops turns
// anonymous requests off.
func (b *builder) readyz() (func(context.Context) error, error) {
	client, err := rest.HTTPClientFor(b.admin)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return get(ctx, client, b.admin.Host+"/readyz") }, nil
}

// healthz asks a component that anybody may ask.
func (b *builder) healthz(port int) func(context.Context) error {
	// Loopback, and only whether it answers: no need to know the certificate.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	return func(ctx context.Context) error { return get(ctx, client, loopback(port)+"/healthz") }
}

func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}
