package kops

import (
	"fmt"
	"net/http"
	"net/url"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// RESTConfig is the connection as client-go takes it.
func (c *Connection) RESTConfig() (*rest.Config, error) {
	config := &rest.Config{
		Host: c.Server,
		TLSClientConfig: rest.TLSClientConfig{
			ServerName: c.TLSServerName, CAData: c.CA, CertData: c.ClientCert, KeyData: c.ClientKey,
		},
	}
	if c.Proxy != "" {
		proxy, err := url.Parse(c.Proxy)
		if err != nil {
			return nil, fmt.Errorf("the API's proxy %q: %w", c.Proxy, err)
		}
		config.Proxy = http.ProxyURL(proxy)
	}
	return config, nil
}

// WriteKubeconfig puts the connection into the kubeconfig at path under the
// cluster's name and makes it the current context. What else is in the file
// stays.
func (c *Connection) WriteKubeconfig(path string) error {
	access := pathOptions(path)
	config, err := access.GetStartingConfig()
	if err != nil {
		return fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	config.Clusters[c.Name] = &clientcmdapi.Cluster{
		Server: c.Server, TLSServerName: c.TLSServerName, CertificateAuthorityData: c.CA, ProxyURL: c.Proxy,
	}
	config.AuthInfos[c.Name] = &clientcmdapi.AuthInfo{ClientCertificateData: c.ClientCert, ClientKeyData: c.ClientKey}
	config.Contexts[c.Name] = &clientcmdapi.Context{Cluster: c.Name, AuthInfo: c.Name}
	config.CurrentContext = c.Name
	if err := clientcmd.ModifyConfig(access, *config, false); err != nil {
		return fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	return nil
}

// RemoveKubeconfig takes a cluster's context out of the kubeconfig at path.
func RemoveKubeconfig(path, name string) error {
	access := pathOptions(path)
	config, err := access.GetStartingConfig()
	if err != nil {
		return fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	if config.Contexts[name] == nil && config.Clusters[name] == nil && config.AuthInfos[name] == nil {
		return nil
	}
	delete(config.Clusters, name)
	delete(config.AuthInfos, name)
	delete(config.Contexts, name)
	if config.CurrentContext == name {
		config.CurrentContext = ""
	}
	if err := clientcmd.ModifyConfig(access, *config, false); err != nil {
		return fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	return nil
}

func pathOptions(path string) *clientcmd.PathOptions {
	options := clientcmd.NewDefaultPathOptions()
	options.LoadingRules.Precedence = nil
	options.LoadingRules.ExplicitPath = path
	options.EnvVar = ""
	options.GlobalFile = path
	return options
}
