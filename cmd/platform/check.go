package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"platform/internal/check"
	"platform/internal/check/rules"
	"platform/internal/check/sources"
	"platform/internal/check/views"
	"platform/internal/config"
	"platform/internal/git"
)

type checkOptions struct {
	paths       []string
	only, skip  []string
	fix         bool
	since       string
	output      checkOutput
	list        bool
	installHook bool
}

// checkOutput is check's --output.
type checkOutput string

var checkOutputs = []string{"text", "json", "junit", "sarif"}

func (o *checkOutput) String() string { return string(*o) }
func (o *checkOutput) Type() string   { return "format" }
func (o *checkOutput) Set(text string) error {
	if !slices.Contains(checkOutputs, text) {
		return errors.New("want " + joinOr(checkOutputs))
	}
	*o = checkOutput(text)
	return nil
}

func newCheckCommand(f *factory) *cobra.Command {
	o := checkOptions{output: "text"}
	cmd := &cobra.Command{
		Use:   "check [PATH...]",
		Short: "Check everything that can be checked without a cluster",
		Long: `Check everything that can be checked without a cluster, without credentials and
without a network: that jsonnet is well-formed, that generated/ is up to date,
that every object is what its cluster's Kubernetes takes, that what it refers to
is there, that it keeps the rules. docs/checks.md explains each rule.

With paths, only what is wrong in those files or with objects that they declare
is shown; with --since, only what the changes since a commit can affect is
looked at.

Exit codes: 0 no findings, 1 the check couldn't run, 2 findings.`,
		Example: `  platform check
  platform check clusters/dev addons/monitoring
  platform check --since origin/main
  platform check --only format --fix
  platform check --output junit > check.xml
  platform check --install-hook`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.paths = args
			return checkRun(cmd.Context(), f, o)
		},
	}
	flags := cmd.Flags()
	flags.VarP(&o.output, "output", "o", "how to print the findings: text, json, junit or sarif")
	flags.StringSliceVar(&o.only, "only", nil, "run these rules alone")
	flags.StringSliceVar(&o.skip, "skip", nil, "run all rules but these")
	flags.BoolVar(&o.fix, "fix", false, "first bring jsonnet into standard form")
	flags.StringVar(&o.since, "since", "", "look only at what changes since this commit can affect")
	flags.BoolVar(&o.list, "list", false, "list the rules")
	flags.BoolVar(&o.installHook, "install-hook", false, "check before every commit in this checkout")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(checkOutputs, cobra.ShellCompDirectiveNoFileComp))
	names := make([]string, 0, 16)
	for _, rule := range rules.All(rules.Options{}) {
		names = append(names, rule.Name+"\t"+rule.Title)
	}
	for _, flag := range []string{"only", "skip"} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	}
	return cmd
}

