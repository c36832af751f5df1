package embedded

import (
	"fmt"
	"regexp"
	"strings"

	"platform/internal/check"
)

// pluginFile is the list of plugins that jenkins-plugin-cli installs.
func (p *program) pluginFile() (name, field string, file found, ok bool) {
	name, field, ok = p.flag("plugin-file", "f")
	if !ok {
		return "", "", found{}, false
	}
	return name, field, p.file(name), true
}

// jenkinsPlugins are the plugins that the pod of a Jenkins installs. It says
// whether they are known: an image may come with others.
func (c *cluster) jenkinsPlugins(controller *program) (map[string]bool, bool) {
	for _, p := range c.programs(named("jenkins-plugin-cli")) {
		if p.pod.Object.Unstructured != controller.pod.Object.Unstructured {
			continue
		}
		if _, _, file, ok := p.pluginFile(); ok && file.text != nil {
			plugins := map[string]bool{}
			eachPlugin(file.text.content, func(_ int, name, _ string) { plugins[name] = true })
			return plugins, true
		}
	}
	return nil, false
}

func eachPlugin(list string, f func(line int, name, version string)) {
	line := 0
	for entry := range strings.Lines(list) {
		line++
		entry, _, _ = strings.Cut(entry, "#")
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		name, version, _ := strings.Cut(entry, ":")
		f(line, name, version)
	}
}

var (
	pluginName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
	pluginVersion = regexp.MustCompile(`^(?:\d[\w.+-]*|incrementals;.+)(?::https?://\S+)?$`)
)

// pluginList checks a list of plugins.
func (p *program) pluginList() []check.Finding {
	name, field, file, ok := p.pluginFile()
	switch {
	case !ok:
		return nil
	case file.missing:
		return []check.Finding{p.at(field, fmt.Sprintf("the plugins are listed in %s, but %s", name, file.why), "Mount the list there, or name its place.")}
	case file.text == nil || !strings.HasSuffix(name, ".txt"):
		return nil
	}
	var out []check.Finding
	seen := map[string]int{}
	eachPlugin(file.text.content, func(line int, name, version string) {
		switch first := seen[name]; {
		case !pluginName.MatchString(name):
			out = append(out, file.text.at(line, fmt.Sprintf("%q is no name of a plugin", name), "Write name:version."))
		case first != 0:
			out = append(out, file.text.at(line, fmt.Sprintf("plugin %s is there twice, before in line %d", name, first), "Leave one of them."))
		case !pluginVersion.MatchString(version):
			out = append(out, file.text.at(line, fmt.Sprintf("plugin %s has no exact version", name), "Write name:version: else each start may install others."))
		default:
			seen[name] = line
		}
	})
	return out
}
