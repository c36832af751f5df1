package policy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"platform/internal/check"
	"platform/internal/check/checktest"
	"platform/internal/config"
	"platform/internal/render"
)

// Made up, and in parts so that nobody's scanner takes them for real.
const (
	accessKey = "AK" + "IA" + "Q3EGRIJ2K7ZXW5TB"
	random    = "q8Zr2LxT9vKd" + "4WmY7sJc1NbP"
)

// findIn runs the rule over a repository of files.
func findIn(t *testing.T, files map[string]string, sources []string, clusters ...*render.Cluster) []check.Finding {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := &check.Repository{Config: &config.Config{Root: root}, Sources: sources, Clusters: clusters}
	findings, err := findSecrets(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		for _, secret := range []string{accessKey, random} {
			if strings.Contains(fmt.Sprint(f), secret) {
				t.Errorf("the secret is in the finding: %+v", f)
			}
		}
	}
	return findings
}

func places(findings []check.Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message))
	}
	slices.Sort(out)
	return out
}

func TestSecretsInFiles(t *testing.T) {
	got := places(findIn(t, map[string]string{
		"clusters/dev/shop.jsonnet":        "{\n  key: '" + accessKey + "',\n}\n",
		"addons/shop/shop.conf":            "a\nb\npassword = s3cr3t!x\n",
		"lib/x.libsonnet":                  "// nothing\n",
		"clusters/dev/unasked.jsonnet":     accessKey,
		"addons/shop/excused.yaml":         "key: " + accessKey + " # not a secret\n",
		"addons/shop/binary.bin":           "\x00" + accessKey,
		"addons/.hidden/x.yaml":            accessKey,
		"internal/elsewhere.yaml":          accessKey,
		"addons/shop/large.json":           strings.Repeat(" ", maxFile+1) + accessKey,
		"addons/shop/dashboards/made.json": `{"a": 1, "token": "` + random + `"}`,
	}, []string{"clusters/dev/shop.jsonnet", "lib/x.libsonnet", "clusters/dev/deleted.jsonnet"}))
	want := []string{
		"addons/shop/dashboards/made.json:1:20: a secret is written out (q8Zr…, 24 characters)",
		"addons/shop/shop.conf:3:12: a password is written out (8 characters)",
		"clusters/dev/shop.jsonnet:2:9: an AWS access key is written out (AKIA…, 20 characters)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What git ignores isn't in the repository.
func TestIgnoredFiles(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{".gitignore": "local.yaml\n", "addons/local.yaml": accessKey, "addons/new.yaml": accessKey, "addons/.kept": accessKey} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("git", "init", "-q", root).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	find := func(root string) []string {
		findings, err := findSecrets(t.Context(), &check.Repository{Config: &config.Config{Root: root}})
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, f := range findings {
			files = append(files, f.File)
		}
		return files
	}
	if got, want := find(root), []string{"addons/.kept", "addons/new.yaml"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// A repository inside of another one's working tree has its own rules.
	inner := filepath.Join(root, "inner")
	if err := os.MkdirAll(filepath.Join(inner, "lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(inner, "lib", "local.yaml"), []byte(accessKey), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, want := find(inner), []string{"lib/local.yaml"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSecretsInObjects(t *testing.T) {
	for _, c := range []struct{ name, object, want string }{
		{"nothing", "kind: ConfigMap\ndata: {a: b}", ""},
		{
			"in a file of a ConfigMap", "kind: ConfigMap\ndata: {app.conf: \"one\\ntwo\\nkey " + accessKey + "\\n\"}",
			`data["app.conf"]: an AWS access key is written out (AKIA…, 20 characters) in line 3`,
		},
		{
			"by the key of a ConfigMap", "kind: ConfigMap\ndata: {admin_password: hunter22}",
			"data.admin_password: a password is written out (8 characters)",
		},
		{
			"by the name of a variable", "kind: Pod\nspec: {containers: [{name: web, env: [{name: A, value: b}, {name: DB_PASSWORD, value: hunter22}]}]}",
			`spec.containers[name="web"].env[name="DB_PASSWORD"].value: a password is written out (8 characters)`,
		},
		{"a variable for it", "kind: Pod\nspec: {containers: [{name: web, env: [{name: DB_PASSWORD, value: $(OTHER)}]}]}", ""},
		{
			"in an argument", "kind: Pod\nspec: {containers: [{name: web, args: [--password=hunter22]}]}",
			`spec.containers[name="web"].args[0]: a password is written out (8 characters)`,
		},
		{
			"in an annotation", "kind: ConfigMap\nmetadata: {name: x, namespace: shop, annotations: {a/b: " + random + "}}",
			`metadata.annotations["a/b"]: a random string, such as a key or a token, is written out (q8Zr…, 24 characters)`,
		},
		{"in a checksum", "kind: ConfigMap\nmetadata: {name: x, namespace: shop, annotations: {checksum/config: 0a1b2c3d4e5f60718293a4b5c6d7e8f9}}", ""},
		{
			"in a Secret", "kind: Secret\nstringData: {any: thing}",
			"stringData.any: a Secret's value is written out under the key any (5 characters)",
		},
		{
			"in a Secret, encoded", "kind: Secret\ndata: {tls.key: aHVudGVyMjJodW50ZXIyMg==}",
			`data["tls.key"]: a Secret's value is written out under the key tls.key (hunt…, 16 characters)`,
		},
		{"placeholders in a Secret", "kind: Secret\nstringData: {a: CHANGEME, b: '', c: <token>}", ""},
		{"a Secret's public part", "kind: Secret\nstringData: {ca.crt: \"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n\"}", ""},
		{"a Secret that isn't encoded", "kind: Secret\ndata: {a: '?'}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			object := "apiVersion: v1\n" + c.object
			if !strings.Contains(object, "metadata:") {
				object += "\nmetadata: {name: x, namespace: shop}"
			}
			got := checktest.Find(t, Rules(), "secrets", checktest.Cluster(t, "dev", "{}", map[string]string{"shop": object}))
			var want []string
			if c.want != "" {
				want = []string{strings.Split(c.object, "\n")[0][len("kind: "):] + " shop/x: " + c.want}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestSecretsInDeclarations(t *testing.T) {
	c := checktest.Cluster(t, "dev", `{"kops": {"cluster": {"spec": {"x": "`+accessKey+`"}}}}`, nil)
	got := checktest.Find(t, Rules(), "secrets", c)
	if want := []string{": kops.cluster.spec.x: an AWS access key is written out (AKIA…, 20 characters)"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A secret that a file has is one finding, not one for each object that gets it
// from there; nor is it one where the file says that it is none.
func TestSecretsAreSaidOnce(t *testing.T) {
	object := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: shop}\ndata: {a: \"key " + accessKey + " end\"}"
	cluster := checktest.Cluster(t, "dev", "{}", map[string]string{"shop": object})
	for comment, want := range map[string]int{"": 1, "  // not a secret": 0} {
		files := map[string]string{"clusters/dev/shop.jsonnet": "{ a: 'key " + accessKey + " end' }" + comment}
		got := findIn(t, files, []string{"clusters/dev/shop.jsonnet"}, cluster)
		if len(got) != want {
			t.Errorf("%q: got %v", comment, got)
		}
	}
}
