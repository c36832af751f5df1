package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	podsecurity "k8s.io/pod-security-admission/api"
)

// maxSize is what a ConfigMap's or Secret's values may have together.
const maxSize = 1 << 20

func judgeConfigMap(_ about, c *corev1.ConfigMap) field.ErrorList {
	var out field.ErrorList
	size := 0
	for _, key := range slices.Sorted(maps.Keys(c.Data)) {
		at := field.NewPath("data").Key(key)
		out = append(out, invalid(at, key, validation.IsConfigMapKey(key))...)
		if _, both := c.BinaryData[key]; both {
			out = append(out, field.Invalid(at, key, "binaryData has the key as well"))
		}
		size += len(c.Data[key])
	}
	for _, key := range slices.Sorted(maps.Keys(c.BinaryData)) {
		out = append(out, invalid(field.NewPath("binaryData").Key(key), key, validation.IsConfigMapKey(key))...)
		size += len(c.BinaryData[key])
	}
	return append(out, judgeSize(field.NewPath("data"), size)...)
}

func judgeSize(at *field.Path, size int) field.ErrorList {
	if size <= maxSize {
		return nil
	}
	return field.ErrorList{field.Invalid(at, "", fmt.Sprintf("the values have %d bytes together, of at most %d", size, maxSize))}
}

// secretKeys are the keys that Secrets of some types must have.
var secretKeys = map[corev1.SecretType][]string{
	corev1.SecretTypeDockercfg:        {corev1.DockerConfigKey},
	corev1.SecretTypeDockerConfigJson: {corev1.DockerConfigJsonKey},
	corev1.SecretTypeSSHAuth:          {corev1.SSHAuthPrivateKey},
	corev1.SecretTypeTLS:              {corev1.TLSCertKey, corev1.TLSPrivateKeyKey},
}

func judgeSecret(_ about, s *corev1.Secret) field.ErrorList {
	var out field.ErrorList
	at := field.NewPath("data")
	size := 0
	keys := slices.Sorted(maps.Keys(s.Data))
	keys = append(keys, slices.Sorted(maps.Keys(s.StringData))...)
	for _, key := range keys {
		size += len(s.Data[key]) + len(s.StringData[key])
	}
	for _, key := range slices.Sorted(maps.Keys(s.Data)) {
		out = append(out, invalid(at.Key(key), key, validation.IsConfigMapKey(key))...)
	}
	for _, key := range slices.Sorted(maps.Keys(s.StringData)) {
		out = append(out, invalid(field.NewPath("stringData").Key(key), key, validation.IsConfigMapKey(key))...)
	}
	for _, key := range secretKeys[s.Type] {
		if !slices.Contains(keys, key) {
			out = append(out, field.Required(at.Key(key), fmt.Sprintf("a Secret of the type %s must have the key %s", s.Type, key)))
		}
	}
	for _, key := range []string{corev1.DockerConfigKey, corev1.DockerConfigJsonKey} {
		if value, ok := s.Data[key]; ok && slices.Contains(secretKeys[s.Type], key) && json.Unmarshal(value, new(map[string]any)) != nil {
			// Without the value, which is secret.
			out = append(out, field.Invalid(at.Key(key), "", "must be a JSON object"))
		}
	}
	if s.Type == corev1.SecretTypeBasicAuth && !slices.Contains(keys, corev1.BasicAuthUsernameKey) && !slices.Contains(keys, corev1.BasicAuthPasswordKey) {
		out = append(out, field.Required(at.Key(corev1.BasicAuthUsernameKey), fmt.Sprintf("a Secret of the type %s must have the key username or password", s.Type)))
	}
	if s.Type == corev1.SecretTypeServiceAccountToken && s.Annotations[corev1.ServiceAccountNameKey] == "" {
		out = append(out, field.Required(field.NewPath("metadata", "annotations").Key(corev1.ServiceAccountNameKey), "a service account's token must name the account"))
	}
	return append(out, judgeSize(at, size)...)
}

