package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"platform/internal/check"
	"platform/internal/check/embedded/ruletest"
)

// ruleTests are the repository's tests of rules. They name files of rules as a
// Prometheus has them, by the end of the path, since the rules are rendered for
// each cluster.
type ruleTests struct {
	files []*ruleTest
	// done are results by what was tested: most clusters have the same rules.
	done map[string]ruletest.Result
}

type ruleTest struct {
	path string
	*ruletest.File
	// seen are the references to files that some cluster has.
	seen map[string]bool
}

// testFolders are where tests are, beside the rules.
var testFolders = []string{"addons", "clusters", "lib"}

// readRuleTests reads all tests, and gives what is wrong with their form.
func readRuleTests(root string) (*ruleTests, []check.Finding, error) {
	tests := &ruleTests{done: map[string]ruletest.Result{}}
	var out []check.Finding
	for _, folder := range testFolders {
		err := fs.WalkDir(os.DirFS(root), folder, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil && errors.Is(err, fs.ErrNotExist) && path == folder:
				return nil
			case err != nil:
				return err
			case !entry.Type().IsRegular() || !strings.HasSuffix(path, "_test.yaml") && !strings.HasSuffix(path, "_test.yml"):
				return nil
			}
			data, err := os.ReadFile(filepath.Join(root, path))
			if err != nil {
				return err
			}
			file, problems := ruletest.Parse(data)
			for _, p := range problems {
				out = append(out, check.InFile(path, p.Line).Saying(p.Message, "Mend the test: its format is that of promtool."))
			}
			if len(problems) == 0 {
				tests.files = append(tests.files, &ruleTest{path, file, map[string]bool{}})
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return tests, out, nil
}

// run runs the tests of a cluster's rules, and says which rules have none.
func (r *ruleTests) run(ctx context.Context, cluster string, rules []namedText, sources *sources) []check.Finding {
	var out []check.Finding
	rules = slices.DeleteFunc(slices.Clone(rules), func(file namedText) bool { return len(ruleProblems(file.content)) > 0 })
	fires, silent, expressions := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, test := range r.files {
		files, complete := test.resolve(rules)
		if !complete {
			continue
		}
		result := r.result(ctx, test, files)
		for _, p := range result.Problems {
			f := check.InFile(test.path, p.Line).Saying(p.Message, "Mend the rule or the test.")
			f.Clusters = []string{cluster}
			out = append(out, f)
		}
		for name := range result.Fires {
			fires[name] = true
		}
		for name := range result.Silent {
			silent[name] = true
		}
		for _, expression := range result.Expressions {
			for _, name := range metrics(expression) {
				expressions[name] = true
			}
		}
	}
	for _, file := range rules {
		eachRule(parseYAML(file.content), func(kind string, name, rule *yaml.Node) {
			message := ""
			switch {
			case kind == "record" && !expressions[name.Value]:
				message = fmt.Sprintf("no test looks at what %s gives", name.Value)
			case kind == "alert" && !fires[name.Value] && !silent[name.Value]:
				message = fmt.Sprintf("alert %s has no test", name.Value)
			case kind == "alert" && !fires[name.Value]:
				message = fmt.Sprintf("alert %s has no test in which it fires", name.Value)
			case kind == "alert" && !silent[name.Value] && measures(rule):
				message = fmt.Sprintf("alert %s has no test in which it stays silent", name.Value)
			default:
				return
			}
			f := file.at(name.Line, message, "Write one, in a file *_test.yaml beside the rules.")
			f.Level = check.Warning
			out = append(out, sources.place(f, name.Value))
		})
	}
	return out
}

// resolve finds the files that a test is about, by the names that it has for
// them. A test of rules that a cluster doesn't have isn't about that cluster.
func (t *ruleTest) resolve(rules []namedText) (files map[string]string, complete bool) {
	files, complete = map[string]string{}, true
	for _, reference := range t.Rules {
		i := slices.IndexFunc(rules, func(file namedText) bool {
			return strings.HasSuffix("/"+file.path, "/"+strings.TrimPrefix(reference.Name, "./"))
		})
		if i < 0 {
			complete = false
			continue
		}
		t.seen[reference.Name] = true
		files[reference.Name] = rules[i].content
	}
	return files, complete
}

func (r *ruleTests) result(ctx context.Context, test *ruleTest, files map[string]string) ruletest.Result {
	key := test.path
	for _, reference := range test.Rules {
		key += "\x00" + files[reference.Name]
	}
	result, ok := r.done[key]
	if !ok {
		result = test.Run(ctx, files)
		r.done[key] = result
	}
	return result
}

// unused are tests of rules that no cluster has: they never run.
func (r *ruleTests) unused(allClusters bool) []check.Finding {
	if !allClusters {
		return nil
	}
	var out []check.Finding
	for _, test := range r.files {
		for _, reference := range test.Rules {
			if !test.seen[reference.Name] {
				out = append(out, check.InFile(test.path, reference.Line).Saying(
					fmt.Sprintf("no Prometheus has a file of rules %s, so the test never runs", reference.Name),
					"Name the file as it is mounted, or remove the test."))
			}
		}
	}
	return out
}

// eachRule calls a function for each rule of a file of rules.
func eachRule(tree *yaml.Node, f func(kind string, name, rule *yaml.Node)) {
	walk(tree, nil, func(_ []string, key, value *yaml.Node) {
		if key.Value != "rules" || value.Kind != yaml.SequenceNode {
			return
		}
		for _, rule := range value.Content {
			for _, kind := range []string{"alert", "record"} {
				if _, name := field(rule, kind); name != nil {
					f(kind, name, rule)
				}
			}
		}
	})
}

// measures says whether a rule looks at any series. One that doesn't, such as a
// watchdog, can't be silent.
func measures(rule *yaml.Node) bool {
	_, expr := field(rule, "expr")
	return expr != nil && len(metrics(expr.Value)) > 0
}

// metrics are the names of the series that an expression looks at.
func metrics(expression string) []string {
	expr, err := parser.ParseExpr(expression)
	if err != nil {
		return nil
	}
	var out []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if s, ok := node.(*parser.VectorSelector); ok {
			out = append(out, s.Name)
		}
		return nil
	})
	return out
}
