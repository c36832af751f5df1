package versions

import (
	"fmt"
	"testing"
)

func TestRunning(t *testing.T) {
	m, err := Parse([]byte(matrix(
		row("cert-manager", "v1.21.2", "", ""), row("elasticsearch", "9.5.5", "", ""), row("kibana", "9.5.5", "", ""),
		row("fluentd", "v1.19.3", "", ""), row("kops", "1.36.2", "", ""), row("squid", "6.6", "", ""), row("tools", "6.6", "", ""))))
	if err != nil {
		t.Fatal(err)
	}
	declared := []string{
		"quay.io/jetstack/cert-manager-controller:v1.21.2", "quay.io/jetstack/cert-manager-webhook:v1.21.2@sha256:abc",
		"docker.elastic.co/elasticsearch/elasticsearch:9.5.5", "docker.elastic.co/kibana/kibana:9.5.5",
		"localhost:5000/fluent/fluentd:v1.19.3-debian-1", "web/proxy:6.6", "other/thing:1.36.20",
	}
	for live, want := range map[string]string{
		"": "map[]",
		"quay.io/jetstack/cert-manager-controller:v1.20.0": "map[cert-manager:v1.20.0]",
		"docker.elastic.co/kibana/kibana:9.5.4":            "map[kibana:9.5.4]",
		"localhost:5000/fluent/fluentd:v1.18.0-debian-1":   "map[fluentd:v1.18.0]",
		"localhost:5000/fluent/fluentd:v1.18.0-alpine-1":   "map[]",
		"web/proxy:6.5":       "map[squid:6.5 tools:6.5]", // named after neither
		"other/thing:1.36.20": "map[]",
	} {
		if got := fmt.Sprint(Running(m, "dev", declared, []string{live})); got != want {
			t.Errorf("%s: %s, want %s", live, got, want)
		}
	}
	both := []string{"quay.io/jetstack/cert-manager-controller:v1.21.2", "quay.io/jetstack/cert-manager-webhook:v1.20.0@sha256:def", "quay.io/jetstack/cert-manager-webhook:v1.20.0"}
	if got := Running(m, "dev", declared, both)["cert-manager"]; got != "v1.20.0, v1.21.2" {
		t.Errorf("in the middle of an update: %s", got)
	}
}
