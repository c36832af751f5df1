package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"platform/internal/plan"
	"platform/internal/ui"
)

// mark begins every comment of ours; the next run knows it by that.
const mark = "<!-- platform plan -->"

// maxBody is below the 65,536 characters that GitHub takes.
const maxBody = 65_000

// maxNamed is how many destructive changes of a cluster are named where nobody
// has to unfold anything.
const maxNamed = 10

// result is one cluster's plan, or why there is none.
type result struct {
	cluster string
	plan    *plan.Plan
	// log is what was said when it couldn't be planned.
	log string
}

// read reads what ci/plan has left of a cluster. No plan isn't an error: that is
// something for reviewers to see.
func read(dir, cluster string) (result, error) {
	r := result{cluster: cluster}
	data, err := os.ReadFile(filepath.Join(dir, "plan-"+cluster+".json"))
	switch {
	case err == nil:
		r.plan = &plan.Plan{}
		if err := json.Unmarshal(data, r.plan); err != nil {
			return r, fmt.Errorf("reading the plan of %s: %w", cluster, err)
		}
		return r, nil
	case !errors.Is(err, fs.ErrNotExist):
		return r, err
	}
	log, err := os.ReadFile(filepath.Join(dir, "plan-"+cluster+".log"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	r.log = strings.TrimSpace(string(log))
	return r, nil
}

// comment writes the comment: first what each cluster would see at a glance and
// what is taken away, then every plan to be unfolded. It is never longer than
// limit: long plans are cut, and say so.
func comment(results []result, commit, build string, limit int) string {
	var head strings.Builder
	fmt.Fprintf(&head, "%s\n### What this changes\n\n| cluster | plan |\n| --- | --- |\n", mark)
	for _, r := range results {
		fmt.Fprintf(&head, "| %s | %s |\n", r.cluster, r.summary())
	}
	for _, r := range results {
		head.WriteString(r.destructive())
	}
	foot := "\n" + origin(commit, build)

	// What is left over goes to the plans, an equal share to each; what a short
	// one doesn't need is for the others.
	left := limit - head.Len() - len(foot)
	order := make([]int, len(results))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(len(results[a].details(limit)), len(results[b].details(limit)))
	})
	folded := make([]string, len(results))
	for n, i := range order {
		folded[i] = results[i].details(left / (len(order) - n))
		left -= len(folded[i])
	}
	return head.String() + strings.Join(folded, "") + foot
}

func (r result) summary() string {
	switch {
	case r.plan == nil:
		return "**couldn't be planned**"
	case r.plan.Empty():
		return "no changes"
	}
	return ui.SummaryLine(*r.plan)
}

// destructive names what a change would take away or restart.
func (r result) destructive() string {
	if r.plan == nil {
		return ""
	}
	var named []string
	for _, c := range r.plan.Changes {
		if c.Op.Destructive() {
			named = append(named, fmt.Sprintf("- %s %s\n", c.Op, code(c.Resource)))
		}
	}
	if len(named) == 0 {
		return ""
	}
	if more := len(named) - maxNamed; more > 0 {
		named = append(named[:maxNamed], fmt.Sprintf("- and %d more\n", more))
	}
	return fmt.Sprintf("\n**Taken away or restarted in %s**\n\n%s", r.cluster, strings.Join(named, ""))
}

// details is the plan as the tool prints it, folded, in at most limit bytes. A
// long one lists what is created by kind; a longer one is cut.
func (r result) details(limit int) string {
	if r.plan == nil {
		folded, _ := fold("Why "+r.cluster+" couldn't be planned", cmp.Or(r.log, "Its planning was never started."), limit)
		return folded
	}
	if r.plan.Empty() {
		return ""
	}
	title := "The plan of " + r.cluster
	var full, compact bytes.Buffer
	ui.Plan(&full, ui.Paint{}, *r.plan, ui.PlanOptions{})
	folded, whole := fold(title, full.String(), limit)
	if whole {
		return folded
	}
	ui.Plan(&compact, ui.Paint{}, *r.plan, ui.PlanOptions{Compact: true})
	folded, _ = fold(title, compact.String(), limit)
	return folded
}

// fold puts a text behind a line to be unfolded, and tells whether it is the
// whole text. Nothing in the text ends the block that it is in.
func fold(title, text string, limit int) (string, bool) {
	fence := strings.Repeat("`", max(3, 1+longest(text, '`')))
	wrap := func(text, note string) string {
		return fmt.Sprintf("\n<details>\n<summary>%s</summary>\n\n%stext\n%s\n%s\n%s\n</details>\n", title, fence, strings.TrimRight(text, "\n"), fence, note)
	}
	if whole := wrap(text, ""); len(whole) <= limit {
		return whole, true
	}
	const cut = "\nCut here: the rest is in the build's reports.\n"
	room := limit - len(wrap("", cut))
	if room <= 0 {
		return "", false
	}
	for room > 0 && !utf8.RuneStart(text[room]) {
		room--
	}
	text = text[:room]
	if end := strings.LastIndexByte(text, '\n'); end > 0 {
		text = text[:end]
	}
	return wrap(text, cut), false
}

// longest is the length of the longest run of a character.
func longest(text string, of byte) int {
	most, run := 0, 0
	for i := range len(text) {
		if text[i] != of {
			run = 0
			continue
		}
		run++
		most = max(most, run)
	}
	return most
}

// code sets a name in a text.
func code(name string) string {
	fence := strings.Repeat("`", 1+longest(name, '`'))
	return fence + name + fence
}

// origin says what was planned, and where.
func origin(commit, build string) string {
	text := "The plan is"
	if commit != "" {
		text += " of commit " + commit
	} else {
		text += " of this branch"
	}
	if build != "" {
		text += ", by [this build](" + build + ")"
	}
	return text + "; the comment changes with the next one.\n"
}
