package addons

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"platform/internal/plan"
)

// hide replaces the values of a Secret in its diff by hashes: equal values
// have equal hashes within one run, and the salt, which nobody keeps, makes
// it useless to try values against them.
func hide(kind string, fields []plan.Field, salt []byte) []plan.Field {
	if kind != "Secret" {
		return fields
	}
	for i := range fields {
		if isSecret(fields[i].Path) {
			fields[i].From = hashed(fields[i].From, salt)
			fields[i].To = hashed(fields[i].To, salt)
		}
	}
	return fields
}

// isSecret tells a Secret's secret fields by their path. What kubectl's
// client-side apply notes as last applied holds all of them.
func isSecret(path string) bool {
	root, _, _ := strings.Cut(path, "[")
	root, _, _ = strings.Cut(root, ".")
	return root == "data" || root == "stringData" || strings.Contains(path, "last-applied-configuration")
}

func hashed(value any, salt []byte) any {
	if value == nil {
		return nil
	}
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte(text(value)))
	return "(secret, hash " + hex.EncodeToString(mac.Sum(nil))[:12] + ")"
}
