package pods_test

import (
	"slices"
	"testing"

	"platform/internal/check/checktest"
	"platform/internal/check/pods"
)

func TestPods(t *testing.T) {
	const spec = `{restartPolicy: R, initContainers: [{name: init}, {name: side, restartPolicy: Always, ports: [{containerPort: 1}]}], containers: [{name: web, ports: [{containerPort: 2}]}]}`
	for _, c := range []struct {
		object, path string
		ends         bool
	}{
		{"apiVersion: v1\nkind: Pod\nspec: " + spec, "spec", false},
		{"apiVersion: v1\nkind: ReplicationController\nspec: {template: {spec: " + spec + "}}", "spec.template.spec", false},
		{"apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: " + spec + "}}", "spec.template.spec", false},
		{"apiVersion: apps/v1\nkind: StatefulSet\nspec: {template: {spec: " + spec + "}, volumeClaimTemplates: [{metadata: {name: data}}, 1]}", "spec.template.spec", false},
		{"apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: " + spec + "}}", "spec.template.spec", true},
		{"apiVersion: batch/v1\nkind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: " + spec + "}}}}", "spec.jobTemplate.spec.template.spec", true},
	} {
		cluster := checktest.Cluster(t, "dev", "{}", map[string]string{"shop": c.object + "\nmetadata: {name: web, namespace: shop}"})
		all := pods.All(cluster)
		if len(all) != 1 {
			t.Fatalf("%s: got %d pods", c.object, len(all))
		}
		pod := all[0]
		if pod.At("spec") != c.path || pod.Ends() != c.ends || pod.Namespace() != "shop" {
			t.Errorf("%s: %s, ends: %t", c.object, pod.At("spec"), pod.Ends())
		}
		var got []string
		for container := range pod.Containers() {
			path := container.Path
			if container.Init {
				path += " (init)"
			}
			got = append(got, path)
		}
		want := []string{c.path + `.initContainers[name="init"] (init)`, c.path + `.initContainers[name="side"]`, c.path + `.containers[name="web"]`}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", c.object, got, want)
		}
		// The range may end early.
		for range pod.Containers() {
			break
		}
		if ports := pod.Ports(); len(ports) != 2 {
			t.Errorf("%s: ports %v", c.object, ports)
		}
		if want := map[bool]int{true: 1}[pod.Object.GetKind() == "StatefulSet"]; len(pod.Claims) != want {
			t.Errorf("%s: claims %v", c.object, pod.Claims)
		}
	}
}

// What makes no pods, or isn't of the form that it should be, has none.
func TestNoPods(t *testing.T) {
	for _, object := range []string{
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}",
		"apiVersion: example.net/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {}}}",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: 1}",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: web}}}",
	} {
		if all := pods.All(checktest.Cluster(t, "dev", "{}", map[string]string{"shop": object})); len(all) > 0 {
			t.Errorf("%s: got %v", object, all)
		}
	}
}

func TestElement(t *testing.T) {
	self := func(s string) string { return s }
	for _, c := range []struct {
		list []string
		i    int
		want string
	}{
		{[]string{"a", "b"}, 1, `x[name="b"]`}, {[]string{"a", "a"}, 1, "x[1]"}, {[]string{"a", ""}, 0, "x[0]"}, {[]string{`a"b`}, 0, `x[name="a\"b"]`},
	} {
		if got := pods.Element("x", c.i, c.list, self); got != c.want {
			t.Errorf("%q: got %s, want %s", c.list, got, c.want)
		}
	}
}
