package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"platform/internal/addons"
	"platform/internal/config"
	"platform/internal/drift"
	"platform/internal/plan"
	"platform/internal/provided"
	"platform/internal/render"
	"platform/internal/versions"
)

// expiresSoon is how long before its end a certificate is a finding.
// cert-manager renews a Let's Encrypt certificate 30 days before: one that is
// this near to its end is one that it fails to renew.
const expiresSoon = 14 * 24 * time.Hour

// look finds out all there is to say about one cluster. Whatever goes wrong is
// part of what it gives: one cluster must not spoil the report of the others.
func look(ctx context.Context, f *factory, c *config.Config, rendered *render.Cluster, matrix *versions.Matrix) (l drift.Look) {
	start := time.Now()
	l.Cluster = rendered.Name
	defer func() { l.Took = time.Since(start) }()
	t, err := f.target(ctx, c, rendered, targetOptions{report: func(plan.Event) {}})
	if err != nil {
		l.Err = err
		return l
	}
	l.Account, l.Region = t.account.Account, t.declaration.AWS.Region
	failed := func(layer plan.Layer, err error) {
		if l.Err == nil {
			l.Err = fmt.Errorf("%s: %w", layer, err)
		}
		l.Unread = append(l.Unread, layer)
	}
	for _, layer := range t.Layers {
		changes, err := layer.Plan(ctx)
		if err != nil {
			failed(layer.Name(), err)
			continue
		}
		l.Changes = append(l.Changes, changes...)
	}
	if connection, err := t.kops.Connect(ctx); err == nil && connection != nil {
		l.Server = connection.Server
	}
	for _, more := range []struct {
		layer plan.Layer
		find  func(context.Context) ([]plan.Change, error)
	}{
		{drift.Versions, func(ctx context.Context) ([]plan.Change, error) { return t.versionChanges(ctx, &l, matrix) }},
		{drift.Certificates, t.certificateChanges},
		{drift.Undeclared, func(ctx context.Context) ([]plan.Change, error) { return t.undeclaredChanges(ctx, c.Provided) }},
	} {
		changes, err := more.find(ctx)
		if err != nil {
			failed(more.layer, err)
			continue
		}
		l.Changes = append(l.Changes, changes...)
	}
	if state, err := t.record(ctx); err == nil && state.Pause != nil {
		l.Paused = &drift.Pause{By: state.Pause.By, Reason: state.Pause.Reason}
		if !state.Pause.Since.IsZero() {
			l.Paused.Since = &state.Pause.Since
		}
	}
	l.Requests = t.addons.Requests()
	return l
}

// versionChanges compares the matrix with what runs.
func (t *target) versionChanges(ctx context.Context, l *drift.Look, matrix *versions.Matrix) ([]plan.Change, error) {
	running, err := t.addons.Running(ctx)
	if err != nil || running == nil {
		return nil, err
	}
	l.Versions = compareVersions(matrix, t.Name, declaredImages(t.rendered), running)
	var out []plan.Change
	for _, component := range matrix.Components {
		v, ok := l.Versions[component.Name]
		if !ok || !v.Behind() {
			continue
		}
		out = append(out, plan.Change{
			Layer: drift.Versions, Op: drift.None, Resource: "Version/" + component.Name, Source: versions.File,
			Reason: fmt.Sprintf("%s runs, git wants %s", v.Running, v.Wanted),
			Diff:   []plan.Field{{Path: "version", From: v.Running, To: v.Wanted}},
		})
	}
	return out, nil
}

// compareVersions puts side by side what is wanted and what runs.
func compareVersions(matrix *versions.Matrix, cluster string, declared []string, running *addons.Running) map[string]drift.Version {
	found := versions.Running(matrix, cluster, declared, running.Images)
	found[versions.Kubernetes] = strings.Join(slices.Compact(slices.Sorted(slices.Values(append([]string{running.Kubernetes}, running.Kubelets...)))), ", ")
	out := map[string]drift.Version{}
	for _, component := range matrix.Components {
		if cell, ok := component.Cell(cluster); ok {
			out[component.Name] = drift.Version{Wanted: cell.Version, Running: found[component.Name]}
		}
	}
	return out
}

