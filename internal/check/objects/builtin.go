package objects

// builtin are the objects that Kubernetes makes by itself.
func builtin() providedObjects {
	all := providedObjects{
		{kind: "PriorityClass", name: "system-cluster-critical"},
		{kind: "PriorityClass", name: "system-node-critical"},

		{kind: "ClusterRole", name: "cluster-admin"},
		{kind: "ClusterRole", name: "admin"},
		{kind: "ClusterRole", name: "edit"},
		{kind: "ClusterRole", name: "view"},
		{kind: "ClusterRole", name: "system:*"},
		{kind: "Role", namespace: "kube-system", name: "extension-apiserver-authentication-reader"},
		{kind: "Role", namespace: "kube-system", name: "system:*"},
		{kind: "Role", namespace: "kube-public", name: "system:*"},

		{kind: "ConfigMap", namespace: "kube-system", name: "extension-apiserver-authentication"},
		{kind: "Service", namespace: "default", name: "kubernetes"},
	}
	for _, namespace := range []string{"default", "kube-node-lease", "kube-public", "kube-system"} {
		all = append(all, provided{kind: "Namespace", name: namespace})
		all = append(all, inNamespace(namespace)...)
	}
	return all
}

// inNamespace are the objects that Kubernetes makes in every namespace.
func inNamespace(name string) providedObjects {
	return providedObjects{
		{kind: "ServiceAccount", namespace: name, name: "default"},
		{kind: "ConfigMap", namespace: name, name: "kube-root-ca.crt", keys: []string{"ca.crt"}},
	}
}
