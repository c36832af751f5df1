package views

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"platform/internal/drift"
)

const (
	// chatClusters and chatFindings bound a message to what fits a screen.
	chatClusters, chatFindings = 10, 8
	chatText                   = 160
)

// Chat writes the body of a request to a chat's incoming webhook. It is a text
// alone, which Slack, Mattermost, Rocket.Chat and others all take. The link is
// where the whole report is; it may be empty.
func Chat(w io.Writer, r *drift.Report, link string) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(struct {
		Text string `json:"text"`
	}{message(r, link, slack{})})
}

// Message writes the same as plain text, for mail and everything else.
func Message(w io.Writer, r *drift.Report, link string) error {
	_, err := io.WriteString(w, message(r, link, plainText{})+"\n")
	return err
}

// markup is how a message is set.
type markup interface {
	text(string) string
	bold(string) string
	code(string) string
	link(url, label string) string
}

func message(r *drift.Report, link string, m markup) string {
	var lines []string
	lines = append(lines, m.bold(Headline(r)), m.text(fmt.Sprintf("%s at %s, %s", r.Repository, commit(r.Commit), when(r.Time))))
	shown, more := 0, 0
	for _, c := range r.Clusters {
		notes := remarks(c)
		if len(notes) == 0 {
			continue
		}
		if shown == chatClusters {
			more++
			continue
		}
		shown++
		lines = append(lines, "• "+m.bold(c.Name)+" "+m.text(shorten(strings.Join(notes, "; "), 2*chatText)))
	}
	if more > 0 {
		lines = append(lines, m.text("… and "+count(more, "more cluster")))
	}
	var fresh []string
	for _, c := range r.Clusters {
		for _, f := range c.Findings {
			if f.Current() && f.Status == drift.New {
				fresh = append(fresh, m.text(symbol(f.Op)+" "+c.Name+": ")+m.code(shorten(f.Resource, chatText))+m.text(reason(f)))
			}
		}
	}
	if len(fresh) > 0 {
		lines = append(lines, m.text("New:"))
		lines = append(lines, fresh[:min(len(fresh), chatFindings)]...)
		if n := len(fresh) - chatFindings; n > 0 {
			lines = append(lines, m.text(fmt.Sprintf("… and %d more", n)))
		}
	}
	if link != "" {
		lines = append(lines, m.link(link, "The whole report"))
	}
	return strings.Join(lines, "\n")
}

func reason(f drift.Finding) string {
	if f.Reason == "" {
		return " " + meaning(f.Op)
	}
	return " " + shorten(f.Reason, chatText)
}

// slack is Slack's mrkdwn.
type slack struct{}

var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// text escapes what would become a link or a mention.
func (slack) text(s string) string { return slackEscapes.Replace(printable(s)) }
func (m slack) bold(s string) string {
	return "*" + strings.ReplaceAll(m.text(s), "*", "") + "*"
}
func (m slack) code(s string) string { return "`" + strings.ReplaceAll(m.text(s), "`", "'") + "`" }
func (slack) link(url, label string) string {
	return "<" + strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C").Replace(printable(url)) + "|" + label + ">"
}

type plainText struct{}

func (plainText) text(s string) string          { return printable(s) }
func (plainText) bold(s string) string          { return printable(s) }
func (plainText) code(s string) string          { return printable(s) }
func (plainText) link(url, label string) string { return label + ": " + printable(url) }
