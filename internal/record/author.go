package record

import (
	"net/url"
	"os"
	"os/user"
	"strings"
	"time"
	"unicode"
)

// Author is who deploys.
type Author struct {
	// Name is a person's, as well as it is known.
	Name string `json:"name"`
	// Machine is the account and the host that the tool runs on.
	Machine string `json:"machine,omitempty"`
	// Job is the URL of the job of a pipeline that runs it.
	Job string `json:"job,omitempty"`
	// ARN is the identity in AWS.
	ARN string `json:"arn,omitempty"`
}

// String names the author, and the job or else the machine.
func (a Author) String() string {
	where := a.Machine
	if a.Job != "" {
		where = a.Job
	}
	if where == "" || where == a.Name {
		return a.Name
	}
	return a.Name + " (" + where + ")"
}

// names are the variables by which pipelines say who started them: Jenkins'
// build user plugin, GitHub Actions, GitLab. The first that is set counts.
var names = []string{"BUILD_USER", "GITHUB_ACTOR", "GITLAB_USER_NAME", "GITLAB_USER_LOGIN"}

// Whoami finds out who runs this process, from the environment, from the name
// that git commits under, and from the operating system, in that order.
func Whoami(env func(string) string, gitName string) Author {
	a := Author{Machine: machine()}
	for _, name := range names {
		if a.Name = env(name); a.Name != "" {
			break
		}
	}
	if a.Name == "" {
		a.Name = gitName
	}
	if a.Name == "" {
		a.Name = a.Machine
	}
	a.Name = clean(a.Name, 100)
	for _, job := range []string{env("BUILD_URL"), env("CI_JOB_URL"), githubRun(env)} {
		if a.Job = cleanURL(job); a.Job != "" {
			break
		}
	}
	return a
}

func githubRun(env func(string) string) string {
	server, repository, run := env("GITHUB_SERVER_URL"), env("GITHUB_REPOSITORY"), env("GITHUB_RUN_ID")
	if server == "" || repository == "" || run == "" {
		return ""
	}
	return server + "/" + repository + "/actions/runs/" + run
}

func machine() string {
	name := "somebody"
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return clean(name, 100)
}

// cleanURL leaves out of a URL what may be secret: a password, a query.
func cleanURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return clean(u.String(), 300)
}

// clean makes one line of a text, not longer than limit characters.
func clean(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(strings.TrimSpace(text), "�"))
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}

// Time writes a time as all messages do.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
