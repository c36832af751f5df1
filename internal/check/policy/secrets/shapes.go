package secrets

import (
	"regexp"
	"strings"
)

// shape is a form that is nothing but a secret.
type shape struct {
	kind string
	// hints are texts of which one is in every such secret; they are cheaper to
	// look for than the expression.
	hints   []string
	pattern *regexp.Regexp
}

var shapes = []shape{
	{"an AWS access key", []string{"AKIA", "ASIA", "ABIA", "ACCA"}, regexp.MustCompile(`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b`)},
	// The header alone isn't a key.
	{"a private key", []string{"PRIVATE KEY"}, regexp.MustCompile(`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr]|[A-Za-z-]+: [^\n]*\n)*[A-Za-z0-9+/=]{16}(?:[A-Za-z0-9+/=\s]|\\[nr])*(?:-----END [A-Z0-9 ]+-----)?`)},
	{"a GitHub token", []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"}, regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{40,255})\b`)},
	{"a GitLab token", []string{"glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "glagent-"}, regexp.MustCompile(`\bgl(?:pat|dt|rt|ptt|cbt|soat|agent)-[A-Za-z0-9_.-]{20,}`)},
	{"a Slack token", []string{"xox", "xapp-"}, regexp.MustCompile(`\b(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}`)},
	{"a Slack webhook", []string{"hooks.slack.com"}, regexp.MustCompile(`hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9_/+-]{20,}`)},
	{"a JSON web token", []string{"eyJ"}, regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}`)},
	{"a Google API key", []string{"AIza"}, regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{35}`)},
	{"a Google OAuth secret", []string{"GOCSPX-", "ya29."}, regexp.MustCompile(`\b(?:GOCSPX-[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{20,})`)},
	{"an age key", []string{"AGE-SECRET-KEY-"}, regexp.MustCompile(`AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{50,}`)},
	{"a Vault token", []string{"hvs.", "hvb.", "hvr."}, regexp.MustCompile(`\bhv[sbr]\.[A-Za-z0-9_-]{20,}`)},
	{"a Stripe key", []string{"k_live_", "k_test_"}, regexp.MustCompile(`\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}`)},
	{"an npm token", []string{"npm_"}, regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`)},
	{"a PyPI token", []string{"pypi-"}, regexp.MustCompile(`\bpypi-[A-Za-z0-9_-]{50,}`)},
	{"a Docker Hub token", []string{"dckr_"}, regexp.MustCompile(`\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}`)},
	{"a SendGrid key", []string{"SG."}, regexp.MustCompile(`\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{30,}`)},
	{"a Grafana token", []string{"glsa_", "glc_"}, regexp.MustCompile(`\b(?:glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}|glc_[A-Za-z0-9+/=]{32,})`)},
	{"an OpenAI key", []string{"sk-"}, regexp.MustCompile(`\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}`)},
	{"a password's hash", []string{"$2a$", "$2b$", "$2y$", "$apr1$", "$5$", "$6$", "$y$"}, regexp.MustCompile(`\$(?:2[aby]\$\d\d\$[./A-Za-z0-9]{53}|apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}|[56]\$(?:rounds=\d+\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43,86}|y\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43})`)},
}

// withPassword is a URL with a user and a password in it.
var withPassword = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@'"<>\x60]*:([^\s/@'"<>\x60]+)@[A-Za-z0-9\[]`)

func (s *scanner) shapes() {
	for _, shape := range shapes {
		if !containsAny(s.text, shape.hints) {
			continue
		}
		for _, at := range shape.pattern.FindAllStringIndex(s.text, -1) {
			if !isExample(s.text[at[0]:at[1]]) {
				s.found = append(s.found, Match{shape.kind, at[0], at[1]})
			}
		}
	}
	if !strings.Contains(s.text, "://") || !strings.Contains(s.text, "@") {
		return
	}
	for _, at := range withPassword.FindAllStringSubmatchIndex(s.text, -1) {
		if password := s.text[at[2]:at[3]]; !isPlaceholder(password) {
			s.found = append(s.found, Match{"a password in a URL", at[2], at[3]})
		}
	}
}

func containsAny(text string, hints []string) bool {
	for _, hint := range hints {
		if strings.Contains(text, hint) {
			return true
		}
	}
	return false
}

// known are what looks like chance but is meant to be public.
var known = []shape{
	{"a certificate", []string{"-----BEGIN"}, regexp.MustCompile(`-----BEGIN (?:TRUSTED )?(?:CERTIFICATE(?: REQUEST)?|PUBLIC KEY|RSA PUBLIC KEY|X509 CRL|PGP PUBLIC KEY BLOCK|PGP SIGNATURE)-----[^-]*-----END [A-Z0-9 ]+-----`)},
	// A certificate without its header, or PEM in base64, as caBundle is written.
	{"a certificate", []string{"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"}, regexp.MustCompile(`LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t[A-Za-z0-9+/=\s]*`)},
	{"a public key", []string{"ssh-", "ecdsa-", "sk-"}, regexp.MustCompile(`\b(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d+|sk-[a-z0-9-]+@openssh\.com) [A-Za-z0-9+/=]{20,}`)},
	{"an age recipient", []string{"age1"}, regexp.MustCompile(`\bage1[a-z0-9]{50,}`)},
	{"a digest", []string{"sha", "md5", "SHA", "MD5"}, regexp.MustCompile(`(?i)\b(?:sha-?(?:1|2|3|224|256|384|512)|md5)(?:sum)?[:=\-]+ ?["']?[A-Za-z0-9+/=_-]{20,}`)},
	{"a module's hash", []string{"h1:"}, regexp.MustCompile(`\bh1:[A-Za-z0-9+/]{43}=`)},
	{"a UUID", []string{"-"}, regexp.MustCompile(`\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b`)},
	// A commit, as what is taken from a repository names it.
	{"a commit", []string{"@"}, regexp.MustCompile(`[A-Za-z0-9._/-]@[0-9a-f]{40}\b`)},
	// Where something is. What is secret in a URL has a shape, or is named.
	{"a URL", []string{"://"}, regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>\x60?#]+`)},
	{"an image in the text", []string{";base64,"}, regexp.MustCompile(`\bdata:(?:image|font)/[a-z0-9.+-]+;base64,[A-Za-z0-9+/=]+`)},
}

func (s *scanner) public() {
	for _, shape := range known {
		if !containsAny(s.rest, shape.hints) {
			continue
		}
		var parts []Match
		for _, at := range shape.pattern.FindAllStringIndex(s.rest, -1) {
			parts = append(parts, Match{Start: at[0], End: at[1]})
		}
		s.rest = blank(s.rest, parts)
	}
}
