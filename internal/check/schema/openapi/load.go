package openapi

import (
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"platform/internal/versions"
)

//go:embed data
var files embed.FS

const suffix = ".json.gz"

// loaded are the documents read so far: a function for each minor version.
var loaded sync.Map

// Minors are the versions that there are documents of, such as 1.36, oldest
// first.
func Minors() []string {
	entries, err := files.ReadDir("data")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	var out []string
	for _, entry := range entries {
		if minor, ok := strings.CutSuffix(entry.Name(), suffix); ok {
			out = append(out, minor)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		v, _ := versions.ParseVersion(a)
		w, _ := versions.ParseVersion(b)
		return v.Compare(w)
	})
	return out
}

// Load gives the document of a minor version; nil if there is none. It must not
// be changed.
func Load(minor string) (*Document, error) {
	if !slices.Contains(Minors(), minor) {
		return nil, nil
	}
	read, _ := loaded.LoadOrStore(minor, sync.OnceValues(func() (*Document, error) { return read(minor) }))
	return read.(func() (*Document, error))()
}

func read(minor string) (*Document, error) {
	file, err := files.Open(path.Join("data", minor+suffix))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("OpenAPI document of Kubernetes %s: %w", minor, err)
	}
	document := new(Document)
	if err := json.NewDecoder(unpacked).Decode(document); err != nil {
		return nil, fmt.Errorf("OpenAPI document of Kubernetes %s: %w", minor, err)
	}
	return document, nil
}
