package schema

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
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

func judgePriority(_ about, p *schedulingv1.PriorityClass) field.ErrorList {
	const highest = 1_000_000_000 // above are Kubernetes' own
	if p.Value > highest {
		return field.ErrorList{field.Invalid(field.NewPath("value"), p.Value, fmt.Sprintf("must not be more than %d", highest))}
	}
	return nil
}
