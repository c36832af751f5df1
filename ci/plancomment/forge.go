package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// pull is a pull request, as its API knows it.
type pull struct {
	// api is the root of the API.
	api                 string
	owner, repo, number string
}

var pullPath = regexp.MustCompile(`^/([^/]+)/([^/]+)/(pulls?)/([0-9]+)/?$`)

// parsePull takes the address of a pull request's page. Where the API is follows
// from it: GitHub's pages are at /pull/N, those of Gitea and Forgejo at /pulls/N.
func parsePull(address string) (pull, error) {
	u, err := url.Parse(address)
	if err != nil {
		return pull{}, fmt.Errorf("%q isn't the address of a pull request: %w", address, err)
	}
	parts := pullPath.FindStringSubmatch(u.Path)
	if parts == nil || u.Host == "" {
		return pull{}, fmt.Errorf("%q isn't the address of a pull request: want https://HOST/OWNER/REPOSITORY/pull/NUMBER", address)
	}
	p := pull{owner: parts[1], repo: parts[2], number: parts[4]}
	switch root := u.Scheme + "://" + u.Host; {
	case parts[3] == "pulls":
		p.api = root + "/api/v1"
	case u.Host == "github.com":
		p.api = "https://api.github.com"
	default: // GitHub Enterprise Server
		p.api = root + "/api/v3"
	}
	return p, nil
}

func (p pull) repository() string { return p.api + "/repos/" + p.owner + "/" + p.repo }

// forge speaks with the server that the pull request is on.
type forge struct {
	client *http.Client
	token  string
}

type note struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	Page string `json:"html_url"`
}

// upsert replaces our comment, or writes the first one, and gives the address of
// its page.
func (f forge) upsert(ctx context.Context, p pull, body string) (string, error) {
	there, err := f.find(ctx, p)
	if err != nil {
		return "", err
	}
	method, address := http.MethodPost, fmt.Sprintf("%s/issues/%s/comments", p.repository(), p.number)
	if there != nil {
		method, address = http.MethodPatch, fmt.Sprintf("%s/issues/comments/%d", p.repository(), there.ID)
	}
	var written note
	if _, err := f.do(ctx, method, address, map[string]string{"body": body}, &written); err != nil {
		return "", err
	}
	return written.Page, nil
}

// find looks for our comment on all pages of them; nil if there is none.
func (f forge) find(ctx context.Context, p pull) (*note, error) {
	next := fmt.Sprintf("%s/issues/%s/comments?per_page=100", p.repository(), p.number)
	for next != "" {
		var notes []note
		header, err := f.do(ctx, http.MethodGet, next, nil, &notes)
		if err != nil {
			return nil, err
		}
		for _, n := range notes {
			if strings.HasPrefix(n.Body, mark) {
				return &n, nil
			}
		}
		if next, err = nextPage(next, header.Get("Link")); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

var linkNext = regexp.MustCompile(`<([^>]*)>;\s*rel="next"`)

// nextPage is the page after this one; none if it is empty. The token goes to no
// other server than the first.
func nextPage(this, link string) (string, error) {
	found := linkNext.FindStringSubmatch(link)
	if found == nil {
		return "", nil
	}
	from, err := url.Parse(this)
	if err != nil {
		return "", err
	}
	to, err := from.Parse(found[1])
	if err != nil {
		return "", err
	}
	if to.Scheme != from.Scheme || to.Host != from.Host {
		return "", fmt.Errorf("the next page of comments is said to be on another server: %s", to)
	}
	return to.String(), nil
}

func (f forge) do(ctx context.Context, method, address string, in, out any) (http.Header, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	// What GitHub's older tokens, its newer ones and Gitea's all take.
	request.Header.Set("Authorization", "token "+f.token)
	request.Header.Set("Accept", "application/json")
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := f.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, 32<<20))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, address, err)
	}
	if response.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %s: %s%s", method, address, response.Status, said(data), remedy(response.StatusCode))
	}
	if err := json.Unmarshal(data, out); err != nil {
		return nil, fmt.Errorf("%s %s: the answer isn't what was expected: %w", method, address, err)
	}
	return response.Header, nil
}

// said is a server's own explanation, or the beginning of what it sent instead.
func said(data []byte) string {
	var answer struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(data, &answer) == nil && answer.Message != "" {
		return answer.Message
	}
	if len(data) > 200 {
		data = data[:200]
	}
	return strings.TrimSpace(string(data))
}

func remedy(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "; the token in FORGE_TOKEN isn't valid"
	case http.StatusForbidden, http.StatusNotFound:
		return "; may the token in FORGE_TOKEN read the repository and write comments?"
	}
	return ""
}
