package main

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"platform/internal/plan"
	"platform/test/pipeline/forgetest"
)

func token(string) string { return forgetest.Token }

// runOn comments on the server's pull request with what dir has of dev.
func runOn(t *testing.T, s *forgetest.Server, dir string, getenv func(string) string) error {
	return run(t.Context(), []string{"-reports", dir, "-pull-request", s.PullRequest(), "dev"}, getenv, io.Discard)
}

func TestOneCommentForAll(t *testing.T) {
	others := []string{"1", "2", "It begins with " + mark, "4", "5"}
	s, dir := forgetest.New(t, others...), t.TempDir()
	for replicas := 3; replicas < 6; replicas++ {
		write(t, dir, plan.Plan{Cluster: "dev", Changes: []plan.Change{update("Deployment web/shop", replicas)}})
		if err := runOn(t, s, dir, token); err != nil {
			t.Fatal(err)
		}
		got := s.Comments()
		if len(got) != 6 || strings.Join(got[:5], "") != strings.Join(others, "") {
			t.Fatalf("want the five comments that were there and one of ours, got %q", got)
		}
		if want := fmt.Sprintf("spec.replicas: 2 → %d", replicas); !strings.Contains(got[5], want) {
			t.Errorf("the comment doesn't say %q:\n%s", want, got[5])
		}
	}
	// Three pages to find it, or to find that it isn't there.
	if s.Requests() != 3*(3+1) {
		t.Errorf("%d requests", s.Requests())
	}
}

func TestRefusals(t *testing.T) {
	s, dir := forgetest.New(t), t.TempDir()
	write(t, dir, plan.Plan{Cluster: "dev"})
	always := func(value string) func(string) string { return func(string) string { return value } }
	for name, test := range map[string]struct {
		err  func() error
		want string
	}{
		"no token":       {func() error { return runOn(t, s, dir, always("")) }, "FORGE_TOKEN isn't set"},
		"a wrong token":  {func() error { return runOn(t, s, dir, always("x")) }, "401 Unauthorized: Bad credentials; the token in FORGE_TOKEN isn't valid"},
		"no clusters":    {func() error { return run(t.Context(), nil, token, io.Discard) }, "which clusters"},
		"another thread": {func() error { _, err := parsePull(s.URL + "/acme/platform/issues/12"); return err }, "isn't the address of a pull request"},
		"no such pull request": {func() error {
			return run(t.Context(), []string{"-reports", dir, "-pull-request", s.URL + "/acme/platform/pull/13", "dev"}, token, io.Discard)
		}, "404 Not Found: Not Found; may the token"},
		"another server": {func() error {
			other := forgetest.New(t)
			other.SayNext("https://elsewhere.example.net/comments")
			return runOn(t, other, dir, token)
		}, "on another server"},
	} {
		if err := test.err(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
	if got := s.Comments(); len(got) != 0 {
		t.Errorf("comments were written: %q", got)
	}
}

func TestParsePull(t *testing.T) {
	for address, want := range map[string]string{
		"https://github.com/acme/platform/pull/12":           "https://api.github.com/repos/acme/platform",
		"https://github.acme.example/acme/platform/pull/12/": "https://github.acme.example/api/v3/repos/acme/platform",
		"https://git.example.net/acme/platform/pulls/12":     "https://git.example.net/api/v1/repos/acme/platform",
	} {
		p, err := parsePull(address)
		if err != nil || p.repository() != want || p.number != "12" {
			t.Errorf("%s: %+v, %v, want %s", address, p, err, want)
		}
	}
	for _, address := range []string{"", "12", "/acme/platform/pull/12", "https://github.com/acme/platform", "https://github.com/acme/platform/pull/x", "https://gitlab.example/a/b/-/merge_requests/1"} {
		if p, err := parsePull(address); err == nil {
			t.Errorf("%q is taken for %+v", address, p)
		}
	}
}

func TestWithoutPullRequestItIsPrinted(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, plan.Plan{Cluster: "dev"})
	var out strings.Builder
	if err := run(t.Context(), []string{"-reports", dir, "dev"}, func(string) string { return "" }, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), mark) || !strings.Contains(out.String(), "| dev | no changes |") {
		t.Errorf("printed:\n%s", out.String())
	}
}
