package versions

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var clusters = []string{"dev", "int", "web"}

func row(name, dev, int, web string) string {
	return fmt.Sprintf("\n%q: {\"dev\": %q, \"int\": %q, \"web\": %q}", name, dev, int, web)
}

func matrix(rows ...string) string { return "{" + strings.Join(rows, ",") + "\n}" }

func TestCheck(t *testing.T) {
	support := []Support{{Component: "cert-manager", Release: "1.21", From: "1.33", To: "1.36", Source: "its site"}}
	good := []string{row("kubernetes", "1.36.1", "1.36.1", "1.35.4"), row("kops", "1.36.2", "1.36.2", "1.36.2")}
	for name, c := range map[string]struct {
		text   string
		policy Policy
		want   []string
	}{
		"in order": {matrix(good...), Policy{MaxSkew: 1}, nil},
		"missing cluster": {
			matrix(append(good, "\n\"squid\": {\"dev\": \"6\", \"web\": \"6\"}")...), Policy{MaxSkew: 1},
			[]string{"4: squid has no version for cluster int"},
		},
		"another cluster": {
			matrix(append(good, "\n\"squid\": {\"dev\": \"6\", \"int\": \"6\", \"web\": \"6\",\n\"prod\": \"6\"}")...), Policy{MaxSkew: 1},
			[]string{`5: squid has a version for "prod", which is no cluster of platform.yaml`},
		},
		"no version": {
			matrix(append(good, row("squid", "", " 6", "6"))...), Policy{MaxSkew: 1},
			[]string{`4: "" is no version of squid`, `4: " 6" is no version of squid`},
		},
		"too far apart": {
			matrix(good...), Policy{},
			[]string{"2: Kubernetes 1.35.4 in web is 1 minor versions behind 1.36.1 in dev; 0 allowed"},
		},
		"ahead": {
			matrix(append(good, row("squid", "6.1", "6.2", "6.2"))...), Policy{MaxSkew: 1},
			[]string{"4: squid 6.2 in int is ahead of 6.1 in dev"},
		},
		"ahead by a patch, allowed": {
			matrix(append(good, row("squid", "6.1.0", "6.1.1", "6.1.1"))...), Policy{MaxSkew: 1, AllowAhead: []string{"squid"}}, nil,
		},
		"nothing to compare": {matrix(append(good, row("squid", "latest-ish", "other", "x"))...), Policy{MaxSkew: 1}, nil},
		"not Kubernetes": {
			matrix(row("kubernetes", "new", "1.36.1", "1.36.1"), good[1]), Policy{MaxSkew: 1},
			[]string{`2: "new" is no version of Kubernetes`},
		},
		"kops too old": {
			matrix(good[0], row("kops", "1.36.2", "1.35.0", "1.35.0")), Policy{MaxSkew: 1},
			[]string{
				"3: kops 1.35.0 doesn't know Kubernetes 1.36.1, which int has",
				"3: kops is 1.35.0 in int, but this tool is built with kops 1.36.2",
				"3: kops is 1.35.0 in web, but this tool is built with kops 1.36.2",
			},
		},
		"no Kubernetes": {"{" + good[1] + "}", Policy{}, []string{`1: component "kubernetes" is missing`}},
		"unsupported": {
			matrix(row("kubernetes", "1.32.1", "1.32.1", "1.32.1"), good[1], row("cert-manager", "v1.21.2", "v1.21.2", "v1.20.0")), Policy{},
			[]string{
				"4: cert-manager v1.21.2 supports Kubernetes 1.33 to 1.36, and dev has 1.32.1",
				"4: cert-manager v1.21.2 supports Kubernetes 1.33 to 1.36, and int has 1.32.1",
				"4: nobody has said which Kubernetes versions cert-manager 1.20 supports; known are 1.21",
			},
		},
	} {
		m, err := Parse([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, p := range Check(m, clusters, c.policy, support, "v1.36.2") {
			if p.Fix == "" {
				t.Errorf("%s: %s: nothing is said about what to do", name, p.Message)
			}
			got = append(got, fmt.Sprintf("%d: %s", p.Line, p.Message))
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                                     ":1: it ends too early",
		`[]`:                                   ":1: the matrix must be an object",
		"{\n\"a\": 1}":                         `:2: component "a" must be an object`,
		"{\"a\": {\n\n\"dev\": 1.36}}":         `:3: the version of "a" in "dev" must be a string`,
		"{\"a\": {},\n\"a\": {}}":              `:2: component "a" is there twice`,
		"{\"a\": {\"x\":\"1\",\n\"x\":\"2\"}}": `:2: component "a" names cluster "x" twice`,
		"{\n} {":                               ":2: something follows the end of the matrix",
		"{\n\"a\": {\"x\": \"1\"":              ":2: it ends too early",
	} {
		_, err := Parse([]byte(text))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]string{
		"v1.21.2": "1.21.2", "1.36": "1.36.0", "2.580.2-jdk21": "2.580.2", "v1.19.3-debian-elasticsearch9-1.1": "1.19.3",
		"6.6-24.04_beta": "6.6.0", "3385.vf1123fb_515da_-1": "", "latest": "", "": "", "1": "", "1.2.3.4": "1.2.3", "99999999.1": "",
	} {
		got, ok := ParseVersion(text)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q: %s %v, want %q", text, got, ok, want)
		}
	}
}

// The repository's own matrix and support files.
func TestRepository(t *testing.T) {
	root := filepath.Join("..", "..")
	data, err := os.ReadFile(filepath.Join(root, File))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	support, err := ReadSupport(root)
	if err != nil || len(support) == 0 {
		t.Fatalf("%d, %v", len(support), err)
	}
	for _, p := range Check(m, clusters, Policy{MaxSkew: 1}, support, "") {
		t.Error(p)
	}
	if line := m.Components[0].Cells[1].Line; line != 4 {
		t.Errorf("the second version is in line %d", line)
	}
}

func TestParseSupportErrors(t *testing.T) {
	for _, text := range []string{
		`{"a": {"source": "x", "releases": {"1.2": ["1.36", "1.33"]}}}`,
		`{"a": {"source": "x", "releases": {"new": ["1.33", "1.36"]}}}`,
		`{"a": {"source": "x", "kubernetes": []}}`,
		`[]`,
	} {
		if _, err := ParseSupport([]byte(text)); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(matrix(row("kubernetes", "1.36.1", "1.36.1", "1.35.4"))))
	f.Add([]byte(`{"a": {"b": "c"}, "d`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		Check(m, clusters, Policy{}, nil, "")
		for _, c := range m.Components {
			for _, cell := range c.Cells {
				if m.Version(c.Name, cell.Cluster) != cell.Version {
					t.Errorf("%s in %s isn't found", c.Name, cell.Cluster)
				}
			}
		}
	})
}