// declaredImages are the images of all containers that git declares.
func declaredImages(rendered *render.Cluster) []string {
	var out []string
	var visit func(value any)
	visit = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			if image, ok := v["image"].(string); ok {
				out = append(out, image)
			}
			for _, item := range v {
				visit(item)
			}
		case []any:
			for _, item := range v {
				visit(item)
			}
		}
	}
	for _, file := range rendered.Files {
		for _, object := range file.Objects {
			visit(object.Object["spec"])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (t *target) certificateChanges(ctx context.Context) ([]plan.Change, error) {
	certificates, err := t.addons.Certificates(ctx)
	if err != nil {
		return nil, err
	}
	var out []plan.Change
	for _, c := range certificates {
		if c.Expires.IsZero() || time.Until(c.Expires) > expiresSoon {
			continue
		}
		reason := "expires " + c.Expires.Format(time.DateOnly)
		if time.Now().After(c.Expires) {
			reason = "expired " + c.Expires.Format(time.DateOnly)
		}
		if c.Reason != "" {
			reason += ": " + c.Reason
		}
		out = append(out, plan.Change{Layer: drift.Certificates, Op: drift.None, Resource: c.Resource, Reason: reason})
	}
	return out, nil
}

// undeclaredChanges are what somebody made by hand, in the cluster's namespaces
// and below its name in the hosted zone.
func (t *target) undeclaredChanges(ctx context.Context, outside []string) ([]plan.Change, error) {
	expected, err := expectedObjects(t.rendered, outside)
	if err != nil {
		return nil, err
	}
	objects, err := t.addons.Undeclared(ctx, expected)
	if err != nil {
		return nil, err
	}
	records, err := t.aws.Undeclared(ctx)
	if err != nil {
		return nil, err
	}
	var out []plan.Change
	for _, o := range objects {
		reason := "nobody declares it; made " + o.Created.Format(time.DateOnly)
		if o.Manager != "" {
			reason += ", last written by " + o.Manager
		}
		out = append(out, plan.Change{Layer: drift.Undeclared, Op: drift.None, Resource: o.Resource, Reason: reason})
	}
	for _, r := range records {
		out = append(out, plan.Change{Layer: drift.Undeclared, Op: drift.None, Resource: r, Reason: "nobody declares it"})
	}
	return out, nil
}

// expectedObjects tells which objects exist without being declared: those that
// declared objects say they make, and those that platform.yaml lists.
func expectedObjects(rendered *render.Cluster, outside []string) (func(kind, namespace, name string) bool, error) {
	var all []provided.Object
	for _, entry := range outside {
		p, err := provided.Parse(entry)
		if err != nil {
			return nil, fmt.Errorf("%s: provided: %w", config.FileName, err)
		}
		all = append(all, p)
	}
	for _, file := range rendered.Files {
		for _, object := range file.Objects {
			entries, ok := object.GetAnnotations()[provided.Annotation]
			if !ok {
				continue
			}
			for _, entry := range strings.Split(entries, ";") {
				p, err := provided.Parse(entry)
				if err != nil {
					return nil, fmt.Errorf("%s: %s %s: annotation %s: %w", file.Source, object.GetKind(), object.GetName(), provided.Annotation, err)
				}
				if p.Namespace == "" {
					p.Namespace = object.GetNamespace()
				}
				all = append(all, p)
			}
		}
	}
	return func(kind, namespace, name string) bool {
		return slices.ContainsFunc(all, func(p provided.Object) bool { return p.Matches(kind, namespace, name) })
	}, nil
}

// readMatrix reads the version matrix.
func readMatrix(root string) (*versions.Matrix, error) {
	data, err := os.ReadFile(filepath.Join(root, versions.File))
	if err != nil {
		return nil, err
	}
	return versions.Parse(data)
}
