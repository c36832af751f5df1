package embedded

import (
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"platform/internal/check"
	"platform/internal/check/spelling"
)

const fixJenkins = "Mend it in the stack that renders it."

func findJenkins(ctx context.Context, r *check.Repository) ([]check.Finding, error) {
	return each(ctx, r, func(c *cluster) []check.Finding {
		var out []check.Finding
		for _, p := range c.programs(named("jenkins")) {
			out = append(out, p.jenkins()...)
		}
		for _, p := range c.programs(named("jenkins-plugin-cli")) {
			out = append(out, p.pluginList()...)
		}
		return out
	})
}

// jenkins checks the files of configuration that a controller reads.
func (p *program) jenkins() []check.Finding {
	value, explicit := p.env.value("CASC_JENKINS_CONFIG")
	if !explicit {
		if p.env.has("CASC_JENKINS_CONFIG") {
			return nil
		}
		value = "/var/jenkins_home/jenkins.yaml"
	}
	j := &jenkins{program: p}
	j.plugins, j.pluginsKnown = p.cluster.jenkinsPlugins(p)
	var out []check.Finding
	for place := range strings.SplitSeq(value, ",") {
		place = strings.TrimSpace(place)
		if place == "" || strings.Contains(place, "://") {
			continue
		}
		files, open := p.cascFiles(place)
		if len(files) == 0 && !open && explicit {
			out = append(out, p.at(".env", fmt.Sprintf("CASC_JENKINS_CONFIG is %s, where there is no file", place), "Mount the configuration there, or name its place."))
		}
		for _, file := range files {
			out = append(out, j.file(file.text)...)
		}
	}
	return out
}

// cascFiles are the files at a place, which is a file or a folder.
func (p *program) cascFiles(place string) (files []namedText, open bool) {
	if m, rest, ok := p.mountOf(place); ok && m.files[rest] != nil {
		return []namedText{{place, m.files[rest]}}, false
	}
	for _, pattern := range []string{"*.yaml", "*.yml"} {
		found, more := p.glob(path.Join(place, pattern))
		files, open = append(files, found...), open || more
	}
	return files, open
}

// jenkins is a controller whose configuration is looked at.
type jenkins struct {
	*program
	plugins      map[string]bool
	pluginsKnown bool
	t            *text
	out          []check.Finding
}

func (j *jenkins) add(node *yaml.Node, format string, args ...any) {
	j.out = append(j.out, j.t.at(node.Line, fmt.Sprintf(format, args...), fixJenkins))
}

func (j *jenkins) file(t *text) []check.Finding {
	j.t, j.out = t, nil
	var content any
	if err := yaml.Unmarshal([]byte(t.content), &content); err != nil {
		for _, problem := range problems(err) {
			j.out = append(j.out, t.at(problem.line, problem.message, fixJenkins))
		}
		return j.out
	}
	document := parseYAML(t.content)
	if len(document.Content) == 0 {
		return []check.Finding{t.at(0, "there is no configuration in it", fixJenkins)}
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return []check.Finding{t.at(root.Line, "it isn't a map of parts such as jenkins", fixJenkins)}
	}
	j.roots(root)
	j.needPlugins(root)
	j.spelling(root)
	j.executors(root)
	j.secrets(root)
	j.jobs(root)
	j.podTemplates(root)
	j.variables(root)
	return j.out
}

// cascRoots are the parts that a configuration may have, with the plugin that
// reads them where it isn't configuration-as-code itself or one that comes with
// every other.
var cascRoots = map[string]string{
	"appearance":                     "",
	"configuration-as-code":          "",
	"credentials":                    "",
	"globalCredentialsConfiguration": "",
	"groovy":                         "configuration-as-code-groovy",
	"jenkins":                        "",
	"jobs":                           "job-dsl",
	"security":                       "",
	"support":                        "support-core",
	"tool":                           "",
	"unclassified":                   "",
}

func (j *jenkins) roots(root *yaml.Node) {
	if j.pluginsKnown && !j.plugins["configuration-as-code"] {
		j.add(root, "the plugin that reads it, configuration-as-code, isn't installed")
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key := root.Content[i]
		// x-… is where YAML anchors are put.
		if strings.HasPrefix(key.Value, "x-") {
			continue
		}
		plugin, known := cascRoots[key.Value]
		switch {
		case !known:
			j.add(key, "Jenkins has no part %s; there are %s", key.Value, strings.Join(slices.Sorted(maps.Keys(cascRoots)), ", "))
		case plugin != "" && j.pluginsKnown && !j.plugins[plugin]:
			j.add(key, "%s needs the plugin %s, which isn't installed", key.Value, plugin)
		}
	}
}

