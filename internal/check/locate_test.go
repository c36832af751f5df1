package check

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Places in the repository itself: by the text of the line, since lines move.
func TestPlaces(t *testing.T) {
	root := filepath.Join("..", "..")
	l := newLocator(root, nil)
	for _, c := range []struct{ source, key, path, file, line string }{
		// Overridden by the cluster.
		{"clusters/dev/nginx-ingress.jsonnet", "namespace.namespace", "", "clusters/dev/nginx-ingress.jsonnet", "namespace: platform.Namespace("},
		// Said by the stack.
		{"clusters/dev/jenkins.jsonnet", "jenkins.config", "", "addons/jenkins/jenkins.libsonnet", "config: kube.ConfigMap(p.name) + this {"},
		{"clusters/dev/jenkins.jsonnet", "jenkins.config", "data", "addons/jenkins/jenkins.libsonnet", "data: {"},
		{"clusters/dev/jenkins.jsonnet", "jenkins.config", `data["jenkins.yaml"]`, "addons/jenkins/jenkins.libsonnet", "'jenkins.yaml': "},
		{"clusters/dev/jenkins.jsonnet", "jenkins.stateful_set", `spec.template.spec.containers[name="jenkins"].image`, "addons/jenkins/jenkins.libsonnet", "image: p.images.controller,"},
		{"clusters/dev/jenkins.jsonnet", "jenkins.stateful_set", `spec.template.spec.containers[name="jenkins"].env[name="JAVA_OPTS"].value`, "addons/jenkins/jenkins.libsonnet", "JAVA_OPTS: "},
		{"clusters/dev/jenkins.jsonnet", "jenkins.service", "spec.ports[0].port", "addons/jenkins/jenkins.libsonnet", "service: kube.Service(p.name)"},
		{"clusters/dev/jenkins.jsonnet", "no.such.key", "", "clusters/dev/jenkins.jsonnet", ""},
		{"clusters/dev/cluster.jsonnet", "", "kops.cluster.spec.kubernetesVersion", "clusters/cluster.libsonnet", "kops: kops.Cluster({"},
		{"clusters/dev/cluster.jsonnet", "", "aws.wildcard", "clusters/cluster.libsonnet", "aws: aws.Cluster({"},
	} {
		file, line := l.place(c.source, c.key, c.path)
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.TrimSpace(strings.Split(string(text), "\n")[line-1])
		if file != c.file || !strings.Contains(got, c.line) {
			t.Errorf("%s %s %s: %s:%d: %s", c.source, c.key, c.path, file, line, got)
		}
	}
}

// Programs that call themselves, that can't be parsed, or that aren't there.
func TestPlacesEnd(t *testing.T) {
	root := t.TempDir()
	deep := "local f(x) = { a: f(x) + self.a, b: g(x) }, g(y) = f(y) + g(y); f(1) { c: $.a.b.c } + (import 'self.jsonnet')"
	for name, text := range map[string]string{
		"self.jsonnet":   deep,
		"broken.jsonnet": "{ a: ",
		"wide.jsonnet":   "local a = " + strings.Repeat("{ x: 1 } + ", 3000) + "{ y: 2 }; a",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l := newLocator(root, nil)
	for _, c := range [][3]string{
		{"self.jsonnet", "a.b.a.b", "a.c"}, {"self.jsonnet", "z", ""}, {"broken.jsonnet", "a", ""},
		{"wide.jsonnet", "y", ""}, {"missing.jsonnet", "a", "b"}, {"../outside.jsonnet", "a", ""},
	} {
		if file, line := l.place(c[0], c[1], c[2]); file == "" || line != 1 {
			t.Errorf("%v: %s", c, fmt.Sprintf("%s:%d", file, line))
		}
	}
}
