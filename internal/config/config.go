package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// FileName is the configuration file, whose folder is the repository's root.
const FileName = "platform.yaml"

// Config is the whole configuration.
type Config struct {
	// Root is the folder that platform.yaml was found in.
	Root string `mapstructure:"-"`

	// Repository names this repository among others that deploy to the same
	// clusters: it is part of the name of every apply set.
	Repository string `mapstructure:"repository"`
	// Clusters are the clusters in the order in which changes reach them.
	Clusters []Cluster `mapstructure:"clusters"`
	// JPath are further folders that jsonnet may import from.
	JPath []string `mapstructure:"jpath"`

	// APIProxy is the URL of a proxy through which the clusters' APIs are
	// reached, such as a bastion's.
	APIProxy string `mapstructure:"api-proxy"`
	// Kubeconfig is the file that contexts are written to. Empty means the
	// first of KUBECONFIG, else ~/.kube/config.
	Kubeconfig string `mapstructure:"kubeconfig"`
	// Timeout is how long objects may take to become ready.
	Timeout time.Duration `mapstructure:"timeout"`
	// Rolling is the pace of rolling updates.
	Rolling Rolling `mapstructure:"rolling"`
	// Versions is what the version matrix may say.
	Versions Versions `mapstructure:"versions"`
	// Provided are objects that exist although git doesn't declare them, as
	// kind and name or kind and namespace/name: what may be referred to, and,
	// of the kind CustomResourceDefinition, what may be made. See package
	// provided.
	Provided []string `mapstructure:"provided"`
	// Drift is what the drift report is to make of what it finds.
	Drift Drift `mapstructure:"drift"`
}

// Versions bounds how far the clusters' versions may be apart.
type Versions struct {
	// MaxSkew is how many minor versions of Kubernetes may lie between two
	// clusters.
	MaxSkew int `mapstructure:"max-skew"`
	// AllowAhead are components that a cluster may have in a newer version
	// than the clusters before it.
	AllowAhead []string `mapstructure:"allow-ahead"`
}

// Cluster is a cluster as the tool knows it: a folder of clusters/.
type Cluster struct {
	Name string `mapstructure:"name"`
	// Interactive clusters may be changed from a file that isn't in git yet.
	Interactive bool `mapstructure:"interactive"`
}

// Rolling is the pace of rolling updates; the defaults are kops' own.
type Rolling struct {
	// Interval is the least time between two machines.
	Interval time.Duration `mapstructure:"interval"`
	// DrainDelay is the time between draining a node and stopping it.
	DrainDelay time.Duration `mapstructure:"drain-delay"`
	// ValidateTick is the time between two validations.
	ValidateTick time.Duration `mapstructure:"validate-tick"`
	// ValidateSuccess is how long a cluster must stay valid in between.
	ValidateSuccess time.Duration `mapstructure:"validate-success"`
}

// keys are the settings that the environment can override, with their
// defaults; lists and the clusters are the file's alone.
var keys = map[string]any{
	"api-proxy":                "",
	"kubeconfig":               "",
	"timeout":                  5 * time.Minute,
	"rolling.interval":         15 * time.Second,
	"rolling.drain-delay":      5 * time.Second,
	"rolling.validate-tick":    30 * time.Second,
	"rolling.validate-success": 10 * time.Second,
	"versions.max-skew":        1,
}

// ErrNoRepository means that no platform.yaml was found.
var ErrNoRepository = errors.New("no " + FileName + " here or in any folder above; run in a checkout of the platform's repository, or name one with --dir")

