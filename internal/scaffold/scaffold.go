package scaffold

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Organisation is whom a repository is for.
type Organisation struct {
	// Domain is the domain whose hosted zone holds the clusters' names.
	Domain string
	// Account is the AWS account, 12 digits.
	Account string
	// Region is the AWS region.
	Region string
	// Clusters are the clusters in the order in which changes reach them.
	Clusters []Cluster
}

// Cluster is a cluster to begin with and the one it is made like.
type Cluster struct{ Name, Like string }

// Templates are the clusters that others can be made like, from the one for
// experiments to the one for customers.
var Templates = []string{"dev", "int", "web"}

// ParseClusters reads names, each alone or with the cluster that it is made
// like: test=dev. Without that, the first is made like dev, the last of several
// like web, and those in between like int; a template's own name is its own.
func ParseClusters(names []string) ([]Cluster, error) {
	if len(names) == 0 {
		return nil, errors.New("at least one cluster is required")
	}
	var out []Cluster
	for i, text := range names {
		name, like, given := strings.Cut(text, "=")
		switch {
		case given:
		case slices.Contains(Templates, name):
			like = name
		case i == 0:
			like = Templates[0]
		case i == len(names)-1:
			like = Templates[len(Templates)-1]
		default:
			like = Templates[1]
		}
		if !slices.Contains(Templates, like) {
			return nil, fmt.Errorf("cluster %q: made like %q, but there are %s", name, like, strings.Join(Templates, ", "))
		}
		if !clusterName.MatchString(name) {
			return nil, fmt.Errorf("cluster %q: want a name of at most 20 lower-case letters, digits and hyphens", name)
		}
		if slices.ContainsFunc(out, func(c Cluster) bool { return c.Name == name }) {
			return nil, fmt.Errorf("cluster %q is there twice", name)
		}
		out = append(out, Cluster{name, like})
	}
	return out, nil
}

var (
	clusterName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$`)
	domainName  = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$`)
	accountID   = regexp.MustCompile(`^[0-9]{12}$`)
	regionName  = regexp.MustCompile(`^[a-z]{2,3}(-[a-z]+)+-[0-9]$`)
)

// maxClusters is how many networks of a /16 each there are in the scheme of
// this repository: 10.10.0.0 to 10.190.0.0, below the VPN's.
const maxClusters = 19

func (o Organisation) validate() error {
	switch {
	case !domainName.MatchString(o.Domain):
		return fmt.Errorf("domain: want a name such as example.org, got %q", o.Domain)
	case !accountID.MatchString(o.Account):
		return fmt.Errorf("account: want the 12 digits of an AWS account, got %q", o.Account)
	case !regionName.MatchString(o.Region):
		return fmt.Errorf("region: want an AWS region such as eu-central-1, got %q", o.Region)
	case len(o.Clusters) > maxClusters:
		return fmt.Errorf("clusters: at most %d", maxClusters)
	}
	return nil
}

// What this repository is called itself.
const (
	ownDomain  = "example.net"
	ownName    = "example-net"
	ownAccount = "123456789012"
	ownRegion  = "eu-central-1"
)

// name is the organisation's, as buckets and tags have it.
func (o Organisation) name() string { return strings.ReplaceAll(o.Domain, ".", "-") }

// Write writes a repository to dir, which must be empty or not there yet.
// content holds lib/, addons/ and clusters/.
func Write(content fs.FS, dir string, o Organisation) error {
	if err := o.validate(); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s isn't empty; nothing was written", dir)
	}
	files, err := o.files(content)
	if err != nil {
		return err
	}
	for name, data := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// files gives the repository's files by their paths.
func (o Organisation) files(content fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{
		"platform.yaml": o.config(),
		".gitignore":    []byte("/.sandbox/\n"),
		"README.md":     o.readme(),
	}
	err := fs.WalkDir(content, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if path.Ext(name) == ".go" || strings.HasPrefix(name, "lib/tests/") {
			return nil // made and tested where they come from
		}
		data, err := fs.ReadFile(content, name)
		if err != nil {
			return err
		}
		dir, below, _ := strings.Cut(name, "/")
		cluster, file, inCluster := strings.Cut(below, "/")
		switch {
		case strings.HasSuffix(name, "_test.yaml"):
			o.ruleTest(files, name, data)
		case dir != "clusters":
			files[name] = data
		case name == "clusters/versions.json":
			files[name], err = o.versions(data)
		case !inCluster:
			files[name] = o.rename(data)
		default:
			for i, c := range o.Clusters {
				if c.Like == cluster {
					files[path.Join(dir, c.Name, file)] = o.renameCluster(data, i)
				}
			}
		}
		return err
	})
	return files, err
}

