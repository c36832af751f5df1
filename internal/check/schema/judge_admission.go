package schema

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// judgeWebhook checks the name of an admission webhook, and that there is one
// place where it is served.
func judgeWebhook(_ about, object map[string]any) field.ErrorList {
	var out field.ErrorList
	if name, ok := object["name"].(string); ok {
		out = validation.IsFullyQualifiedName(field.NewPath("name"), name)
	}
	if config, ok := object["clientConfig"].(map[string]any); ok && (config["service"] == nil) == (config["url"] == nil) {
		out = append(out, field.Required(field.NewPath("clientConfig"), "must have either a service or a url"))
	}
	if seconds, ok := object["timeoutSeconds"].(int64); ok && (seconds < 1 || seconds > 30) {
		out = append(out, field.Invalid(field.NewPath("timeoutSeconds"), seconds, "must be 1 to 30"))
	}
	return out
}

// judgeRule checks which requests a webhook or a policy is about.
func judgeRule(a about, object map[string]any) field.ErrorList {
	out := filled("apiGroups", "apiVersions", "operations", "resources")(a, object)
	for _, list := range []string{"apiVersions", "resources"} {
		items, _ := object[list].([]any)
		for i, item := range items {
			if item == "" {
				out = append(out, field.Required(field.NewPath(list).Index(i), "must not be empty"))
			}
		}
		if len(items) > 1 && list != "resources" && slices.Contains(items, any("*")) {
			out = append(out, field.Invalid(field.NewPath(list), "", "when * is there, nothing else must be"))
		}
	}
	return out
}

// judgeMatch wants a policy to be about something. Bindings match as well, to
// narrow that down.
func judgeMatch(a about, object map[string]any) field.ErrorList {
	if a.kind == "ValidatingAdmissionPolicy" || a.kind == "MutatingAdmissionPolicy" {
		return filled("resourceRules")(a, object)
	}
	return nil
}

func judgeValidatingPolicy(a about, object map[string]any) field.ErrorList {
	var out field.ErrorList
	if object["matchConstraints"] == nil {
		out = append(out, field.Required(field.NewPath("matchConstraints"), "the policy must say what it is about"))
	}
	if isEmpty(object["validations"]) && isEmpty(object["auditAnnotations"]) {
		out = append(out, field.Required(field.NewPath("validations"), "there must be validations or auditAnnotations"))
	}
	return out
}

// judgeMutation wants the expression of the kind that a mutation names.
func judgeMutation(_ about, object map[string]any) field.ErrorList {
	fields := map[string]string{"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
	patchType, _ := object["patchType"].(string)
	name, ok := fields[patchType]
	if !ok {
		if patchType == "" {
			return field.ErrorList{field.Required(field.NewPath("patchType"), "must be ApplyConfiguration or JSONPatch")}
		}
		return nil // not one of the values
	}
	patch, _ := object[name].(map[string]any)
	if isEmpty(patch["expression"]) {
		return field.ErrorList{field.Required(field.NewPath(name, "expression"), "must not be empty")}
	}
	return nil
}

// judgeValidation checks the reason that the client is given.
func judgeValidation(_ about, object map[string]any) field.ErrorList {
	reasons := []string{"Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"}
	reason, ok := object["reason"].(string)
	if !ok || slices.Contains(reasons, reason) {
		return nil
	}
	return field.ErrorList{field.NotSupported(field.NewPath("reason"), reason, reasons)}
}

func judgeCondition(_ about, object map[string]any) field.ErrorList {
	name, _ := object["name"].(string)
	return invalid(field.NewPath("name"), name, validation.IsQualifiedName(name))
}
