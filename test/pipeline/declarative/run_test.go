package declarative

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// recorder is a host on which some scripts fail.
type recorder struct {
	mu       sync.Mutex
	codes    map[string]int
	commands []Command
	noTests  bool
	// together waits until so many scripts run at once.
	together *sync.WaitGroup
}

func (h *recorder) Sh(c Command) int {
	h.mu.Lock()
	h.commands = append(h.commands, c)
	h.mu.Unlock()
	if h.together != nil {
		h.together.Done()
		h.together.Wait()
	}
	return h.codes[c.Script]
}

func (h *recorder) JUnit(string) error {
	if h.noTests {
		return errors.New("no test results")
	}
	return nil
}

func (h *recorder) Archive(string, bool) error { return nil }

func run(t *testing.T, source string, b Build) (Result, *recorder) {
	t.Helper()
	p, err := Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	h, ok := b.Host.(*recorder)
	if !ok {
		h = &recorder{}
		b.Host = h
	}
	return p.Run(b), h
}

func sh(name string) string { return fmt.Sprintf("stage('%s') { steps { sh '%s' } }\n", name, name) }

func TestFirstFailureEndsIt(t *testing.T) {
	source := pipeline(sh("a") + "stage('b') { stages { " + sh("c") + sh("d") + " }\n post { always { sh 'p' } } }\n" + sh("e"))
	for failing, want := range map[string]string{
		"":  "a c d p e SUCCESS",
		"a": "a FAILURE",
		"c": "a c p FAILURE",
		"p": "a c d p FAILURE",
		"e": "a c d p e FAILURE",
	} {
		r, _ := run(t, source, Build{Host: &recorder{codes: map[string]int{failing: 1}}})
		if got := strings.Join(append(r.Scripts(), r.Status.String()), " "); got != want {
			t.Errorf("%q fails: got %s, want %s", failing, got, want)
		}
	}
}

func TestParallelStagesRunAtOnceAndToTheirEnds(t *testing.T) {
	source := pipeline("stage('all') { parallel { " + sh("a") + sh("b") + sh("c") + " }\n post { failure { sh 'p' } } }\n" + sh("d"))
	h := &recorder{codes: map[string]int{"a": 1}, together: &sync.WaitGroup{}}
	h.together.Add(3 + 1) // p comes after
	go func() { h.together.Done() }()
	p, err := Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	p.Stages[0].post = nil
	r := p.Run(Build{Host: h})
	if got := strings.Join(r.Scripts(), " "); got != "a b c" || r.Status != Failure {
		t.Errorf("got %s, %s", got, r.Status)
	}
	r, _ = run(t, source, Build{Host: &recorder{codes: map[string]int{"a": 1}}})
	if got := strings.Join(r.Scripts(), " "); got != "a b c p" {
		t.Errorf("with what follows on a failure: %s", got)
	}
}

func TestConditions(t *testing.T) {
	main := Build{Branch: "main"}
	pull := Build{Branch: "PR-7", Change: "7"}
	job := Build{Params: map[string]string{"TASK": "deploy"}}
	for condition, want := range map[string]string{
		"branch 'main'":   "main",
		"branch 'PR-*'":   "pull",
		"changeRequest()": "pull",
		"equals expected: 'deploy', actual: params.TASK":                           "job",
		"equals expected: null, actual: params.TASK":                               "main pull",
		"not { branch 'main' }":                                                    "pull job",
		"anyOf { changeRequest(); branch 'main' }":                                 "main pull",
		"allOf { changeRequest()\n not { branch 'PR-7' }}":                         "",
		"changeRequest()\nbranch 'PR-7'":                                           "pull",
		"anyOf { branch 'main'\nequals(expected: 'deploy', actual: params.TASK) }": "main job",
	} {
		var got []string
		for _, b := range []struct {
			name string
			Build
		}{{"main", main}, {"pull", pull}, {"job", job}} {
			r, _ := run(t, pipeline("stage('a') { when { "+condition+" }\nsteps { sh 'x' } }"), b.Build)
			if len(r.Ran) == 1 {
				got = append(got, b.name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s holds for %q, want %s", condition, got, want)
		}
	}
}

func TestPost(t *testing.T) {
	post := "post { cleanup { sh 'cleanup' }\n unsuccessful { sh 'unsuccessful' }\n success { sh 'success' }\n unstable { sh 'unstable' }\n failure { sh 'failure' }\n always { sh 'always' } }"
	steps := pipeline("stage('a') { steps { sh 'x'\n warnError('careful') { sh 'y' } }\n" + post + " }")
	for failing, want := range map[string]string{
		"":  "x y always success cleanup SUCCESS",
		"x": "x always failure unsuccessful cleanup FAILURE",
		"y": "x y always unstable unsuccessful cleanup UNSTABLE",
	} {
		r, _ := run(t, steps, Build{Host: &recorder{codes: map[string]int{failing: 2}}})
		if got := strings.Join(append(r.Scripts(), r.Status.String()), " "); got != want {
			t.Errorf("%q fails: got %s, want %s", failing, got, want)
		}
	}
}

func TestWhatSurroundsAStep(t *testing.T) {
	_, h := run(t, pipeline(`stage('a') {
		input { message "Really ${params.CLUSTER}?" }
		steps {
			lock("cluster-${params.CLUSTER}") {
				withCredentials([usernamePassword(credentialsId: 'forge', usernameVariable: 'U', passwordVariable: 'P')]) {
					sh 'x'
				}
			}
			lock(resource: 'a', extra: [[resource: 'b'], [resource: 'c']]) { sh script: '''y
z''', label: 'two lines' }
		}
	}`), Build{Params: map[string]string{"CLUSTER": "dev"}})
	if len(h.commands) != 2 {
		t.Fatalf("%+v", h.commands)
	}
	x, y := h.commands[0], h.commands[1]
	if !slices.Equal(x.Locks, []string{"cluster-dev"}) || x.Secrets["P"] != "forge/password" || x.Params["CLUSTER"] != "dev" {
		t.Errorf("the first command: %+v", x)
	}
	if !slices.Equal(y.Locks, []string{"a", "b", "c"}) || len(y.Secrets) > 0 || y.Script != "y\nz" {
		t.Errorf("the second command: %+v", y)
	}
}

func TestQuestionsAndResults(t *testing.T) {
	source := pipeline("stage('a') { input { message \"Really ${params.CLUSTER}?\" }\n steps { junit 'x.xml' } }\n" + sh("b"))
	r, _ := run(t, source, Build{Params: map[string]string{"CLUSTER": "dev"}, Host: &recorder{noTests: true}})
	want := []Event{{Stage: "a", Step: "input", What: "Really dev?"}, {Stage: "a", Step: "junit", What: "x.xml: no test results", Code: 1}}
	if r.Status != Failure || fmt.Sprint(r.Ran) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", r.Ran, want)
	}
}
