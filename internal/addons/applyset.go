package addons

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The labels and annotations of the ApplySet specification (KEP-3659).
const (
	labelParent          = "applyset.kubernetes.io/id"
	labelMember          = "applyset.kubernetes.io/part-of"
	annotationTooling    = "applyset.kubernetes.io/tooling"
	annotationKinds      = "applyset.kubernetes.io/contains-group-kinds"
	annotationNamespaces = "applyset.kubernetes.io/additional-namespaces"
)

// Our own annotations on a set's parent say which set it is; its name alone
// is too short for that.
const (
	annotationRepository = "platform/repository"
	annotationCluster    = "platform/cluster"
	annotationFile       = "platform/file"
)

const (
	// Manager is the field manager of everything that git declares.
	Manager = "platform"
	// parentManager is the field manager of the sets' parents, named as
	// kubectl names its own.
	parentManager   = Manager + "-applyset"
	tooling         = Manager + "/v1"
	parentNamespace = "kube-system"
)

// setKey says which set of objects belong together. Without the repository,
// two repositories with a file of the same name would prune each other's.
type setKey struct{ Repository, Cluster, File string }

// name is the name of the set's parent, at most 63 characters long.
func (k setKey) name() string {
	const prefix, digits, longest = "applyset-", 10, 63
	sum := sha256.Sum256([]byte(strings.Join([]string{k.Repository, k.Cluster, k.File}, "\n")))
	file := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(k.File))
	if room := longest - len(prefix) - digits - 1; len(file) > room {
		file = file[:room]
	}
	return prefix + file + "-" + hex.EncodeToString(sum[:])[:digits]
}

// setID is the id of the set with the given parent, as the specification
// computes it.
func setID(parent ref) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{parent.Name, parent.Namespace, parent.Kind, parent.Group}, ".")))
	return "applyset-" + base64.RawURLEncoding.EncodeToString(sum[:]) + "-v1"
}

// applySet is the set of one file's objects.
type applySet struct {
	key      setKey
	name, id string
	// declared is false for a set whose file is gone from git.
	declared bool
	// exists says that the parent is there; recorded is what it says.
	exists   bool
	recorded scope
	// wanted is where the declared objects are.
	wanted scope
}

func newApplySet(key setKey) *applySet {
	s := &applySet{key: key, name: key.name(), recorded: newScope(), wanted: newScope()}
	s.id = setID(s.parent())
	return s
}

func (s *applySet) parent() ref {
	return ref{schema.GroupKind{Kind: "ConfigMap"}, parentNamespace, s.name}
}

// manifest is the parent as it is applied, saying that members are in where.
func (s *applySet) manifest(where scope) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
	u.SetName(s.name)
	u.SetNamespace(parentNamespace)
	u.SetLabels(map[string]string{labelParent: s.id})
	u.SetAnnotations(map[string]string{
		annotationTooling:    tooling,
		annotationKinds:      where.kindsText(),
		annotationNamespaces: where.namespacesText(),
		annotationRepository: s.key.Repository,
		annotationCluster:    s.key.Cluster,
		annotationFile:       s.key.File,
	})
	return u
}

// parentKey reads which set a parent is the parent of; ok is false if another
// tool made it.
func parentKey(parent *unstructured.Unstructured) (key setKey, ok bool) {
	a := parent.GetAnnotations()
	tool, _, _ := strings.Cut(a[annotationTooling], "/")
	return setKey{a[annotationRepository], a[annotationCluster], a[annotationFile]}, tool == Manager
}

// read takes over what the parent in the cluster says. It fails if the parent
// is another set's.
func (s *applySet) read(parent *unstructured.Unstructured) error {
	key, ours := parentKey(parent)
	if !ours || key != s.key || parent.GetLabels()[labelParent] != s.id {
		return &ForeignSetError{
			Resource: s.parent().String(),
			Tooling:  parent.GetAnnotations()[annotationTooling],
			Owner:    fmt.Sprintf("repository %q, cluster %q, file %q", key.Repository, key.Cluster, key.File),
		}
	}
	s.exists = true
	s.recorded = parseScope(parent.GetAnnotations())
	return nil
}

// scope is where a set's members are: of which kinds, in which namespaces.
type scope struct {
	kinds      map[schema.GroupKind]bool
	namespaces map[string]bool
}

func newScope() scope {
	return scope{kinds: map[schema.GroupKind]bool{}, namespaces: map[string]bool{}}
}

func (s scope) add(r ref) {
	s.kinds[r.GroupKind] = true
	if r.Namespace != "" && r.Namespace != parentNamespace {
		s.namespaces[r.Namespace] = true
	}
}

func (s scope) union(other scope) scope {
	out := scope{kinds: maps.Clone(s.kinds), namespaces: maps.Clone(s.namespaces)}
	maps.Copy(out.kinds, other.kinds)
	maps.Copy(out.namespaces, other.namespaces)
	return out
}

func (s scope) equal(other scope) bool {
	return maps.Equal(s.kinds, other.kinds) && maps.Equal(s.namespaces, other.namespaces)
}

func (s scope) kindsText() string {
	var out []string
	for kind := range s.kinds {
		out = append(out, kind.String())
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

// namespacesText leaves out the parent's own namespace, as kubectl does.
func (s scope) namespacesText() string {
	return strings.Join(slices.Sorted(maps.Keys(s.namespaces)), ",")
}

func parseScope(annotations map[string]string) scope {
	s := newScope()
	for _, text := range strings.Split(annotations[annotationKinds], ",") {
		if text != "" {
			s.kinds[schema.ParseGroupKind(text)] = true
		}
	}
	for _, text := range strings.Split(annotations[annotationNamespaces], ",") {
		if text != "" {
			s.namespaces[text] = true
		}
	}
	return s
}