func judgeClaim(_ about, c *corev1.PersistentVolumeClaim) field.ErrorList {
	var out field.ErrorList
	if len(c.Spec.AccessModes) == 0 {
		out = append(out, field.Required(field.NewPath("spec", "accessModes"), "there must be an access mode"))
	}
	if class := c.Spec.StorageClassName; class != nil && *class != "" {
		out = append(out, invalid(field.NewPath("spec", "storageClassName"), *class, subdomain(*class))...)
	}
	at := field.NewPath("spec", "resources", "requests").Key(string(corev1.ResourceStorage))
	storage, ok := c.Spec.Resources.Requests[corev1.ResourceStorage]
	switch {
	case !ok:
		out = append(out, field.Required(at, "the claim must say how much storage it wants"))
	case storage.Sign() <= 0:
		out = append(out, field.Invalid(at, storage.String(), "must be more than 0"))
	}
	return out
}

// judgeNamespace checks the labels that say which pods may run there.
func judgeNamespace(_ about, n *corev1.Namespace) field.ErrorList {
	_, errs := podsecurity.PolicyToEvaluate(n.Labels, podsecurity.Policy{})
	return errs
}

// judgeQuota checks the names of what a quota counts.
func judgeQuota(_ about, q *corev1.ResourceQuotaSpec) field.ErrorList {
	var out field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(q.Hard)) {
		at, amount := field.NewPath("hard").Key(string(name)), q.Hard[name]
		if messages := validation.IsQualifiedName(string(name)); len(messages) > 0 {
			out = append(out, invalid(at, string(name), messages)...)
		} else if !countable(name) {
			out = append(out, field.Invalid(at, string(name), "there is no such resource; only those of Kubernetes itself have no domain in their name"))
		}
		switch {
		case amount.Sign() < 0:
			out = append(out, field.Invalid(at, amount.String(), "must not be negative"))
		case (whole[name] || strings.HasPrefix(string(name), "count/")) && amount.MilliValue()%1000 != 0:
			out = append(out, field.Invalid(at, amount.String(), "must be a whole number"))
		}
	}
	return out
}

// whole are the objects that quotas count; others are named count/services.
var whole = map[corev1.ResourceName]bool{
	corev1.ResourceConfigMaps: true, corev1.ResourcePersistentVolumeClaims: true, corev1.ResourcePods: true,
	corev1.ResourceQuotas: true, corev1.ResourceReplicationControllers: true, corev1.ResourceSecrets: true,
	corev1.ResourceServices: true, corev1.ResourceServicesLoadBalancers: true, corev1.ResourceServicesNodePorts: true,
}

func countable(name corev1.ResourceName) bool {
	text := string(name)
	if strings.Contains(text, "/") || whole[name] || standardResource(name) || name == corev1.ResourceRequestsStorage {
		return true
	}
	for _, prefix := range []string{"requests.", "limits."} {
		if rest, ok := strings.CutPrefix(text, prefix); ok && standardResource(corev1.ResourceName(rest)) {
			return true
		}
	}
	return false
}

func judgeLimitType(_ about, item map[string]any) field.ErrorList {
	kind, _ := item["type"].(string)
	return invalid(field.NewPath("type"), kind, validation.IsQualifiedName(kind))
}

// containerResources checks the names in one of the maps of a LimitRange's item.
func containerResources(name string) judge {
	return func(_ about, item map[string]any) field.ErrorList {
		var out field.ErrorList
		amounts, _ := item[name].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(amounts)) {
			at := field.NewPath(name).Key(key)
			messages := validation.IsQualifiedName(key)
			out = append(out, invalid(at, key, messages)...)
			kind, _ := item["type"].(string)
			if len(messages) == 0 && !strings.Contains(key, "/") && (kind == "Container" || kind == "Pod") && !standardResource(corev1.ResourceName(key)) {
				out = append(out, field.Invalid(at, key, "there is no such resource; only those of Kubernetes itself have no domain in their name"))
			}
		}
		return out
	}
}

func judgeStorageClass(_ about, c *storagev1.StorageClass) field.ErrorList {
	return invalid(field.NewPath("provisioner"), c.Provisioner, validation.IsQualifiedName(strings.ToLower(c.Provisioner)))
}

func judgePriority(_ about, p *schedulingv1.PriorityClass) field.ErrorList {
	const highest = 1_000_000_000 // above are Kubernetes' own
	if p.Value > highest {
		return field.ErrorList{field.Invalid(field.NewPath("value"), p.Value, fmt.Sprintf("must not be more than %d", highest))}
	}
	return nil
}
