package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"platform/internal/plan"
)

// write leaves a plan as ci/plan does.
func write(t *testing.T, dir string, p plan.Plan) {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plan-"+p.Cluster+".json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func update(resource string, to any) plan.Change {
	return plan.Change{Layer: plan.Addons, Op: plan.Update, Resource: resource, Diff: []plan.Field{{Path: "spec.replicas", From: 2, To: to}}}
}

func comments(t *testing.T, dir string, limit int, clusters ...string) string {
	t.Helper()
	var results []result
	for _, cluster := range clusters {
		r, err := read(dir, cluster)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	return comment(results, "0123abc", "https://ci.example.net/7", limit)
}

func TestComment(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, plan.Plan{Cluster: "dev", Changes: []plan.Change{
		update("Deployment web/shop", 3),
		{Layer: plan.Kops, Op: plan.Roll, Resource: "InstanceGroup/nodes"},
	}})
	write(t, dir, plan.Plan{Cluster: "int"})
	if err := os.WriteFile(filepath.Join(dir, "plan-web.log"), []byte("error: plan web: no credentials\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	want := "<!-- platform plan -->\n" + `### What this changes

| cluster | plan |
| --- | --- |
| dev | 1 to update, 1 to roll |
| int | no changes |
| web | **couldn't be planned** |

**Taken away or restarted in dev**

- roll ` + "`InstanceGroup/nodes`" + `

<details>
<summary>The plan of dev</summary>

` + "```text" + `
kops
  ↻ InstanceGroup/nodes
addons
  ~ Deployment web/shop
      ~ spec.replicas: 2 → 3

dev: 1 to update, 1 to roll
` + "```" + `

</details>

<details>
<summary>Why web couldn't be planned</summary>

` + "```text" + `
error: plan web: no credentials
` + "```" + `

</details>

The plan is of commit 0123abc, by [this build](https://ci.example.net/7); the comment changes with the next one.
`
	if got := comments(t, dir, maxBody, "dev", "int", "web"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCommentOfNothingPlanned(t *testing.T) {
	if got := comments(t, t.TempDir(), maxBody, "dev"); !strings.Contains(got, "never started") {
		t.Errorf("a cluster without a plan and without a log:\n%s", got)
	}
}

func TestCommentRefusesBrokenPlans(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plan-dev.json"), []byte(`{"cluster": "d`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := read(dir, "dev"); err == nil || !strings.Contains(err.Error(), "reading the plan of dev") {
		t.Errorf("half a plan: %v", err)
	}
}

func TestCommentNamesSomeOfMany(t *testing.T) {
	p := plan.Plan{Cluster: "dev"}
	for i := range maxNamed + 5 {
		p.Changes = append(p.Changes, plan.Change{Layer: plan.Addons, Op: plan.Delete, Resource: fmt.Sprintf("ConfigMap a/c%d", i)})
	}
	dir := t.TempDir()
	write(t, dir, p)
	got := comments(t, dir, maxBody, "dev")
	if !strings.Contains(got, "- and 5 more\n") || strings.Contains(got, "- delete `ConfigMap a/c10`") {
		t.Errorf("many deletions:\n%s", got)
	}
}

func TestCommentFits(t *testing.T) {
	dir := t.TempDir()
	long := plan.Plan{Cluster: "dev"}
	created := plan.Plan{Cluster: "int"}
	for i := range 3000 {
		long.Changes = append(long.Changes, update(fmt.Sprintf("Deployment web/überlang-%d", i), 3))
		created.Changes = append(created.Changes, plan.Change{Layer: plan.Addons, Op: plan.Create, Resource: fmt.Sprintf("ConfigMap a/c%d", i)})
	}
	write(t, dir, long)
	write(t, dir, created)
	write(t, dir, plan.Plan{Cluster: "web", Changes: []plan.Change{update("Deployment web/shop", 3)}})
	for _, limit := range []int{1500, 4000, 20_000, maxBody} {
		got := comments(t, dir, limit, "dev", "int", "web")
		if len(got) > limit {
			t.Errorf("%d bytes, over %d", len(got), limit)
		}
		if len(got) < limit*9/10 {
			t.Errorf("only %d of %d bytes are used", len(got), limit)
		}
		if strings.Count(got, "<details>") != strings.Count(got, "</details>") || strings.Count(got, "\n```")%2 != 0 {
			t.Errorf("a block is left open:\n%s", got)
		}
		if !strings.Contains(got, "Cut here") || !strings.Contains(got, "+ ConfigMap ×3000") || !strings.Contains(got, "~ Deployment web/shop") {
			t.Errorf("want the first plan cut, the second by kind and the third whole, in %d bytes:\n%s", limit, got[:min(len(got), 3000)])
		}
		if strings.ToValidUTF8(got, "") != got {
			t.Error("a character is cut in half")
		}
	}
}

func TestFenceOutlastsText(t *testing.T) {
	text := "a: |\n  ````md\n  ```\n  x\n  ````\n</details>"
	got, _ := fold("title", text, 1000)
	if !strings.Contains(got, "\n`````text\n"+text+"\n`````\n") {
		t.Errorf("a text with fences of its own:\n%s", got)
	}
	if got := code("a`b``c"); got != "```a`b``c```" {
		t.Errorf("a name with backticks: %s", got)
	}
}
