package pipeline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"platform/test/pipeline/actions"
	"platform/test/pipeline/declarative"
)

// trigger is something that starts the pipelines, as each of them sees it.
type trigger struct {
	build declarative.Build
	event map[string]string
	// want are the commands that run if none fails, as normal gives them.
	want []string
	// group is the concurrency group of GitHub's run.
	group string
}

const repository = "acme/platform"

// job is a manual job's build.
func job(task string, more ...string) (declarative.Build, map[string]string) {
	params := map[string]string{"TASK": task}
	event := map[string]string{"github.event_name": "workflow_dispatch", "inputs.task": task}
	for i := 0; i < len(more); i += 2 {
		params[strings.ToUpper(more[i])] = more[i+1]
		event["inputs."+more[i]] = more[i+1]
	}
	return declarative.Build{Params: params}, event
}

func triggers() map[string]trigger {
	all := map[string]trigger{
		"pull request": {
			build: declarative.Build{Branch: "PR-12", Change: "12"},
			event: map[string]string{
				"github.event_name": "pull_request", "github.repository": repository, "github.ref": "refs/pull/12/merge",
				"github.event.pull_request.head.repo.full_name": repository,
			},
			want:  []string{"make build", "platform check", "ci/plan dev", "ci/plan int", "ci/plan web", "plancomment dev int web"},
			group: "refs/pull/12/merge",
		},
		"merge": {
			build: declarative.Build{Branch: "main"},
			event: map[string]string{"github.event_name": "push", "github.ref": "refs/heads/main"},
			want: []string{
				"make build", "platform check",
				"platform up dev --yes", "ci/soak dev", "platform up int --yes", "ci/soak int", "platform up web --yes", "ci/soak web",
			},
			group: "clusters",
		},
		"nightly": {
			build: declarative.Build{Params: map[string]string{"TASK": "nightly", "CLUSTER": "all"}},
			event: map[string]string{"github.event_name": "schedule"},
			want:  []string{"make build", "ci/drift"},
			group: "nightly",
		},
	}
	add := func(name string, want []string, task string, more ...string) {
		t := trigger{want: append([]string{"make build"}, want...), group: "clusters"}
		t.build, t.event = job(task, more...)
		all[name] = t
	}
	add("sync", []string{"platform sync --dry-run", "platform sync --yes"}, "sync")
	add("rebuild", []string{"platform rebuild web --from v1.2 --yes"}, "rebuild", "cluster", "web", "ref", "v1.2")
	add("deploy all", all["merge"].want[1:], "deploy", "cluster", "all")
	add("deploy int", []string{"platform check", "platform up int --yes", "ci/soak int"}, "deploy", "cluster", "int")
	add("deploy web", []string{"platform check", "platform up web --yes", "ci/soak web"}, "deploy", "cluster", "web")
	return all
}

var (
	command  = regexp.MustCompile(`make \w+|bin/platform [^|&>]*|ci/\w+ ?[^|&>]*|go run \./ci/plancomment .*`)
	variable = regexp.MustCompile(`"\$(\w+)"`)
	reports  = regexp.MustCompile(`--output \w+`)
)

// normal are the commands of ours in a script, without what differs between the
// pipelines for good reasons: how findings are reported, and where addresses come
// from.
func normal(script string, env map[string]string) []string {
	script = variable.ReplaceAllStringFunc(script, func(found string) string {
		if value, ok := env[strings.Trim(found, `"$`)]; ok {
			return value
		}
		return found
	})
	var out []string
	for _, found := range command.FindAllString(script, -1) {
		if args, ok := strings.CutPrefix(found, "go run ./ci/plancomment "); ok {
			fields := strings.Fields(args)
			found = "plancomment " + strings.Join(fields[len(fields)-3:], " ")
		}
		found = strings.TrimPrefix(reports.ReplaceAllString(found, ""), "bin/")
		out = append(out, strings.Join(strings.Fields(found), " "))
	}
	return out
}

// listener runs nothing, and lets the command that is named fail.
type listener struct {
	fails func(string) bool
}

func (l listener) Sh(c declarative.Command) int {
	for _, one := range normal(c.Script, c.Params) {
		if l.fails(one) {
			return 1
		}
	}
	return 0
}
func (listener) JUnit(string) error         { return nil }
func (listener) Archive(string, bool) error { return nil }

// byJenkins and byGitHub give what each pipeline runs.
func byJenkins(p *declarative.Pipeline, tr trigger, fails func(string) bool) []string {
	tr.build.Host = listener{fails}
	var out []string
	for _, script := range p.Run(tr.build).Scripts() {
		out = append(out, normal(script, tr.build.Params)...)
	}
	return out
}

func byGitHub(t *testing.T, w *actions.Workflow, tr trigger, fails func(string) bool) []string {
	t.Helper()
	commands, _, err := w.Run(actions.Event{Values: tr.event, Fails: func(c actions.Command) bool {
		return slices.ContainsFunc(normal(c.Script, c.Env), fails)
	}})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range commands {
		out = append(out, normal(c.Script, c.Env)...)
	}
	return out
}

