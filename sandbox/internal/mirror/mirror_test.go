package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestMirror(t *testing.T) {
	handler := Handler("/kops/1.36.2")
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	for _, path := range []string{
		"/kops/1.36.2/linux/amd64/nodeup", "/kops/1.36.2/linux/arm64/nodeup", "/kops/1.36.2/linux/amd64/protokube",
		"/kops/1.36.2/images/kops-controller-amd64.tar.gz", "/kops/1.36.2/images/kops-utils-cp-arm64.tar.gz",
	} {
		code, content := get(path)
		if code != http.StatusOK || !strings.Contains(content, path[1:]) {
			t.Errorf("%s: %d %q", path, code, content)
		}
		sum := sha256.Sum256([]byte(content))
		if code, hash := get(path + ".sha256"); code != http.StatusOK || strings.TrimSpace(hash) != hex.EncodeToString(sum[:]) {
			t.Errorf("%s.sha256: %d %q, the file's is %x", path, code, hash, sum)
		}
	}
	for _, path := range []string{"/", "/kops/1.36.2/linux/amd64/kubelet", "/kops/1.35.0/linux/amd64/nodeup"} {
		if code, _ := get(path); code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, code)
		}
	}
}
