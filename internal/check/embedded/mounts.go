package embedded

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"platform/internal/check/pods"
)

// mount is a part of a container's file system that comes from a volume.
type mount struct {
	// at is an absolute path without a slash at its end.
	at string
	// files are by path below at, "" for a mount of one file. One whose
	// content isn't known is nil.
	files map[string]*text
	// open says that there may be more files than these; optional that there may
	// be some of an object that needn't exist.
	open, optional bool
	// source is the volume's, for messages.
	source string
}

// mounts are a container's.
func (c *cluster) mounts(pod *pods.Pod, container pods.Container) []mount {
	volumes := map[string]mount{}
	for _, volume := range pod.Spec.Volumes {
		volumes[volume.Name] = c.volume(pod, volume)
	}
	var out []mount
	for _, m := range container.VolumeMounts {
		volume, ok := volumes[m.Name]
		if !ok {
			volume.open = true // a claim's
		}
		volume.at = path.Clean(m.MountPath)
		switch {
		case m.SubPathExpr != "":
			volume.files, volume.open = nil, true
		case m.SubPath != "":
			volume.files = below(volume.files, path.Clean(m.SubPath))
		}
		out = append(out, volume)
	}
	covered := func(m mount) bool { return m.at == tokenDir }
	if c.hasToken(pod) && !slices.ContainsFunc(out, covered) {
		out = append(out, mount{at: tokenDir, files: map[string]*text{"token": nil, "ca.crt": nil, "namespace": nil}, source: "its service account's token"})
	}
	return out
}

// below are the files below a folder, or the file of that name.
func below(files map[string]*text, folder string) map[string]*text {
	out := map[string]*text{}
	for name, t := range files {
		if name == folder {
			out[""] = t
		} else if rest, ok := strings.CutPrefix(name, folder+"/"); ok {
			out[rest] = t
		}
	}
	return out
}

func (c *cluster) volume(pod *pods.Pod, volume corev1.Volume) mount {
	m := mount{files: map[string]*text{}, source: "volume " + volume.Name}
	switch source := volume.VolumeSource; {
	case source.ConfigMap != nil:
		m.source = "ConfigMap " + source.ConfigMap.Name
		m.add(c, "ConfigMap", pod.Namespace(), source.ConfigMap.Name, source.ConfigMap.Items, source.ConfigMap.Optional)
	case source.Secret != nil:
		m.source = "Secret " + source.Secret.SecretName
		m.add(c, "Secret", pod.Namespace(), source.Secret.SecretName, source.Secret.Items, source.Secret.Optional)
	case source.DownwardAPI != nil:
		for _, item := range source.DownwardAPI.Items {
			m.files[path.Clean(item.Path)] = nil
		}
	case source.Projected != nil:
		for _, part := range source.Projected.Sources {
			if part.ConfigMap != nil {
				m.add(c, "ConfigMap", pod.Namespace(), part.ConfigMap.Name, part.ConfigMap.Items, part.ConfigMap.Optional)
			}
			if part.Secret != nil {
				m.add(c, "Secret", pod.Namespace(), part.Secret.Name, part.Secret.Items, part.Secret.Optional)
			}
			if part.ServiceAccountToken != nil {
				m.files[path.Clean(part.ServiceAccountToken.Path)] = nil
			}
			if part.DownwardAPI != nil {
				for _, item := range part.DownwardAPI.Items {
					m.files[path.Clean(item.Path)] = nil
				}
			}
			if part.ClusterTrustBundle != nil {
				m.files[path.Clean(part.ClusterTrustBundle.Path)] = nil
			}
			if part.PodCertificate != nil {
				m.open = true
			}
		}
	default:
		m.open = true
	}
	return m
}

// add adds an object's keys, all of them or those that are chosen.
func (m *mount) add(c *cluster, kind, namespace, name string, items []corev1.KeyToPath, optional *bool) {
	texts, known := c.texts(kind, namespace, name)
	if !known {
		if optional != nil && *optional {
			m.optional = true
			return
		}
		m.open = m.open || len(items) == 0
	}
	if len(items) == 0 {
		for key, t := range texts {
			m.files[key] = t
		}
		return
	}
	for _, item := range items {
		if t, ok := texts[item.Key]; ok || !known {
			m.files[path.Clean(item.Path)] = t
		}
	}
}

// found is what is known of a path in a container.
type found struct {
	// text is the file, if its content is known.
	text *text
	// missing says that there can be no such file; why says what there is.
	missing bool
	why     string
}

// file looks for a file. Files of the image aren't known, so one that is in no
// volume is missing: who names a file explicitly has put it somewhere.
func (p *program) file(name string) found {
	m, rest, ok := p.mountOf(name)
	if !ok {
		return found{missing: true, why: "no volume is mounted there"}
	}
	if t, ok := m.files[rest]; ok {
		return found{text: t}
	}
	return found{missing: !m.open && !m.optional, why: fmt.Sprintf("%s, which is mounted there, has no such file", m.source)}
}

// mountOf is the innermost mount that a path is in, and the path below it.
func (p *program) mountOf(name string) (m mount, rest string, ok bool) {
	name = path.Clean(name)
	for _, candidate := range p.mounts {
		inside, in := strings.CutPrefix(name, candidate.at)
		if !in || inside != "" && inside[0] != '/' || ok && len(candidate.at) <= len(m.at) {
			continue
		}
		m, rest, ok = candidate, strings.TrimPrefix(inside, "/"), true
	}
	return m, rest, ok
}

// namedText is a file in a container.
type namedText struct {
	path string
	*text
}

// glob are the known files that match a pattern, sorted. It says whether there
// may be more.
func (p *program) glob(pattern string) (files []namedText, open bool) {
	for _, m := range p.mounts {
		if (m.open || m.optional) && (m.at == path.Dir(pattern) || strings.HasPrefix(path.Dir(pattern)+"/", m.at+"/")) {
			open = true
		}
		for rest, t := range m.files {
			name := m.at
			if rest != "" {
				name = path.Join(m.at, rest)
			}
			if inner, _, _ := p.mountOf(name); inner.at != m.at {
				continue // hidden by a mount over it
			}
			if ok, err := path.Match(pattern, name); err == nil && ok {
				if t == nil {
					open = true
					continue
				}
				files = append(files, namedText{name, t})
			}
		}
	}
	slices.SortFunc(files, func(a, b namedText) int { return strings.Compare(a.path, b.path) })
	return files, open
}
