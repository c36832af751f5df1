package schema

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"platform/internal/versions"
)

// relaxedServiceNames is the release from which on the names of Services may
// begin with a digit.
var relaxedServiceNames = versions.Version{Major: 1, Minor: 36}

const rbacGroup = "rbac.authorization.k8s.io"

// names are the forms of the names of kinds that differ from the others, which
// are DNS subdomains.
var names = map[schema.GroupKind]func(name string) []string{
	{Kind: "Namespace"}:                                 label,
	{Group: rbacGroup, Kind: "Role"}:                    content.IsPathSegmentName,
	{Group: rbacGroup, Kind: "ClusterRole"}:             content.IsPathSegmentName,
	{Group: rbacGroup, Kind: "RoleBinding"}:             content.IsPathSegmentName,
	{Group: rbacGroup, Kind: "ClusterRoleBinding"}:      content.IsPathSegmentName,
	{Group: "apps", Kind: "StatefulSet"}:                label,
	{Group: "batch", Kind: "CronJob"}:                   cronJobName,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}: priorityClassName,
	// These check more than the form: the definition's own judge does it, or
	// their names are addresses and the like.
	definitionKind: nil,
	{Group: "certificates.k8s.io", Kind: "ClusterTrustBundle"}:   nil,
	{Group: "networking.k8s.io", Kind: "IPAddress"}:              nil,
	{Group: "internal.apiserver.k8s.io", Kind: "StorageVersion"}: nil,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:        nil,
}

func label(name string) []string     { return validation.NameIsDNSLabel(name, false) }
func subdomain(name string) []string { return validation.NameIsDNSSubdomain(name, false) }

// cronJobName leaves room for what the controller appends for each Job.
func cronJobName(name string) []string {
	if len(name) > 52 {
		return []string{"must be no more than 52 characters, since each job's name has 11 more"}
	}
	return subdomain(name)
}

func priorityClassName(name string) []string {
	if strings.HasPrefix(name, "system-") && name != "system-node-critical" && name != "system-cluster-critical" {
		return []string{"names that begin with system- are Kubernetes' own"}
	}
	return subdomain(name)
}

// serviceName is the form of a Service's name.
func serviceName(release versions.Version, name string) []string {
	if release.Compare(relaxedServiceNames) >= 0 {
		return label(name)
	}
	return validation.NameIsDNS1035Label(name, false)
}

// checkName checks the name of an object.
func checkName(release versions.Version, group, kind string, object map[string]any) field.ErrorList {
	metadata, _ := object["metadata"].(map[string]any)
	name, ok := metadata["name"].(string)
	if !ok {
		return nil
	}
	form, special := names[schema.GroupKind{Group: group, Kind: kind}]
	switch {
	case group == "" && kind == "Service":
		form = func(name string) []string { return serviceName(release, name) }
	case special && form == nil:
		return nil
	case !special:
		form = subdomain
	}
	return invalid(field.NewPath("metadata", "name"), name, form(name))
}

// invalid makes errors of what a function of Kubernetes' validation says.
func invalid(at *field.Path, value any, messages []string) field.ErrorList {
	var out field.ErrorList
	for _, message := range messages {
		out = append(out, field.Invalid(at, value, message))
	}
	return out
}
