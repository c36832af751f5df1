package embedded

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	blackbox "github.com/prometheus/blackbox_exporter/config"
	"go.yaml.in/yaml/v3"

	"platform/internal/check"
)

const fixBlackbox = "Mend it in the stack that renders it. It is read by the exporter's own code."

// blackbox checks the configuration of the cluster's blackbox exporters and gives
// the modules that they have.
func (c *cluster) blackbox() (map[string]bool, []check.Finding) {
	modules := map[string]bool{}
	var out []check.Finding
	is := func(name string) bool { return name == "blackbox-exporter" || name == "blackbox_exporter" }
	for _, p := range c.programs(is) {
		name, field, explicit := p.flag("config.file")
		if !explicit {
			continue // the image's
		}
		file := p.file(name)
		if file.missing {
			out = append(out, p.at(field, fmt.Sprintf("--config.file is %s, but %s", name, file.why), "Mount the configuration there, or name its place."))
		}
		if file.text == nil {
			continue
		}
		configuration, err := readBlackbox(file.text.content)
		load := func(content string) error {
			_, err := readBlackbox(content)
			return err
		}
		if err != nil {
			for _, problem := range loadProblems(file.text.content, load) {
				out = append(out, file.text.at(problem.line, problem.message, fixBlackbox))
			}
			continue
		}
		for name := range configuration.Modules {
			modules[name] = true
		}
	}
	return modules, out
}

// probers are what a module can try. The exporter looks for the name when it is
// asked, not when it loads.
var probers = []string{"dns", "grpc", "http", "icmp", "tcp", "unix"}

func readBlackbox(content string) (*blackbox.Config, error) {
	out := &blackbox.Config{}
	decoder := yaml.NewDecoder(strings.NewReader(content))
	decoder.KnownFields(true)
	err := guarded(func() error { return decoder.Decode(out) })
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	names := make([]string, 0, len(out.Modules))
	for name := range out.Modules {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if prober := out.Modules[name].Prober; !slices.Contains(probers, prober) {
			return nil, fmt.Errorf("module %s has prober %q; there are %s", name, prober, strings.Join(probers, ", "))
		}
	}
	return out, nil
}