// cascPlugins are plugins by what they read, where their name isn't plain from
// that. Lists are passed through.
var cascPlugins = map[string]string{
	"jenkins.authorizationStrategy.globalMatrix":    "matrix-auth",
	"jenkins.authorizationStrategy.projectMatrix":   "matrix-auth",
	"jenkins.authorizationStrategy.roleBased":       "role-strategy",
	"jenkins.clouds.amazonEC2":                      "ec2",
	"jenkins.clouds.docker":                         "docker-plugin",
	"jenkins.clouds.kubernetes":                     "kubernetes",
	"jenkins.securityRealm.activeDirectory":         "active-directory",
	"jenkins.securityRealm.github":                  "github-oauth",
	"jenkins.securityRealm.ldap":                    "ldap",
	"jenkins.securityRealm.oic":                     "oic-auth",
	"jenkins.securityRealm.saml":                    "saml",
	"unclassified.lockableResourcesManager":         "lockable-resources",
	"unclassified.prometheusConfiguration":          "prometheus",
	"unclassified.slackNotifier":                    "slack",
	"unclassified.email-ext":                        "email-ext",
	"unclassified.sonarGlobalConfiguration":         "sonar",
	"unclassified.kubernetesCredentialsProviderCfg": "kubernetes-credentials-provider",
}

// needPlugins finds parts that belong to plugins which aren't installed. Such as
// come with others as their dependencies aren't in the table.
func (j *jenkins) needPlugins(root *yaml.Node) {
	if !j.pluginsKnown {
		return
	}
	walk(root, nil, func(path []string, key, _ *yaml.Node) {
		name := strings.Join(append(path[:len(path):len(path)], key.Value), ".")
		if plugin := cascPlugins[name]; plugin != "" && !j.plugins[plugin] {
			j.add(key, "%s needs the plugin %s, which isn't installed", name, plugin)
		}
	})
}

// attributes are those of the parts that are written most often. Plugins may add
// to them, so only what comes close to one of them is taken for a mistake.
var attributes = map[string][]string{
	"jenkins": {
		"agentProtocols", "authorizationStrategy", "clouds", "crumbIssuer", "disableRememberMe",
		"disabledAdministrativeMonitors", "globalNodeProperties", "labelAtoms", "labelString", "log",
		"markupFormatter", "mode", "myViewsTabBar", "noUsageStatistics", "nodeMonitors", "nodes",
		"numExecutors", "primaryView", "projectNamingStrategy", "proxy", "quietPeriod", "rawBuildsDir",
		"remotingSecurity", "scmCheckoutRetryCount", "securityRealm", "slaveAgentPort", "systemMessage",
		"updateCenter", "views", "viewsTabBar",
	},
	"jenkins.clouds.kubernetes": {
		"capOnlyOnAlivePods", "connectTimeout", "containerCap", "containerCapStr", "credentialsId",
		"defaultsProviderTemplate", "directConnection", "garbageCollection", "jenkinsTunnel", "jenkinsUrl",
		"maxRequestsPerHost", "maxRequestsPerHostStr", "name", "namespace", "podLabels", "podRetention",
		"readTimeout", "restrictedPssSecurityContext", "retentionTimeout", "serverCertificate", "serverUrl",
		"skipTlsVerify", "templates", "usageRestricted", "useJenkinsProxy", "waitForPodSec", "webSocket",
	},
	"jenkins.clouds.kubernetes.templates": {
		"activeDeadlineSeconds", "agentContainer", "agentInjection", "annotations", "containers", "envVars",
		"hostNetwork", "id", "idleMinutes", "imagePullSecrets", "inheritFrom", "instanceCap", "instanceCapStr",
		"label", "name", "namespace", "nodeProperties", "nodeSelector", "nodeUsageMode", "podRetention",
		"runAsGroup", "runAsUser", "serviceAccount", "showRawYaml", "slaveConnectTimeout",
		"supplementalGroups", "unwrapped", "volumes", "workspaceVolume", "yaml", "yamlMergeStrategy", "yamls",
	},
}

func (j *jenkins) spelling(root *yaml.Node) {
	walk(root, nil, func(path []string, key, _ *yaml.Node) {
		known, ok := attributes[strings.Join(path, ".")]
		if !ok || slices.Contains(known, key.Value) {
			return
		}
		if near := spelling.Closest(key.Value, known); near != "" {
			j.add(key, "%s has no %s; it has %s", strings.Join(path, "."), key.Value, near)
		}
	})
}

// executors checks that nothing is built beside the configuration and its
// secrets.
func (j *jenkins) executors(root *yaml.Node) {
	key, controller := field(root, "jenkins")
	if controller == nil {
		return // in another file
	}
	_, executors := field(controller, "numExecutors")
	if executors == nil {
		j.add(key, "numExecutors isn't set: the controller itself would build")
	} else if executors.Value != "0" {
		j.add(executors, "numExecutors is %s: the controller itself builds", executors.Value)
	}
}

var secretKey = regexp.MustCompile(`(?i)(?:password|passphrase|secret|token|privatekey|secretkey|apikey)$`)

// secrets finds secrets in the clear. Jenkins' own encryption, {…}, is none.
func (j *jenkins) secrets(root *yaml.Node) {
	walk(root, nil, func(_ []string, key, value *yaml.Node) {
		if value.Kind != yaml.ScalarNode || value.Tag != "!!str" || !secretKey.MatchString(key.Value) {
			return
		}
		s := value.Value
		if s == "" || strings.Contains(s, "${") || strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") {
			return
		}
		j.add(value, "%s is in the clear", key.Value)
	})
}

