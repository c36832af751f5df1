package actions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// workflow is a workflow with these jobs.
func workflow(jobs string) string {
	return "name: test\non:\n  push:\npermissions:\n  contents: read\njobs:\n" + jobs
}

// job is a job that runs a script and has these lines besides.
func job(name, script string, lines ...string) string {
	out := "  " + name + ":\n    runs-on: linux\n    timeout-minutes: 5\n"
	for _, line := range lines {
		out += "    " + line + "\n"
	}
	return out + "    steps:\n      - run: " + script + "\n"
}

func TestWrongWorkflows(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "act"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "act", "action.yml"), []byte("name: a\ninputs:\n  x:\n    required: true\nruns:\n  using: composite\n  steps:\n    - run: echo\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ source, want string }{
		"no jobs":                   {"name: x\non:\n  push:\npermissions: {}\n", "wants `on` and `jobs`"},
		"an unknown key":            {workflow(job("a", "x")) + "job: {}\n", `unknown field "job"`},
		"a job twice":               {workflow(job("a", "x") + job("a", "y")), "already set"},
		"an unknown event":          {strings.Replace(workflow(job("a", "x")), "push:", "pushed:", 1), "on: pushed"},
		"no permissions":            {strings.Replace(workflow(job("a", "x")), "permissions:\n  contents: read\n", "", 1), "no permissions"},
		"an unknown permission":     {workflow(job("a", "x", "permissions: { id_token: write }")), "there is no permission id_token"},
		"no runner":                 {strings.Replace(workflow(job("a", "x")), "runs-on", "needs", 1), "wants runs-on"},
		"no timeout":                {strings.Replace(workflow(job("a", "x")), "    timeout-minutes: 5\n", "", 1), "no timeout-minutes"},
		"a need that isn't there":   {workflow(job("a", "x", "needs: b")), "job a needs b"},
		"a circle":                  {workflow(job("a", "x", "needs: b") + job("b", "x", "needs: [c]") + job("c", "x", "needs: a")), "needs itself"},
		"a result not needed":       {workflow(job("a", "x") + job("b", "x", "if: needs.a.result == 'success'")), "which it doesn't need"},
		"neither run nor uses":      {workflow(strings.Replace(job("a", "x"), "run: x", "name: x", 1)), "one of run and uses"},
		"an expression in a script": {workflow(job("a", "echo ${{ github.head_ref }}")), "hand it over as an environment variable"},
		"an action of a branch":     {workflow(strings.Replace(job("a", "x"), "run: x", "uses: actions/checkout@main", 1)), "isn't pinned"},
		"an action of a major":      {workflow(strings.Replace(job("a", "x"), "run: x", "uses: actions/checkout@v6", 1)), "isn't pinned"},
		"an action not there":       {workflow(strings.Replace(job("a", "x"), "run: x", "uses: ./nowhere", 1)), "no such file"},
		"an input not there":        {workflow(strings.Replace(job("a", "x"), "run: x", "uses: ./act\n        with: { x: 1, z: 2 }", 1)), "has no input z"},
		"an input missing":          {workflow(strings.Replace(job("a", "x"), "run: x", "uses: ./act", 1)), "./act wants x"},
		"no shell in an action":     {workflow(strings.Replace(job("a", "x"), "run: x", "uses: ./act\n        with: { x: 1 }", 1)), "want a shell"},
		"half an expression":        {workflow(job("a", "x", "env: { A: '${{ github.sha' }")), "has no end"},
		"an unknown context":        {workflow(job("a", "x", "if: event.name == 'push'")), "there is no event.name"},
		"an unknown function":       {workflow(job("a", "x", "if: allways()")), "there is no function allways"},
		"no operand":                {workflow(job("a", "x", "if: github.ref ==")), "want a value"},
		"an open bracket":           {workflow(job("a", "x", "if: (github.ref")), "want )"},
		"two values":                {workflow(job("a", "x", "if: github.ref github.sha")), "unexpected"},
	} {
		if _, err := Parse([]byte(test.source), root); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestExpressions(t *testing.T) {
	values := map[string]string{"github.event_name": "push", "inputs.task": "", "vars.RUNNER": "", "matrix.a-b": "x"}
	for source, want := range map[string]any{
		"github.event_name == 'push'":                     true,
		"github.event_name == 'PUSH'":                     true,
		"github.event_name != 'push'":                     false,
		"vars.RUNNER || 'ubuntu'":                         "ubuntu",
		"inputs.task == 'a' || true":                      true,
		"true || false && false":                          true,
		"(true || false) && false":                        false,
		"!inputs.task && 'none'":                          "none",
		"github.event_name == 'push' && 'it''s' || 'not'": "it's",
		"!cancelled() && !failure()":                      true,
		"matrix.a-b":                                      "x",
		"github.nothing":                                  "",
	} {
		if got, err := evaluate(source, &context{values: values}); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", source, got, err, want)
		}
	}
}

func TestRun(t *testing.T) {
	source := workflow(
		job("web", "w", "needs: [dev, check]") +
			job("dev", "d $C", "needs: check", "if: github.event_name == 'push'", "strategy: { fail-fast: false, matrix: { c: [x, z] } }", "env: { C: '${{ matrix.c }}' }") +
			job("check", "c") + "      - if: always()\n        run: c2\n" +
			job("tell", "t", "needs: [dev]", "if: ${{ !cancelled() && needs.dev.result == 'failure' }}"))
	w, err := Parse([]byte(source), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ event, fails, want string }{
		{"push", "", "check:c check:c2 dev:d=x dev:d=z web:w"},
		{"push", "c", "check:c check:c2"},
		{"push", "d $C", "check:c check:c2 dev:d=x dev:d=z tell:t"},
		{"schedule", "", "check:c check:c2"},
	} {
		commands, _, err := w.Run(Event{
			Values: map[string]string{"github.event_name": test.event},
			Fails:  func(c Command) bool { return c.Script == test.fails },
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range commands {
			got = append(got, c.Job+":"+strings.Replace(c.Script, " $C", "="+c.Env["C"], 1))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s, %q fails: got %s, want %s", test.event, test.fails, strings.Join(got, " "), test.want)
		}
	}
}
