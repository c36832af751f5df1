package schema

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// messageOf is an error of Kubernetes' validation without its path.
func messageOf(err *field.Error) string {
	value := ""
	switch v := err.BadValue.(type) {
	case string:
		const enough = 80
		if v != "" && len(v) <= enough {
			value = fmt.Sprintf("%q", v)
		}
	case int, int32, int64, float64, bool:
		value = fmt.Sprint(v)
	}
	switch err.Type {
	case field.ErrorTypeRequired:
		if err.Detail == "" {
			return "is required"
		}
		return err.Detail
	case field.ErrorTypeDuplicate:
		return strings.TrimSpace("is there twice: " + value)
	case field.ErrorTypeNotFound:
		return strings.TrimSpace("doesn't exist: " + value)
	case field.ErrorTypeInvalid, field.ErrorTypeNotSupported:
		if value != "" {
			return fmt.Sprintf("%s is invalid: %s", value, err.Detail)
		}
		if err.Detail != "" {
			return err.Detail
		}
	case field.ErrorTypeForbidden, field.ErrorTypeInternal:
		return err.Detail
	}
	body := err.ErrorBody()
	return strings.ToLower(body[:1]) + body[1:]
}