// Load finds platform.yaml in dir or above and reads it. Flags that were set
// win over the environment, which wins over the file. A flag's name is its
// key, dots as dashes.
func Load(dir string, flags *pflag.FlagSet) (*Config, error) {
	root, err := FindRoot(dir)
	if err != nil {
		return nil, err
	}
	v := viper.New()
	v.SetConfigFile(filepath.Join(root, FileName))
	v.SetEnvPrefix("PLATFORM")
	v.SetEnvKeyReplacer(strings.NewReplacer(".", "_", "-", "_"))
	for key, value := range keys {
		v.SetDefault(key, value)
		if err := v.BindEnv(key); err != nil {
			return nil, err
		}
		if flags == nil {
			continue
		}
		if flag := flags.Lookup(strings.ReplaceAll(key, ".", "-")); flag != nil {
			if err := v.BindPFlag(key, flag); err != nil {
				return nil, err
			}
		}
	}
	if err := v.ReadInConfig(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", v.ConfigFileUsed(), err)
	}
	c := &Config{Root: root}
	var decoded mapstructure.Metadata
	if err := v.Unmarshal(c, func(d *mapstructure.DecoderConfig) {
		d.Metadata = &decoded
		d.DecodeHook = mapstructure.ComposeDecodeHookFunc(d.DecodeHook, decodeDate)
	}); err != nil {
		return nil, fmt.Errorf("%s: %w", v.ConfigFileUsed(), err)
	}
	if len(decoded.Unused) > 0 {
		slices.Sort(decoded.Unused)
		key := decoded.Unused[0]
		return nil, fmt.Errorf("%s: there is no setting %q", place(v.ConfigFileUsed(), key), key)
	}
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", v.ConfigFileUsed(), err)
	}
	return c, nil
}

// place is the file and, where it can be found, the line of a key such as
// clusters[0].colour.
func place(file, key string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return file
	}
	last := regexp.QuoteMeta(key[strings.LastIndex(key, ".")+1:])
	// Keys may be quoted and in any case, and stand behind a dash or a brace.
	found := regexp.MustCompile(`(?im)^[^#\n]*?(?:^|[\s{,"'-])` + last + `["']?\s*:`).FindIndex(data)
	if found == nil {
		return file
	}
	return fmt.Sprintf("%s:%d", file, bytes.Count(data[:found[1]], []byte("\n"))+1)
}

// FindRoot gives the nearest folder with a platform.yaml, from dir upwards.
func FindRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, FileName)); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", ErrNoRepository
		}
		dir = parent
	}
}

func (c *Config) validate() error {
	if c.Repository == "" {
		return errors.New("repository: required: a name for this repository, such as example-platform")
	}
	if len(c.Clusters) == 0 {
		return errors.New("clusters: at least one is required")
	}
	seen := map[string]bool{}
	for i, cluster := range c.Clusters {
		switch {
		case cluster.Name == "":
			return fmt.Errorf("clusters[%d].name: required", i)
		case cluster.Name != filepath.Base(cluster.Name) || strings.HasPrefix(cluster.Name, "."):
			return fmt.Errorf("clusters[%d].name: %q is no folder of clusters/", i, cluster.Name)
		case seen[cluster.Name]:
			return fmt.Errorf("clusters[%d].name: %q is there twice", i, cluster.Name)
		}
		seen[cluster.Name] = true
	}
	if c.Versions.MaxSkew < 0 {
		return fmt.Errorf("versions.max-skew: want a number of minor versions, got %d", c.Versions.MaxSkew)
	}
	if c.Timeout <= 0 {
		return fmt.Errorf("timeout: want a positive duration such as 5m, got %s", c.Timeout)
	}
	return c.Drift.validate()
}

// ClusterNames lists the clusters in their order.
func (c *Config) ClusterNames() []string {
	names := make([]string, len(c.Clusters))
	for i, cluster := range c.Clusters {
		names[i] = cluster.Name
	}
	return names
}

// Cluster finds a cluster by name.
func (c *Config) Cluster(name string) (Cluster, error) {
	i := slices.IndexFunc(c.Clusters, func(k Cluster) bool { return k.Name == name })
	if i < 0 {
		return Cluster{}, fmt.Errorf("there is no cluster %q; %s knows %s", name, FileName, strings.Join(c.ClusterNames(), ", "))
	}
	return c.Clusters[i], nil
}

// KubeconfigPath is the file to write contexts to.
func (c *Config) KubeconfigPath() string {
	if c.Kubeconfig != "" {
		return c.Kubeconfig
	}
	if list := filepath.SplitList(os.Getenv("KUBECONFIG")); len(list) > 0 && list[0] != "" {
		return list[0]
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(".kube", "config")
	}
	return filepath.Join(home, ".kube", "config")
}
