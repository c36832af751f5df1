package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"platform/internal/plan"
)

// server keeps comments as GitHub's API does, two to a page.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	notes    []note
	requests []string
	// elsewhere is a page of comments that the server says is next.
	elsewhere string
}

func newServer(t *testing.T) *server {
	s := &server{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	if r.Header.Get("Authorization") != "token s3cret" {
		http.Error(w, `{"message": "Bad credentials"}`, http.StatusUnauthorized)
		return
	}
	const issue, one = "/api/v3/repos/acme/platform/issues/12/comments", "/api/v3/repos/acme/platform/issues/comments/"
	var sent struct{ Body string }
	if r.Body != nil {
		_ = json.NewDecoder(r.Body).Decode(&sent)
	}
	switch {
	case r.Method == http.MethodGet && r.URL.Path == issue:
		page := 0
		fmt.Sscan(r.URL.Query().Get("page"), &page)
		from, to := min(2*page, len(s.notes)), min(2*page+2, len(s.notes))
		switch {
		case s.elsewhere != "":
			w.Header().Set("Link", "<"+s.elsewhere+`>; rel="next"`)
		case to < len(s.notes):
			w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=0>; rel="prev", <%s%s?page=%d>; rel="next"`, s.URL, issue, s.URL, issue, page+1))
		}
		_ = json.NewEncoder(w).Encode(append([]note{}, s.notes[from:to]...))
	case r.Method == http.MethodPost && r.URL.Path == issue:
		s.notes = append(s.notes, note{ID: int64(100 + len(s.notes)), Body: sent.Body, Page: "https://page"})
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(s.notes[len(s.notes)-1])
	case r.Method == http.MethodPatch && strings.HasPrefix(r.URL.Path, one):
		for i := range s.notes {
			if strings.HasSuffix(r.URL.Path, fmt.Sprintf("/%d", s.notes[i].ID)) {
				s.notes[i].Body = sent.Body
				_ = json.NewEncoder(w).Encode(s.notes[i])
				return
			}
		}
		fallthrough
	default:
		http.Error(w, `{"message": "Not Found"}`, http.StatusNotFound)
	}
}

func token(string) string { return "s3cret" }

// runOn comments on pull request 12 with what dir has.
func runOn(s *server, dir string, getenv func(string) string) error {
	args := []string{"-reports", dir, "-pull-request", s.URL + "/acme/platform/pull/12", "dev"}
	return run(context.Background(), args, getenv, io.Discard)
}

func TestOneCommentForAll(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	for i := range 5 {
		s.notes = append(s.notes, note{ID: int64(i), Body: "Looks good, says " + mark})
	}
	for replicas := 3; replicas < 6; replicas++ {
		write(t, dir, plan.Plan{Cluster: "dev", Changes: []plan.Change{update("Deployment web/shop", replicas)}})
		if err := runOn(s, dir, token); err != nil {
			t.Fatal(err)
		}
		if len(s.notes) != 6 {
			t.Fatalf("%d comments, want the five that were there and one of ours", len(s.notes))
		}
		if want := fmt.Sprintf("spec.replicas: 2 → %d", replicas); !strings.Contains(s.notes[5].Body, want) {
			t.Errorf("the comment doesn't say %q:\n%s", want, s.notes[5].Body)
		}
	}
	// Three pages to find it, or to find that it isn't there.
	if len(s.requests) != 3*(3+1) {
		t.Errorf("%d requests: %q", len(s.requests), s.requests)
	}
}

func TestRefusals(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	write(t, dir, plan.Plan{Cluster: "dev"})
	for name, test := range map[string]struct {
		err  func() error
		want string
	}{
		"no token":       {func() error { return runOn(s, dir, func(string) string { return "" }) }, "FORGE_TOKEN isn't set"},
		"a wrong token":  {func() error { return runOn(s, dir, func(string) string { return "x" }) }, "401 Unauthorized: Bad credentials; the token in FORGE_TOKEN isn't valid"},
		"no clusters":    {func() error { return run(t.Context(), nil, token, io.Discard) }, "which clusters"},
		"another thread": {func() error { _, err := parsePull(s.URL + "/acme/platform/issues/12"); return err }, "isn't the address of a pull request"},
		"no such pull request": {func() error {
			return run(t.Context(), []string{"-reports", dir, "-pull-request", s.URL + "/acme/platform/pull/13", "dev"}, token, io.Discard)
		}, "404 Not Found: Not Found; may the token"},
		"another server": {func() error {
			s.elsewhere = "https://elsewhere.example.net/comments"
			return runOn(s, dir, token)
		}, "on another server"},
	} {
		if err := test.err(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
	if len(s.notes) != 0 {
		t.Errorf("comments were written: %v", s.notes)
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