func checkRun(ctx context.Context, f *factory, o checkOptions) error {
	if o.list {
		return checkList(f, o)
	}
	c, err := f.Config()
	if err != nil {
		return err
	}
	if o.installHook {
		return installHook(ctx, f, c)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the tool's own program: %w", err)
	}
	all := rules.All(rules.Options{
		Worker: []string{self, kopsWorkerCommand}, KopsVersion: kopsVersion(), Provided: c.Provided,
	})
	selected, err := check.Select(all, o.only, o.skip)
	if err != nil {
		return err
	}
	paths, err := inRepository(c.Root, o.paths)
	if err != nil {
		return err
	}
	files, err := check.Sources(c)
	if err != nil {
		return err
	}
	clusters := c.ClusterNames()
	if o.since != "" {
		changed, err := git.Changed(ctx, c.Root, o.since)
		if err != nil {
			return fmt.Errorf("--since %s: %w", o.since, err)
		}
		if files, clusters, err = check.Affected(c, newRenderOptions(c), files, changed); err != nil {
			return err
		}
	}
	if o.fix {
		fixed, err := sources.Fix(&check.Repository{Config: c, Sources: only(files, paths)})
		for _, file := range fixed {
			fmt.Fprintf(f.Streams.Err, "%s: rewritten\n", file)
		}
		if err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(selected, func(rule check.Rule) bool { return !rule.NoRender }) {
		clusters = nil
	}
	repository, err := check.Load(ctx, c, newRenderOptions(c), files, clusters)
	if err != nil {
		return err
	}
	if len(paths) > 0 {
		repository.Only(paths)
	}
	result, err := check.Run(ctx, repository, selected)
	if err != nil {
		return err
	}
	if err := printCheck(f, o.output, result, selected); err != nil {
		return err
	}
	if len(result.Findings) > 0 {
		return errFound
	}
	return nil
}

func printCheck(f *factory, output checkOutput, result *check.Result, selected []check.Rule) error {
	switch output {
	case "json":
		return writeJSON(f.Streams.Out, result)
	case "junit":
		return views.JUnit(f.Streams.Out, result, selected)
	case "sarif":
		return views.SARIF(f.Streams.Out, result, selected, version)
	}
	views.Text(f.Streams.Out, f.Streams.OutPaint(), result, selected)
	return nil
}

// checkList lists the rules there are.
func checkList(f *factory, o checkOptions) error {
	type listed struct {
		Rule  string `json:"rule"`
		Title string `json:"title"`
		Why   string `json:"why"`
	}
	var all []listed
	for _, rule := range rules.All(rules.Options{}) {
		all = append(all, listed{rule.Name, rule.Title, rule.Why})
	}
	if o.output == "json" {
		return writeJSON(f.Streams.Out, all)
	}
	for _, rule := range all {
		fmt.Fprintf(f.Streams.Out, "%-14s %s\n", rule.Rule, rule.Title)
	}
	return nil
}

// kopsVersion is that of the kops that the tool is built with; empty if it
// isn't known.
func kopsVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, module := range info.Deps {
		if module.Path == "k8s.io/kops" {
			return module.Version
		}
	}
	return ""
}

// inRepository makes paths given on the command line relative to the root.
func inRepository(root string, paths []string) ([]string, error) {
	var out []string
	for _, path := range paths {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(root, abs)
		if err != nil || !filepath.IsLocal(rel) {
			return nil, fmt.Errorf("%s isn't in the repository %s", path, root)
		}
		if _, err := os.Stat(abs); err != nil {
			return nil, fmt.Errorf("%s: there is no such file or folder", path)
		}
		out = append(out, rel)
	}
	return out, nil
}

// only leaves the files at or below paths; all of them if there are none.
func only(files, paths []string) []string {
	if len(paths) == 0 {
		return files
	}
	repository := check.Repository{Sources: slices.Clone(files)}
	repository.Only(paths)
	return repository.Sources
}

// hookMark is the line by which the tool knows its own hook.
const hookMark = "# installed by: platform check --install-hook"

const hook = `#!/bin/sh
` + hookMark + `
# Skip it for once with: git commit --no-verify
exec platform check --since HEAD
`

// installHook makes git check before every commit. A hook of somebody else's
// stays.
func installHook(ctx context.Context, f *factory, c *config.Config) error {
	dir, err := git.HooksDir(ctx, c.Root)
	if err != nil {
		return fmt.Errorf("installing the hook: %w", err)
	}
	path := filepath.Join(dir, "pre-commit")
	there, err := os.ReadFile(path)
	switch {
	case err == nil && !bytes.Contains(there, []byte(hookMark)):
		return fmt.Errorf("installing the hook: %s is there already and isn't ours; add this line to it: %s", relative(c.Root, path), strings.TrimSpace(hook[strings.LastIndex(hook, "exec "):]))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("installing the hook: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("installing the hook: %w", err)
	}
	if err := os.WriteFile(path, []byte(hook), 0o755); err != nil {
		return fmt.Errorf("installing the hook: %w", err)
	}
	fmt.Fprintf(f.Streams.Out, "%s: every commit in this checkout is checked first\n", relative(c.Root, path))
	return nil
}