// TestBothRunTheSame lets each command of each trigger fail in turn, and none.
// What runs is what runs before it, and for some of them something after.
func TestBothRunTheSame(t *testing.T) {
	p, w := jenkinsfile(t), workflow(t)
	for name, tr := range triggers() {
		for _, failing := range append([]string{"nothing"}, tr.want...) {
			want := tr.want
			if at := slices.Index(tr.want, failing); at >= 0 {
				want = tr.want[:at+1]
				if strings.HasPrefix(failing, "ci/plan ") {
					// The others are planned, and reviewers are told.
					want = tr.want
				}
			}
			fails := func(one string) bool { return one == failing }
			if got := byJenkins(p, tr, fails); !slices.Equal(got, want) {
				t.Errorf("%s, %s fails: the Jenkinsfile runs\n  %q\nwant\n  %q", name, failing, got, want)
			}
			if got := byGitHub(t, w, tr, fails); !slices.Equal(got, want) {
				t.Errorf("%s, %s fails: the workflow runs\n  %q\nwant\n  %q", name, failing, got, want)
			}
		}
	}
}

func TestAForkIsCheckedAndNotPlanned(t *testing.T) {
	tr := triggers()["pull request"]
	tr.event["github.event.pull_request.head.repo.full_name"] = "somebody/platform"
	got := byGitHub(t, workflow(t), tr, func(string) bool { return false })
	if want := []string{"make build", "platform check"}; !slices.Equal(got, want) {
		t.Errorf("a fork's pull request runs %q, want %q", got, want)
	}
}

// TestOneDeploymentAtATime: what changes a cluster holds its lock, or is in the
// one group.
func TestOneDeploymentAtATime(t *testing.T) {
	p, w := jenkinsfile(t), workflow(t)
	for name, tr := range triggers() {
		tr.build.Host = listener{func(string) bool { return false }}
		for _, e := range p.Run(tr.build).Ran {
			for _, one := range normal(e.What, tr.build.Params) {
				var want []string
				switch fields := strings.Fields(one); {
				case strings.HasPrefix(one, "platform sync --yes"):
					for _, cluster := range clusters(t) {
						want = append(want, "cluster-"+cluster)
					}
				case strings.HasPrefix(one, "platform up"), strings.HasPrefix(one, "platform rebuild"):
					want = []string{"cluster-" + fields[2]}
				case strings.HasPrefix(one, "ci/soak"):
					want = []string{"cluster-" + fields[1]}
				}
				if e.Step == "sh" && !slices.Equal(e.Locks, want) {
					t.Errorf("%s: %s holds locks %q, want %q", name, one, e.Locks, want)
				}
			}
		}
		group, cancels, err := w.Group(actions.Event{Values: tr.event})
		if err != nil {
			t.Fatal(err)
		}
		if group != tr.group || cancels != (name == "pull request") {
			t.Errorf("%s: the workflow's group is %q, want %q; a newer run cancels it: %t", name, group, tr.group, cancels)
		}
	}
}

func TestSomebodyIsAskedFirst(t *testing.T) {
	p, w := jenkinsfile(t), workflow(t)
	for name, question := range map[string]string{"sync": "Upgrade the clusters as planned above?", "rebuild": "Rebuild web from v1.2?"} {
		tr := triggers()[name]
		tr.build.Host = listener{func(string) bool { return false }}
		asked := false
		for _, e := range p.Run(tr.build).Ran {
			asked = asked || e.Step == "input" && e.What == question
			if strings.Contains(e.What, "--yes") && !asked {
				t.Errorf("%s: %s is run before anybody was asked %q", name, e.What, question)
			}
		}
		if w.Jobs[name].Environment != name {
			t.Errorf("the workflow's job %s has the environment %q, which asks nobody", name, w.Jobs[name].Environment)
		}
	}
}

// TestRoles: only jobs of an environment, which can be protected, become the role
// that may change clusters.
func TestRoles(t *testing.T) {
	for name, j := range workflow(t).Jobs {
		role := ""
		for _, step := range j.Steps {
			if value, ok := step.With["role"]; ok {
				role = fmt.Sprint(value)
			}
		}
		if (j.Permissions["id-token"] == "write") != (role != "") {
			t.Errorf("job %s becomes the role %q with the permissions %v", name, role, j.Permissions)
		}
		if strings.Contains(role, "DEPLOY") != (j.Environment != "") {
			t.Errorf("job %s becomes the role %q in the environment %q", name, role, j.Environment)
		}
	}
}

// TestClustersAreThose: the pipelines name the clusters, in the order of
// platform.yaml.
func TestClustersAreThose(t *testing.T) {
	all := clusters(t)
	want := []string{"make build", "platform check"}
	for _, cluster := range all {
		want = append(want, "platform up "+cluster+" --yes", "ci/soak "+cluster)
	}
	if got := triggers()["merge"].want; !slices.Equal(got, want) {
		t.Errorf("a merge runs %q, want %q", got, want)
	}
	if got := workflow(t).Jobs["plan"].Strategy.Matrix["cluster"]; !slices.Equal(got, all) {
		t.Errorf("the workflow plans %q, want %q", got, all)
	}
	script := controller(t, "int").Jobs[0].Script
	for _, want := range []string{"['all', '" + strings.Join(all, "', '") + "']", "['dev', 'web'], true)"} {
		if !strings.Contains(script, want) {
			t.Errorf("the jobs of int's Jenkins don't offer %s", want)
		}
	}
}
