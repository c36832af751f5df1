package pipeline

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"platform/internal/config"
	"platform/test/pipeline/actions"
	"platform/test/pipeline/declarative"
)

const root = "../.."

func read(t testing.TB, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func jenkinsfile(t testing.TB) *declarative.Pipeline {
	t.Helper()
	p, err := declarative.Parse(read(t, "Jenkinsfile"))
	if err != nil {
		t.Fatalf("Jenkinsfile:\n%v", err)
	}
	return p
}

const workflowFile = ".github/workflows/platform.yml"

func workflow(t testing.TB) *actions.Workflow {
	t.Helper()
	w, err := actions.Parse([]byte(read(t, workflowFile)), root)
	if err != nil {
		t.Fatalf("%s:\n%v", workflowFile, err)
	}
	return w
}

// clusters are those of platform.yaml, in the order in which changes reach them.
func clusters(t testing.TB) []string {
	t.Helper()
	c, err := config.Load(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.ClusterNames()
}

// jenkins is the configuration of the Jenkins that runs the pipeline.
type jenkins struct {
	Jenkins struct {
		Clouds []struct {
			Kubernetes struct {
				Templates []struct {
					Name       string
					Containers []struct{ Name string }
					EnvVars    []struct{ EnvVar struct{ Key string } }
				}
			}
		}
	}
	Credentials struct {
		System struct {
			DomainCredentials []struct {
				Credentials []struct{ UsernamePassword struct{ ID string } }
			}
		}
	}
	Jobs []struct{ Script string }
}

// controller reads what a cluster's Jenkins is configured by.
func controller(t testing.TB, cluster string) jenkins {
	t.Helper()
	var object struct{ Data map[string]string }
	if err := json.Unmarshal([]byte(read(t, "generated", cluster, "jenkins", "jenkins.config.json")), &object); err != nil {
		t.Fatal(err)
	}
	var j jenkins
	if err := json.Unmarshal([]byte(object.Data["jenkins.yaml"]), &j); err != nil {
		t.Fatal(err)
	}
	return j
}

// pluginsOf has the plugin of each step that the Jenkinsfile may use.
var pluginsOf = map[string]string{
	"archiveArtifacts": "workflow-aggregator",
	"echo":             "workflow-aggregator",
	"junit":            "junit",
	"kubernetes":       "kubernetes",
	"lock":             "lockable-resources",
	"sh":               "workflow-aggregator",
	"warnError":        "workflow-aggregator",
	"withCredentials":  "workflow-aggregator",
}

func TestControllerHasWhatThePipelineUses(t *testing.T) {
	p, j := jenkinsfile(t), controller(t, "int")
	plugins := read(t, "addons", "jenkins", "plugins.txt")
	for _, step := range p.Steps() {
		if plugin := pluginsOf[step]; plugin == "" || !regexp.MustCompile(`(?m)^`+plugin+`:`).MatchString(plugins) {
			t.Errorf("step %s needs plugin %q, which addons/jenkins/plugins.txt doesn't have", step, plugin)
		}
	}
	var containers, variables []string
	for _, template := range j.Jenkins.Clouds[0].Kubernetes.Templates {
		if template.Name != p.Pod {
			continue
		}
		for _, c := range template.Containers {
			containers = append(containers, c.Name)
		}
		for _, v := range template.EnvVars {
			variables = append(variables, v.EnvVar.Key)
		}
	}
	if !slices.Contains(containers, p.Container) {
		t.Errorf("pod template %q has containers %q, not %q", p.Pod, containers, p.Container)
	}
	for _, want := range []string{"AWS_CONFIG_FILE", "PUSHGATEWAY"} {
		if !slices.Contains(variables, want) {
			t.Errorf("agents have no %s", want)
		}
	}
	if !p.SingleBuild {
		t.Error("two builds of a job can run at once")
	}
	if id := j.Credentials.System.DomainCredentials[0].Credentials[0].UsernamePassword.ID; id != "forge" {
		t.Errorf("the credentials are called %q", id)
	}
	script := j.Jobs[0].Script
	for _, found := range regexp.MustCompile(`params\.(\w+)`).FindAllStringSubmatch(read(t, "Jenkinsfile"), -1) {
		if !strings.Contains(script, "Param('"+found[1]+"'") {
			t.Errorf("no job has the parameter %s", found[1])
		}
	}
	for _, found := range regexp.MustCompile(`expected: '(\w+)', actual: params\.TASK`).FindAllStringSubmatch(read(t, "Jenkinsfile"), -1) {
		if !strings.Contains(script, "onClusters('"+found[1]+"'") {
			t.Errorf("no job has the task %s", found[1])
		}
	}
	if strings.Contains(script, "${") {
		t.Error("configuration-as-code would fill in the ${ of the jobs")
	}
}

func TestOneJenkinsFollowsMain(t *testing.T) {
	var follow []string
	for _, cluster := range clusters(t) {
		if _, err := os.Stat(filepath.Join(root, "generated", cluster, "jenkins")); err != nil {
			continue
		}
		if script := controller(t, cluster).Jobs[0].Script; strings.Contains(script, "if (true) {\n    multibranchPipelineJob(") {
			follow = append(follow, cluster)
		}
	}
	if !slices.Equal(follow, []string{"int"}) {
		t.Errorf("main is deployed by the Jenkins of %q", follow)
	}
}

func TestScriptsCanRun(t *testing.T) {
	for _, name := range []string{"plan", "soak", "drift"} {
		info, err := os.Stat(filepath.Join(root, "ci", name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode()&0o111 == 0 {
			t.Errorf("ci/%s can't be executed", name)
		}
	}
}
