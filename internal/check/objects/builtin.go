package objects

import "platform/internal/provided"

// builtin are the objects that Kubernetes makes by itself.
func builtin() providedObjects {
	all := providedObjects{
		{Kind: "PriorityClass", Name: "system-cluster-critical"},
		{Kind: "PriorityClass", Name: "system-node-critical"},

		{Kind: "ClusterRole", Name: "cluster-admin"},
		{Kind: "ClusterRole", Name: "admin"},
		{Kind: "ClusterRole", Name: "edit"},
		{Kind: "ClusterRole", Name: "view"},
		{Kind: "ClusterRole", Name: "system:*"},
		{Kind: "Role", Namespace: "kube-system", Name: "extension-apiserver-authentication-reader"},
		{Kind: "Role", Namespace: "kube-system", Name: "system:*"},
		{Kind: "Role", Namespace: "kube-public", Name: "system:*"},

		{Kind: "ConfigMap", Namespace: "kube-system", Name: "extension-apiserver-authentication"},
		{Kind: "Service", Namespace: "default", Name: "kubernetes"},
	}
	for _, namespace := range []string{"default", "kube-node-lease", "kube-public", "kube-system"} {
		all = append(all, provided.Object{Kind: "Namespace", Name: namespace})
		all = append(all, inNamespace(namespace)...)
	}
	return all
}

// inNamespace are the objects that Kubernetes makes in every namespace.
func inNamespace(name string) providedObjects {
	return providedObjects{
		{Kind: "ServiceAccount", Namespace: name, Name: "default"},
		{Kind: "ConfigMap", Namespace: name, Name: "kube-root-ca.crt", Keys: []string{"ca.crt"}},
	}
}
