package schema

import (
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/sets"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func judgeMetadata(_ about, m *metav1.ObjectMeta) field.ErrorList {
	out := metav1validation.ValidateLabels(m.Labels, field.NewPath("labels"))
	out = append(out, validation.ValidateAnnotations(m.Annotations, field.NewPath("annotations"))...)
	out = append(out, validation.ValidateFinalizers(m.Finalizers, field.NewPath("finalizers"))...)
	out = append(out, validation.ValidateOwnerReferences(m.OwnerReferences, field.NewPath("ownerReferences"))...)
	if m.Namespace != "" {
		out = append(out, invalid(field.NewPath("namespace"), m.Namespace, label(m.Namespace))...)
	}
	return out
}

func judgeLabelSelector(_ about, s *metav1.LabelSelector) field.ErrorList {
	return metav1validation.ValidateLabelSelector(s, metav1validation.LabelSelectorValidationOptions{}, nil)
}

// judgePort checks a port by number or name.
func judgePort(at *field.Path, port intstr.IntOrString) field.ErrorList {
	if port.Type == intstr.String {
		return invalid(at, port.StrVal, utilvalidation.IsValidPortName(port.StrVal))
	}
	return judgePortNumber(at, port.IntVal)
}

func judgePortNumber(at *field.Path, port int32) field.ErrorList {
	return invalid(at, port, utilvalidation.IsValidPortNum(int(port)))
}

// judgeShare checks a number or percentage of pods; whole says that a
// percentage over 100 makes no sense.
func judgeShare(at *field.Path, share *intstr.IntOrString, whole bool) field.ErrorList {
	switch {
	case share == nil:
		return nil
	case share.Type == intstr.Int:
		if share.IntVal < 0 {
			return field.ErrorList{field.Invalid(at, share.IntVal, "must not be negative")}
		}
		return nil
	}
	if messages := utilvalidation.IsValidPercent(share.StrVal); len(messages) > 0 {
		return field.ErrorList{field.Invalid(at, share.StrVal, "must be a number of pods or a percentage such as 25%")}
	}
	if percent, _ := intstr.GetScaledValueFromIntOrPercent(share, 100, false); whole && percent > 100 {
		return field.ErrorList{field.Invalid(at, share.StrVal, "must not be more than 100%")}
	}
	return nil
}

// isZero says whether a share is given and of nothing.
func isZero(share *intstr.IntOrString) bool {
	if share == nil {
		return false
	}
	percent, err := intstr.GetScaledValueFromIntOrPercent(share, 100, true)
	return err == nil && percent == 0
}

// duplicates finds names that are there more than once.
func duplicates[T any](at *field.Path, list []T, name func(T) string, seen sets.Set[string]) field.ErrorList {
	var out field.ErrorList
	for i, item := range list {
		n := name(item)
		if n != "" && seen.Has(n) {
			out = append(out, field.Duplicate(at.Index(i).Child("name"), n))
		}
		seen.Insert(n)
	}
	return out
}
