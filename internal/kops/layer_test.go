package kops

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"platform/internal/plan"
)

// layer makes a Layer whose worker is a shell script.
func layer(t *testing.T, script string, events *[]plan.Event) *Layer {
	t.Helper()
	spec, err := ParseSpec([]byte(goodSpec))
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{
		Spec: spec, Worker: []string{"sh", "-c", script},
		TargetGroups: func(context.Context) ([]string, error) { return []string{"arn:b", "arn:a"}, nil },
		Report:       func(e plan.Event) { *events = append(*events, e) },
	})
}

func TestWorkerMessages(t *testing.T) {
	var events []plan.Event
	l := layer(t, `request=$(cat)
case $request in *'"verb":"plan"'*'"arn:b","arn:a"'*) ;; *) echo "bad request: $request" >&2; exit 1;; esac
echo '{"event":{"layer":"kops","action":"waiting"}}'
echo '{"result":{"exists":true,"changes":[{"layer":"kops","op":"roll","resource":"InstanceGroup/nodes"}],"connection":{"name":"dev","server":"https://x"}}}'`, &events)
	changes, err := l.Plan(t.Context())
	if err != nil || len(changes) != 1 || changes[0].Op != plan.Roll || len(events) != 1 {
		t.Errorf("%+v, %v, events %v", changes, err, events)
	}
	// The connection came along; no second worker is asked for it.
	l.opts.Worker = []string{"false"}
	if c, err := l.Connect(t.Context()); err != nil || c == nil || c.Server != "https://x" {
		t.Errorf("connection %+v, %v", c, err)
	}
}

func TestWorkerFailures(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"its own error", `cat >/dev/null; echo '{"result":{"exists":true},"error":{"kind":"invalid","message":"kops refuses it"}}'`, "kops refuses it"},
		{"broken off", `cat >/dev/null; echo "panic: oh" >&2; exit 2`, "panic: oh"},
		{"babble", `cat >/dev/null; echo hello`, `the worker wrote "hello\n"`},
		{"not there", `exec /nonexistent/program`, "broke off"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var events []plan.Event
			_, err := layer(t, test.script, &events).Plan(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	var events []plan.Event
	_, err := layer(t, `cat >/dev/null; echo '{"error":{"kind":"credentials","message":"who are you"}}'`, &events).Plan(t.Context())
	var kind *Error
	if !errors.As(err, &kind) || kind.Kind != KindCredentials {
		t.Errorf("the kind of %v is lost", err)
	}
}

func TestWorkerIsInterrupted(t *testing.T) {
	var events []plan.Event
	l := layer(t, `cat >/dev/null
trap 'echo "{\"result\":{\"exists\":true,\"changes\":[{\"layer\":\"kops\",\"op\":\"create\",\"resource\":\"VPC/x\"}]},\"error\":{\"kind\":\"interrupted\",\"message\":\"stopped\"}}"; exit 0' INT
while :; do sleep 0.1; done`, &events)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	changes, err := l.Delete(ctx)
	if err == nil || len(changes) != 1 || time.Since(start) > 10*time.Second {
		t.Errorf("interrupted: %+v, %v after %s; want what was done and an error", changes, err, time.Since(start))
	}
}
