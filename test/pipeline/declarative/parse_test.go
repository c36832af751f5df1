package declarative

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// pipeline is a pipeline with these stages.
func pipeline(stages string) string {
	return fmt.Sprintf("pipeline {\n agent { kubernetes { inheritFrom 'pod'; defaultContainer 'build' } }\n stages {\n%s\n }\n}\n", stages)
}

// Wrong pipelines, and what is said of them. Jenkins refuses those above the
// line; those below are beyond what is understood here.
var wrong = []struct{ name, source, want string }{
	{"nothing", "", "line 1: want a pipeline"},
	{"no pipeline", "node { sh 'x' }", `line 1: want pipeline { ... }, not "node"`},
	{"no end", "pipeline {\n agent any\n", `line 3: want "}", not end of file`},
	{"too many ends", "pipeline { agent any } }", `line 1: unexpected "}"`},
	{"something behind", pipeline("stage('a') { steps { sh 'x' } }") + "echo 'x'", `"echo" isn't part of the pipeline`},
	{"no agent", "pipeline { stages { stage('a') { steps { sh 'x' } } } }", "the pipeline has no agent"},
	{"no stages", "pipeline { agent { kubernetes { inheritFrom 'a'; defaultContainer 'b' } } }", "the pipeline has no stages"},
	{"empty stages", pipeline(""), "stages of the pipeline is empty"},
	{"an unknown section", "pipeline {\n agents { }\n}", `line 2: the pipeline has no section "agents"`},
	{"a section twice", pipeline("stage('a') { steps { sh 'x' }\nsteps { sh 'y' } }"), `stage "a" has steps twice`},
	{"a stage without a name", pipeline("stage { steps { sh 'x' } }"), "want stage('name') { ... }"},
	{"a stage without steps", pipeline("stage('a') { post { always { sh 'x' } } }"), `line 4: stage "a" has 0 of steps, stages and parallel: want one`},
	{"steps and stages", pipeline("stage('a') { steps { sh 'x' }\nstages { stage('b') { steps { sh 'x' } } } }"), "has 2 of steps, stages and parallel"},
	{"two stages of a name", pipeline("stage('a') { steps { sh 'x' } }\nstage('a') { steps { sh 'x' } }"), `line 5: there is a stage "a" in line 4 already`},
	{"a step among stages", pipeline("sh 'x'"), `stages has "sh": want stages only`},
	{"no steps", pipeline("stage('a') { steps { } }"), `steps of stage "a" is empty`},
	{"an unknown step", pipeline("stage('a') { steps { shell 'x' } }"), `there is no step "shell"`},
	{"sh without a script", pipeline("stage('a') { steps { sh() } }"), "sh wants script"},
	{"sh with too much", pipeline("stage('a') { steps { sh 'x', 'y' } }"), "sh takes 1 arguments without a name"},
	{"both kinds of arguments", pipeline("stage('a') { steps { sh 'x', label: 'y' } }"), "and no others beside them"},
	{"an unknown argument", pipeline("stage('a') { steps { sh script: 'x', shell: 'bash' } }"), `sh has no argument "shell"`},
	{"a step without its block", pipeline("stage('a') { steps { lock('x') } }"), "lock: want a block: true; it has one: false"},
	{"a block too many", pipeline("stage('a') { steps { sh('x') { sh 'y' } } }"), "sh: want a block: false; it has one: true"},
	{"an empty block", pipeline("stage('a') { steps { lock('x') { } } }"), "lock has no step in it"},
	{"a lock of nothing", pipeline("stage('a') { steps { lock(resource: 'x', extra: ['y']) { sh 'x' } } }"), "lock wants extra: [[resource: 'name'], ...]"},
	{"no bindings", pipeline("stage('a') { steps { withCredentials([]) { sh 'x' } } }"), "withCredentials wants a list of bindings"},
	{"an unknown binding", pipeline("stage('a') { steps { withCredentials([password(id: 'x')]) { sh 'x' } } }"), `there is no binding "password"`},
	{"half a binding", pipeline("stage('a') { steps { withCredentials([usernamePassword(credentialsId: 'x')]) { sh 'x' } } }"), "usernamePassword wants passwordVariable"},
	{"an empty condition", pipeline("stage('a') { when { anyOf { } }\nsteps { sh 'x' } }"), "anyOf has no condition in it"},
	{"an unknown condition", pipeline("stage('a') { when { branches 'x' }\nsteps { sh 'x' } }"), `there is no condition "branches"`},
	{"not of two", pipeline("stage('a') { when { not { changeRequest()\nbranch 'x' } }\nsteps { sh 'x' } }"), "not takes one condition, not 2"},
	{"equals of one", pipeline("stage('a') { when { equals expected: 'x' }\nsteps { sh 'x' } }"), "equals wants actual"},
	{"equals of lists", pipeline("stage('a') { when { equals expected: ['x'], actual: ['x'] }\nsteps { sh 'x' } }"), "equals compares texts"},
	{"no branch", pipeline("stage('a') { when { branch 7 }\nsteps { sh 'x' } }"), "branch wants a text"},
	{"an unknown post", pipeline("stage('a') { steps { sh 'x' }\npost { allways { sh 'y' } } }"), `post has no section "allways"`},
	{"a question without words", pipeline("stage('a') { input { ok 'x' }\nsteps { sh 'x' } }"), "an input wants a message"},
	{"nested parallel stages", pipeline("stage('a') { parallel { stage('b') { parallel { stage('c') { steps { sh 'x' } } } } } }"), "parallel stages can't be nested"},
	{"an unknown option", "pipeline {\n options { concurrent() }\n}", `there is no option "concurrent"`},
	{"a text without an end", pipeline("stage('a) { steps { sh 'x' } }"), "line 4: "},
	{"a text over two lines", "pipeline { agent 'a\nb' }", "the text has no end"},
	{"a comment without an end", "pipeline { /* agent any }", "the comment has no end"},
	{"no comma", pipeline("stage('a') { steps { sh('x' 'y') } }"), `want ")"`},
	{"two statements on a line", pipeline("stage('a') { steps { sh 'x' } } stage('b') { steps { sh 'x' } }"), `line 4: unexpected "stage('b')`},
	{"half a map", pipeline("stage('a') { steps { lock(extra: [a: 'x', 'y']) { sh 'x' } } }"), "a list with keys for some of its elements"},
	{"an unknown escape", pipeline(`stage('a') { steps { sh 'x\d' } }`), `there is no escape \d`},
	// ----
	{"any agent", "pipeline { agent any\n stages { stage('a') { steps { sh 'x' } } } }", "agent of the pipeline: want a block"},
	{"another agent", "pipeline { agent { docker { image 'x' } } }", "builds run in pods"},
	{"a pod of unknown making", "pipeline { agent { kubernetes { yaml 'x' } } }", `an agent has no "yaml"`},
	{"shell code made of parameters", pipeline(`stage('a') { steps { sh "deploy ${params.CLUSTER}" } }`), "sh takes a literal text"},
	{"a variable of Groovy", pipeline(`stage('a') { steps { sh "x $CLUSTER" } }`), "only ${params.NAME} can be filled in"},
	{"a variable as an argument", pipeline("stage('a') { steps { sh script } }"), "only params.NAME is known, not script"},
	{"a question that may not be", pipeline("stage('a') { when { changeRequest() }\ninput { message 'x' }\nsteps { sh 'x' } }"), "put the input into a stage inside"},
	{"a script", pipeline("stage('a') { steps { script { x = 1 } } }"), "line 4: "},
}

func TestWrongPipelines(t *testing.T) {
	for _, test := range wrong {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse(test.source)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			var at *Error
			if !errors.As(err, &at) || at.Line < 1 {
				t.Errorf("%v names no line", err)
			}
		})
	}
}

func TestEveryErrorIsNamed(t *testing.T) {
	_, err := Parse(pipeline("stage('a') { steps { shell 'x' } }\nstage('b') { steps { junit() } }"))
	if err == nil || len(strings.Split(err.Error(), "\n")) != 2 {
		t.Errorf("want two errors, got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, test := range wrong {
		f.Add(test.source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		p, err := Parse(source)
		if err == nil {
			// What is taken can be run.
			p.Run(Build{Branch: "main", Host: &recorder{}})
		}
	})
}
