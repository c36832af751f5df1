// Command vendorschemas copies what Kubernetes releases serve into the
// repository: their OpenAPI documents, without texts, as one compressed file for
// each minor version. They come from Kubernetes' Go module, whose checksum the go
// command verifies. Add a release below and run it from the repository's root:
//
//	go run ./internal/check/schema/vendorschemas
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"platform/internal/check/schema/openapi"
	"platform/internal/versions"
)

// releases are the versions to vendor, one of each minor version: those that
// clusters may have, and the one after them, which tells what it will drop.
var releases = []string{"v1.34.8", "v1.35.4", "v1.36.1", "v1.37.2"}

const (
	module = "k8s.io/kubernetes"
	folder = "internal/check/schema/openapi/data"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "vendorschemas:", err)
		os.Exit(1)
	}
}

func run() error {
	if _, err := os.Stat(folder); err != nil {
		return fmt.Errorf("%w (run this from the repository's root)", err)
	}
	files := map[string][]byte{}
	var notice strings.Builder
	notice.WriteString("The files in this folder are made by internal/check/schema/vendorschemas from the\n" +
		"OpenAPI documents of Kubernetes, copyright The Kubernetes Authors, licensed under\n" +
		"the Apache License, Version 2.0. Descriptions and whatever else validation doesn't\n" +
		"need are left out.\n\n")
	for _, release := range releases {
		version, ok := versions.ParseVersion(release)
		if !ok {
			return fmt.Errorf("%s is no version", release)
		}
		dir, sum, err := download(release)
		if err != nil {
			return err
		}
		document, err := read(dir)
		if err != nil {
			return fmt.Errorf("%s@%s: %w", module, release, err)
		}
		document.Source = module + "@" + release
		if files[version.Release()+".json.gz"], err = pack(document); err != nil {
			return err
		}
		fmt.Fprintf(&notice, "%s: https://github.com/kubernetes/kubernetes/tree/%s/api/openapi-spec (module %s@%s %s)\n",
			version.Release(), release, module, release, sum)
	}
	files["NOTICE"] = []byte(notice.String())
	return replace(files)
}

// download has the go command fetch and verify a version of the module.
func download(version string) (dir, sum string, err error) {
	cmd := exec.Command("go", "mod", "download", "-json", module+"@"+version)
	// Outside of any module: this one's go.mod has no say in the version.
	cmd.Dir = os.TempDir()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, runErr := cmd.Output()
	var answer struct{ Dir, Sum, Error string }
	if err := json.Unmarshal(out, &answer); err != nil {
		return "", "", fmt.Errorf("go mod download %s@%s: %w\n%s", module, version, errors.Join(runErr, err), stderr.Bytes())
	}
	if answer.Error != "" {
		return "", "", fmt.Errorf("go mod download %s@%s: %s", module, version, answer.Error)
	}
	return answer.Dir, answer.Sum, nil
}

// pack gives the same bytes for the same document.
func pack(document *openapi.Document) ([]byte, error) {
	var out bytes.Buffer
	packed, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(packed).Encode(document); err != nil { // sorts the keys
		return nil, err
	}
	if err := packed.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// replace makes the folder hold the files and nothing else.
func replace(files map[string][]byte) error {
	old, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