// ofCluster matches the tests of alert rules that there are for one cluster alone.
var ofCluster = regexp.MustCompile(`^(.*-)(\w+)(_test\.yaml)$`)

// ruleTest adds a test of alert rules, which expects what alerts say: the names of
// the organisation, and in the tests that are about one cluster that cluster's.
func (o Organisation) ruleTest(files map[string][]byte, name string, data []byte) {
	data = o.rename(data)
	parts := ofCluster.FindStringSubmatch(name)
	if parts == nil || !slices.Contains(Templates, parts[2]) {
		files[name] = data
		return
	}
	word := regexp.MustCompile(`\b` + parts[2] + `\b`)
	for _, c := range o.Clusters {
		if c.Like == parts[2] {
			files[parts[1]+c.Name+parts[3]] = word.ReplaceAll(data, []byte(c.Name))
		}
	}
}

// rename puts the organisation's names in the place of this repository's.
func (o Organisation) rename(data []byte) []byte {
	text := strings.NewReplacer(
		ownDomain, o.Domain, ownName, o.name(), ownAccount, o.Account, ownRegion, o.Region,
		list(Templates), list(o.names()),
	).Replace(string(data))
	return []byte(text)
}

// renameCluster does the same for a file of the i-th cluster, and gives the
// cluster its own name and network.
func (o Organisation) renameCluster(data []byte, i int) []byte {
	c := o.Clusters[i]
	text := string(o.rename(data))
	text = strings.ReplaceAll(text, quote(c.Like), quote(c.Name))
	text = strings.Replace(text, "// "+c.Like+": ", "// "+c.Name+": ", 1)
	network := regexp.MustCompile(`networkCIDR: '10\.[0-9]+\.0\.0/16'`)
	return network.ReplaceAll([]byte(text), fmt.Appendf(nil, "networkCIDR: '10.%d.0.0/16'", 10*(i+1)))
}

// versions gives each cluster the versions of the one that it is made like.
func (o Organisation) versions(data []byte) ([]byte, error) {
	var matrix map[string]map[string]string
	if err := json.Unmarshal(data, &matrix); err != nil {
		return nil, fmt.Errorf("clusters/versions.json: %w", err)
	}
	out := map[string]map[string]string{}
	for component, versions := range matrix {
		out[component] = map[string]string{}
		for _, c := range o.Clusters {
			out[component][c.Name] = versions[c.Like]
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(out)
	return text.Bytes(), err
}

func (o Organisation) names() []string {
	names := make([]string, len(o.Clusters))
	for i, c := range o.Clusters {
		names[i] = c.Name
	}
	return names
}

func quote(name string) string { return "'" + name + "'" }

// list writes names as jsonnet does.
func list(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func (o Organisation) config() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, `# The tool's own configuration. What the clusters are made of is declared in
# clusters/; environment variables PLATFORM_* and flags override this file.

# Part of the name of every apply set.
repository: %s-platform

# In the order in which changes reach them.
clusters:
`, o.name())
	for _, c := range o.Clusters {
		fmt.Fprintf(&out, "  - name: %s\n", c.Name)
		if c.Like == Templates[0] {
			fmt.Fprintf(&out, "    # May be changed from a file that isn't in git yet.\n    interactive: true\n")
		}
	}
	return out.Bytes()
}

func (o Organisation) readme() []byte {
	return fmt.Appendf(nil, `# The platform of %s

What the Kubernetes clusters of %s are made of, for the tool `+"`platform`"+`:
its documentation says how. Begin with clusters/org.libsonnet, which has all
names in one place, then

    platform render
    platform plan %s
    platform up %s
`, o.Domain, o.Domain, o.Clusters[0].Name, o.Clusters[0].Name)
}
