package embedded

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

// runbooks are the pages of the repository that alerts link to.
type runbooks struct {
	root string
	// anchors are those of a page by its path; nil is a file that isn't there.
	anchors map[string]map[string]bool
}

// broken says what is wrong with a link to a page of this repository. A link to
// elsewhere can't be followed here, so nothing is wrong with it.
func (b *runbooks) broken(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" {
		return fmt.Sprintf("%q is no address", link)
	}
	// Code hosts put names of their own in front of a file's path.
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	for i := range parts {
		page := filepath.Join(parts[i:]...)
		if !strings.HasSuffix(page, ".md") || !filepath.IsLocal(page) {
			continue
		}
		anchors := b.page(page)
		if anchors == nil {
			continue
		}
		if u.Fragment != "" && !anchors[u.Fragment] {
			return fmt.Sprintf("%s has no section #%s", filepath.ToSlash(page), u.Fragment)
		}
		return ""
	}
	return ""
}

func (b *runbooks) page(page string) map[string]bool {
	if anchors, ok := b.anchors[page]; ok {
		return anchors
	}
	if b.anchors == nil {
		b.anchors = map[string]map[string]bool{}
	}
	b.anchors[page] = nil
	if data, err := os.ReadFile(filepath.Join(b.root, page)); err == nil {
		b.anchors[page] = anchors(string(data))
	}
	return b.anchors[page]
}

var heading = regexp.MustCompile(`(?m)^#{1,6}[ \t]+(.+?)[ \t#]*$`)

// anchors are those that a Markdown page's headings get: lower case, without
// punctuation, with dashes for spaces.
func anchors(page string) map[string]bool {
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		var b strings.Builder
		for _, r := range strings.ToLower(m[1]) {
			switch {
			case r == ' ':
				b.WriteByte('-')
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				b.WriteRune(r)
			}
		}
		out[b.String()] = true
	}
	return out
}
