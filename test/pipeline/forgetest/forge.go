// Package forgetest is a server on this machine that keeps the comments of one pull
// request, as GitHub's API does.
package forgetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Token is the one that may read and write.
const Token = "s3cret"

// perPage is low, so that comments have several pages.
const perPage = 2

const (
	comments = "/api/v3/repos/acme/platform/issues/12/comments"
	single   = "/api/v3/repos/acme/platform/issues/comments/"
)

// Server has the pull request acme/platform 12.
type Server struct {
	*httptest.Server
	mu       sync.Mutex
	bodies   []string
	requests []string
	// next is a page of comments that the server says comes next, instead of
	// the one that does.
	next string
}

// New starts a server that stops with the test; the pull request has comments.
func New(t testing.TB, bodies ...string) *Server {
	s := &Server{bodies: bodies}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// PullRequest is the address of the pull request's page.
func (s *Server) PullRequest() string { return s.URL + "/acme/platform/pull/12" }

// Comments are the comments that are there.
func (s *Server) Comments() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.bodies...)
}

// Requests counts what was asked.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// SayNext makes the server send whoever reads comments to another page.
func (s *Server) SayNext(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = address
}

type comment struct {
	ID   int    `json:"id"`
	Body string `json:"body"`
	Page string `json:"html_url"`
}

// comment is the one at an index; IDs are counted from 100.
func (s *Server) comment(i int) comment {
	return comment{100 + i, s.bodies[i], fmt.Sprintf("%s#%d", s.PullRequest(), 100+i)}
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	if r.Header.Get("Authorization") != "token "+Token {
		answer(w, http.StatusUnauthorized, map[string]string{"message": "Bad credentials"})
		return
	}
	var sent struct{ Body string }
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || sent.Body == "" {
			answer(w, http.StatusUnprocessableEntity, map[string]string{"message": "Validation Failed"})
			return
		}
	}
	id, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, single))
	switch i := id - 100; {
	case r.Method == http.MethodGet && r.URL.Path == comments:
		s.list(w, r)
	case r.Method == http.MethodPost && r.URL.Path == comments:
		s.bodies = append(s.bodies, sent.Body)
		answer(w, http.StatusCreated, s.comment(len(s.bodies)-1))
	case r.Method == http.MethodPatch && err == nil && 0 <= i && i < len(s.bodies):
		s.bodies[i] = sent.Body
		answer(w, http.StatusOK, s.comment(i))
	default:
		answer(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
	}
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	page = max(page, 1)
	list := []comment{}
	for i := (page - 1) * perPage; i < min(page*perPage, len(s.bodies)); i++ {
		list = append(list, s.comment(i))
	}
	link := ""
	if page > 1 {
		link = fmt.Sprintf(`<%s%s?page=%d>; rel="prev", `, s.URL, comments, page-1)
	}
	if page*perPage < len(s.bodies) {
		link += fmt.Sprintf(`<%s%s?page=%d>; rel="next"`, s.URL, comments, page+1)
	}
	if s.next != "" {
		link = "<" + s.next + `>; rel="next"`
	}
	w.Header().Set("Link", link)
	answer(w, http.StatusOK, list)
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