// jobs checks scripts of the plugin job-dsl.
func (j *jenkins) jobs(root *yaml.Node) {
	_, jobs := field(root, "jobs")
	if jobs == nil {
		return
	}
	if jobs.Kind != yaml.SequenceNode {
		j.add(jobs, "jobs isn't a list")
		return
	}
	for _, job := range jobs.Content {
		_, script := field(job, "script")
		_, file := field(job, "file")
		_, url := field(job, "url")
		switch {
		case script != nil && strings.TrimSpace(script.Value) == "":
			j.add(script, "the script of a job is empty")
		case script != nil:
			if problem, ok := groovyProblem(script.Value); !ok {
				j.add(script, "line %d of the script: %s", problem.line, problem.message)
			}
		case file != nil:
			if found := j.program.file(file.Value); found.missing {
				j.add(file, "the script is %s, but %s", file.Value, found.why)
			}
		case url == nil:
			j.add(job, "a job has neither script nor file nor url")
		}
	}
}

// podTemplates checks what pod templates have as text.
func (j *jenkins) podTemplates(root *yaml.Node) {
	walk(root, nil, func(path []string, key, value *yaml.Node) {
		if strings.Join(path, ".") != "jenkins.clouds.kubernetes.templates" || key.Value != "yaml" || value.Kind != yaml.ScalarNode {
			return
		}
		var pod struct {
			Kind string         `yaml:"kind"`
			Spec map[string]any `yaml:"spec"`
		}
		err := yaml.Unmarshal([]byte(value.Value), &pod)
		switch {
		case err != nil:
			for _, problem := range problems(err) {
				j.add(value, "in a pod template: %s", atLine(problem.line, problem.message))
			}
		case pod.Kind != "" && pod.Kind != "Pod":
			j.add(value, "in a pod template: the kind is %s, and not Pod", pod.Kind)
		case len(pod.Spec) == 0:
			j.add(value, "in a pod template: there is no spec")
		}
	})
}

// variables checks that each ${…} stands for something. Jenkins takes one that
// doesn't for empty.
func (j *jenkins) variables(root *yaml.Node) {
	scalars(root, func(value *yaml.Node) {
		for _, v := range cascVariables(value.Value) {
			switch {
			case v.file != "":
				if found := j.program.file(v.file); found.missing {
					j.add(value, "it reads %s, but %s", v.file, found.why)
				}
			case !v.hasDefault && !j.provides(v.name):
				j.add(value, "nothing provides the variable %s", v.name)
			}
		}
	})
}

// provides says whether a variable has a value: the environment's, or that of a
// file of its name. What is optional doesn't count.
func (j *jenkins) provides(name string) bool {
	if j.env.has(name) {
		return true
	}
	dir := "/run/secrets"
	if value, ok := j.env.value("SECRETS"); ok {
		dir = value
	}
	m, rest, ok := j.mountOf(path.Join(dir, name))
	if !ok {
		return false
	}
	_, known := m.files[rest]
	return known || m.open
}

// cascVariable is a ${…}.
type cascVariable struct {
	name       string
	hasDefault bool
	// file is what it reads, in place of a variable.
	file string
}

// lookups are what may stand before a colon in a variable, with those that read
// a file.
var lookups = map[string]bool{
	"base64": false, "decodeBase64": false, "file": true, "fileBase64": true, "json": false,
	"readFile": true, "readFileBase64": true, "sysProp": false, "trim": false,
}

// cascVariables are the variables of a text. ^${ is how a ${ is written that
// isn't one.
func cascVariables(s string) []cascVariable {
	var out []cascVariable
	for {
		start := strings.Index(s, "${")
		if start < 0 {
			return out
		}
		escaped := start > 0 && s[start-1] == '^'
		inner, rest, closed := cutVariable(s[start+2:])
		if !closed {
			return out
		}
		s = rest
		if escaped {
			continue
		}
		out = append(out, cascVariables(inner)...)
		if lookup, argument, ok := strings.Cut(inner, ":"); ok && !strings.HasPrefix(argument, "-") {
			if reads, known := lookups[lookup]; known {
				if reads && !strings.Contains(argument, "${") {
					out = append(out, cascVariable{file: argument})
				}
				continue
			}
		}
		name, _, hasDefault := strings.Cut(inner, ":-")
		if !strings.Contains(name, "${") {
			out = append(out, cascVariable{name: name, hasDefault: hasDefault})
		}
	}
}

// cutVariable cuts a text behind ${ at the } that ends it.
func cutVariable(s string) (inner, rest string, closed bool) {
	depth := 1
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "${"):
			depth++
			i++
		case s[i] == '}':
			if depth--; depth == 0 {
				return s[:i], s[i+1:], true
			}
		}
	}
	return "", "", false
}
