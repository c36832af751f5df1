package schema

import (
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func judgePolicyRule(a about, rule *rbacv1.PolicyRule) field.ErrorList {
	var out field.ErrorList
	if len(rule.Verbs) == 0 {
		out = append(out, field.Required(field.NewPath("verbs"), "there must be a verb"))
	}
	if len(rule.NonResourceURLs) > 0 {
		at := field.NewPath("nonResourceURLs")
		if a.kind == "Role" {
			out = append(out, field.Forbidden(at, "is only possible in a ClusterRole"))
		}
		if len(rule.APIGroups)+len(rule.Resources)+len(rule.ResourceNames) > 0 {
			out = append(out, field.Forbidden(at, "a rule is about resources or about URLs, not both"))
		}
		return out
	}
	if len(rule.APIGroups) == 0 {
		out = append(out, field.Required(field.NewPath("apiGroups"), `there must be an API group; the core group is ""`))
	}
	if len(rule.Resources) == 0 {
		out = append(out, field.Required(field.NewPath("resources"), "there must be a resource"))
	}
	return out
}

func judgeRoleBinding(_ about, b *rbacv1.RoleBinding) field.ErrorList {
	return append(judgeRoleRef(b.RoleRef, "Role", "ClusterRole"), judgeSubjects(b.Subjects, true)...)
}

func judgeClusterRoleBinding(_ about, b *rbacv1.ClusterRoleBinding) field.ErrorList {
	return append(judgeRoleRef(b.RoleRef, "ClusterRole"), judgeSubjects(b.Subjects, false)...)
}

func judgeRoleRef(ref rbacv1.RoleRef, kinds ...string) field.ErrorList {
	var out field.ErrorList
	at := field.NewPath("roleRef")
	// The API server fills in the group.
	if ref.APIGroup != "" && ref.APIGroup != rbacGroup {
		out = append(out, field.NotSupported(at.Child("apiGroup"), ref.APIGroup, []string{rbacGroup}))
	}
	known := false
	for _, kind := range kinds {
		known = known || ref.Kind == kind
	}
	if !known {
		out = append(out, field.NotSupported(at.Child("kind"), ref.Kind, kinds))
	}
	if ref.Name == "" {
		return append(out, field.Required(at.Child("name"), ""))
	}
	return append(out, invalid(at.Child("name"), ref.Name, content.IsPathSegmentName(ref.Name))...)
}

func judgeSubjects(subjects []rbacv1.Subject, namespaced bool) field.ErrorList {
	var out field.ErrorList
	for i, s := range subjects {
		at := field.NewPath("subjects").Index(i)
		if s.Name == "" {
			out = append(out, field.Required(at.Child("name"), ""))
		}
		group := rbacGroup
		switch s.Kind {
		case rbacv1.UserKind, rbacv1.GroupKind:
		case rbacv1.ServiceAccountKind:
			group = ""
			if s.Name != "" {
				out = append(out, invalid(at.Child("name"), s.Name, subdomain(s.Name))...)
			}
			if s.Namespace == "" && !namespaced {
				out = append(out, field.Required(at.Child("namespace"), "a service account is in a namespace"))
			}
		default:
			out = append(out, field.NotSupported(at.Child("kind"), s.Kind, []string{rbacv1.ServiceAccountKind, rbacv1.UserKind, rbacv1.GroupKind}))
			continue
		}
		if s.APIGroup != "" && s.APIGroup != group {
			out = append(out, field.Invalid(at.Child("apiGroup"), s.APIGroup, "must be "+group+" for a "+s.Kind))
		}
	}
	return out
}
