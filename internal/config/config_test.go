package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

const good = `repository: example
clusters:
  - name: dev
    interactive: true
  - name: int
rolling:
  interval: 20s
`

func write(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLoadPrecedence(t *testing.T) {
	root := write(t, good)
	below := filepath.Join(root, "clusters", "dev")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := Load(below, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Root != root || c.Timeout != 5*time.Minute || c.Rolling.Interval != 20*time.Second || c.Rolling.DrainDelay != 5*time.Second {
		t.Errorf("from the file and the defaults: %+v", c)
	}
	t.Setenv("PLATFORM_ROLLING_INTERVAL", "1s")
	t.Setenv("PLATFORM_TIMEOUT", "7m")
	t.Setenv("PLATFORM_API_PROXY", "http://bastion:3128")
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.Duration("timeout", 0, "")
	if err := flags.Set("timeout", "9m"); err != nil {
		t.Fatal(err)
	}
	c, err = Load(root, flags)
	if err != nil {
		t.Fatal(err)
	}
	if c.Rolling.Interval != time.Second || c.Timeout != 9*time.Minute || c.APIProxy != "http://bastion:3128" {
		t.Errorf("environment over file, flag over environment: %+v", c)
	}
	if _, err := c.Cluster("prod"); err == nil || !strings.Contains(err.Error(), `no cluster "prod"; platform.yaml knows dev, int`) {
		t.Errorf("an unknown cluster: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"no repository", "clusters: [{name: dev}]\n", "repository: required"},
		{"no clusters", "repository: x\n", "clusters: at least one"},
		{"twice", "repository: x\nclusters: [{name: dev}, {name: dev}]\n", `"dev" is there twice`},
		{"path", "repository: x\nclusters: [{name: ../dev}]\n", "is no folder of clusters/"},
		{"unknown key", good + "colour: blue\n", `platform.yaml:8: there is no setting "colour"`},
		{"unknown key of a cluster", "repository: x\nclusters:\n  - name: dev\n    colour: blue\n", `platform.yaml:4: there is no setting "clusters[0].colour"`},
		{"bad duration", good + "timeout: soon\n", "timeout"},
		{"negative", good + "timeout: -5m\n", "timeout: want a positive duration"},
		{"no YAML", "repository: [\n", "reading"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(write(t, test.text), nil)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), FileName) {
				t.Errorf("got %v, want it to name %s and contain %q", err, FileName, test.want)
			}
		})
	}
	if _, err := Load(t.TempDir(), nil); !errors.Is(err, ErrNoRepository) {
		t.Errorf("without a repository: %v", err)
	}
}

func TestKubeconfigPath(t *testing.T) {
	t.Setenv("KUBECONFIG", "/a/config"+string(filepath.ListSeparator)+"/b/config")
	if got := (&Config{}).KubeconfigPath(); got != "/a/config" {
		t.Errorf("first of KUBECONFIG: %s", got)
	}
	if got := (&Config{Kubeconfig: "/c"}).KubeconfigPath(); got != "/c" {
		t.Errorf("the setting: %s", got)
	}
}
