// Package mirror serves the files of a kops release that kops asks for while
// it plans: it wants their hashes, the machines would want the files. What is
// served are placeholders that say so, with their true hashes.
package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// Programs are downloaded by machines, images are loaded by control planes: all
// that kops 1.36 looks up below KOPS_BASE_URL (nodemodel/nodeupconfigbuilder.go,
// nodemodel/wellknownassets).
var (
	architectures = []string{"amd64", "arm64"}
	programs      = []string{"nodeup", "protokube"}
	images        = []string{"dns-controller", "kops-channels", "kops-controller", "kops-utils-cp", "kube-apiserver-healthcheck"}
)

// Handler serves the release below prefix.
func Handler(prefix string) http.Handler {
	files := map[string]string{}
	for _, arch := range architectures {
		for _, name := range programs {
			add(files, path.Join(prefix, "linux", arch, name))
		}
		for _, name := range images {
			add(files, path.Join(prefix, "images", name+"-"+arch+".tar.gz"))
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := files[r.URL.Path]
		if !ok {
			http.Error(w, fmt.Sprintf("the sandbox's mirror has no %s, only the files of kops below %s", r.URL.Path, prefix), http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write([]byte(content))
	})
}

func add(files map[string]string, name string) {
	content := fmt.Sprintf("#!/bin/sh\necho 'This stands in for %s on the sandbox, where no machine runs it.' >&2\nexit 1\n", strings.TrimPrefix(name, "/"))
	sum := sha256.Sum256([]byte(content))
	files[name] = content
	files[name+".sha256"] = hex.EncodeToString(sum[:]) + "\n"
}
