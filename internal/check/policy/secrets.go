package policy

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"platform/internal/check"
	"platform/internal/check/pods"
	"platform/internal/check/policy/secrets"
	"platform/internal/plan"
	"platform/internal/render"
)

const (
	fixSecret = "Take it out and replace it where it is used: git keeps it. Secrets are made in the cluster (platform.GeneratedSecret) or kept in a store of their own. If it isn't one, say so by a comment on its line: not a secret."
	// notSecret is the comment that says so.
	notSecret = "not a secret"
	// maxFile is the size of the largest file that is looked into.
	maxFile = 8 << 20
)

// findSecrets looks into the files that declare things and into what they render
// to: a secret may come about from parts, or from a variable.
func findSecrets(ctx context.Context, r *check.Repository) ([]check.Finding, error) {
	f := &secretFinder{found: map[string]bool{}, scanned: map[[2]string][]secrets.Match{}}
	files, err := textFiles(ctx, r.Config.Root)
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, func(name string) bool {
		// Of jsonnet, what the repository is asked about.
		return isJsonnet(name) && !slices.Contains(r.Sources, name)
	})
	files = append(files, r.Sources...)
	slices.Sort(files)
	for _, name := range slices.Compact(files) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := f.file(r.Config.Root, name); err != nil {
			return nil, err
		}
	}
	for _, c := range r.Clusters {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f.cluster(c)
	}
	return f.out, nil
}

type secretFinder struct {
	out []check.Finding
	// found are the secrets that files have, and what they say isn't one:
	// rendered objects have them from there.
	found map[string]bool
	// scanned are results by key and text: clusters have much in common.
	scanned map[[2]string][]secrets.Match
}

func isJsonnet(name string) bool {
	return strings.HasSuffix(name, ".jsonnet") || strings.HasSuffix(name, ".libsonnet")
}

func (f *secretFinder) file(root, name string) error {
	data, err := os.ReadFile(filepath.Join(root, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // deleted, but not in git yet
	case err != nil:
		return err
	case len(data) > maxFile || bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0:
		return nil
	}
	syntax := secrets.Data
	if isJsonnet(name) || filepath.Ext(name) == ".groovy" {
		syntax = secrets.Code
	}
	text := string(data)
	for _, m := range secrets.Scan("", text, syntax) {
		secret := text[m.Start:m.End]
		f.found[secret] = true
		before := text[:m.Start]
		start := strings.LastIndexByte(before, '\n') + 1
		line, _, _ := strings.Cut(text[start:], "\n")
		if strings.Contains(line, notSecret) {
			continue
		}
		finding := check.InFile(name, strings.Count(before, "\n")+1)
		finding.Column = m.Start - start + 1
		f.out = append(f.out, finding.Saying(written(m.Kind, secret), fixSecret))
	}
	return nil
}

func written(kind, secret string) string {
	return fmt.Sprintf("%s is written out (%s)", kind, secrets.Preview(secret))
}

func (f *secretFinder) cluster(c *render.Cluster) {
	var declaration any
	if json.Unmarshal(c.Declaration, &declaration) == nil {
		f.value("", top, declaration, func(path string) check.Finding { return check.OnDeclaration(c, path) })
	}
	for _, file := range c.Files {
		for _, object := range file.Objects {
			on := func(path string) check.Finding { return check.OnObject(c.Name, file, object, path) }
			content := any(object.Object)
			if object.GetKind() == "Secret" && object.GetAPIVersion() == "v1" {
				f.secret(object, on)
				rest := maps.Clone(object.Object)
				delete(rest, "data")
				delete(rest, "stringData")
				content = rest
			}
			f.value("", top, content, on)
		}
	}
}

// secret looks at what a Secret holds: nothing but placeholders, or what is public.
func (f *secretFinder) secret(object render.Object, on func(path string) check.Finding) {
	for _, field := range []string{"data", "stringData"} {
		values, _ := object.Object[field].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(values)) {
			value, _ := values[key].(string)
			if field == "data" {
				decoded, err := base64.StdEncoding.DecodeString(value)
				if err != nil {
					continue // not what the API server takes
				}
				value = string(decoded)
			}
			if !secrets.Placeholder(value) {
				f.out = append(f.out, on(plan.JoinPath(field, key)).Saying(
					fmt.Sprintf("a Secret's value is written out under the key %s (%s)", key, secrets.Preview(value)), fixSecret))
			}
		}
	}
}

// place is the path of a value, which is spelled out for findings only.
type place func() string

func top() string { return "" }

// value looks at all texts in a value. The key is the name that its place has.
func (f *secretFinder) value(key string, at place, value any, on func(path string) check.Finding) {
	switch v := value.(type) {
	case string:
		f.text(key, at, v, on)
	case []any:
		for i, item := range v {
			f.value(key, func() string { return pods.Element(at(), i, v, nameOf) }, item, on)
		}
	case map[string]any:
		name, _ := v["name"].(string)
		for _, field := range slices.Sorted(maps.Keys(v)) {
			key := field
			if field == "value" && name != "" {
				key = name // an environment variable, and what is like one
			}
			f.value(key, func() string { return plan.JoinPath(at(), field) }, v[field], on)
		}
	}
}

func nameOf(item any) string {
	m, _ := item.(map[string]any)
	name, _ := m["name"].(string)
	return name
}

func (f *secretFinder) text(key string, at place, text string, on func(path string) check.Finding) {
	id := [2]string{key, text}
	matches, ok := f.scanned[id]
	if !ok {
		matches = secrets.Scan(key, text, secrets.Data)
		f.scanned[id] = matches
	}
	for _, m := range matches {
		secret := text[m.Start:m.End]
		if f.known(secret) {
			continue
		}
		message := written(m.Kind, secret)
		if strings.Contains(text, "\n") {
			message += fmt.Sprintf(" in line %d", strings.Count(text[:m.Start], "\n")+1)
		}
		f.out = append(f.out, on(at()).Saying(message, fixSecret))
	}
}

// known says whether a file has been found to have a secret already, whole or as
// part of what was rendered from it.
func (f *secretFinder) known(secret string) bool {
	for found := range f.found {
		if strings.Contains(secret, found) || strings.Contains(found, secret) {
			return true
		}
	}
	return false
}
