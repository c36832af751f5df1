package secrets

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// The secrets below are made up, and written in parts so that nobody's scanner
// takes them for real.
const (
	letters = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
	body    = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj"
)

func TestShapes(t *testing.T) {
	for _, c := range []struct{ kind, secret string }{
		{"an AWS access key", "AK" + "IA" + "Q3EGRIJ2K7ZXW5TB"},
		{"an AWS access key", "AS" + "IA" + "Q3EGRIJ2K7ZXW5TB"},
		{"a private key", "-----BEGIN " + "PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----"},
		{"a private key", "-----BEGIN RSA " + "PRIVATE KEY-----\n" + body},
		{"a private key", "-----BEGIN OPENSSH " + "PRIVATE KEY-----\n" + body + "\n-----END OPENSSH PRIVATE KEY-----"},
		{"a private key", "-----BEGIN RSA " + "PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" + body},
		{"a private key", "-----BEGIN EC " + `PRIVATE KEY-----\n` + body},
		{"a private key", "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----\n\n" + body},
		{"a GitHub token", "gh" + "p_" + letters},
		{"a GitHub token", "gh" + "s_" + letters},
		{"a GitHub token", "github" + "_pat_11ABCDEFG0" + letters + "_x"},
		{"a GitLab token", "gl" + "pat-" + letters[:20]},
		{"a GitLab token", "gl" + "rt-" + letters[:20]},
		{"a Slack token", "xo" + "xb-123456789012-123456789012-" + letters[:24]},
		{"a Slack token", "xa" + "pp-1-A0123-123-abcdef"},
		{"a Slack webhook", "hooks.slack" + ".com/services/T01234567/B01234567/" + letters[:24]},
		{"a JSON web token", "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0NTY3ODkwIn0." + letters},
		{"a Google API key", "AI" + "za" + letters[:35]},
		{"a Google OAuth secret", "GOC" + "SPX-" + letters[:28]},
		{"an age key", "AGE-SECRET" + "-KEY-1" + strings.Repeat("QPZRY9X8GF", 6)[:58]},
		{"a Vault token", "hv" + "s." + letters},
		{"a Stripe key", "sk" + "_live_" + letters[:24]},
		{"an npm token", "npm" + "_" + letters},
		{"a PyPI token", "py" + "pi-" + letters + letters},
		{"a Docker Hub token", "dckr" + "_pat_" + letters[:27]},
		{"a SendGrid key", "S" + "G." + letters[:22] + "." + letters + letters[:7]},
		{"a Grafana token", "gl" + "sa_" + letters[:32] + "_0123abcd"},
		{"a password's hash", "$2" + "y$10$" + strings.Repeat("abcDEF012/", 6)[:53]},
		{"a password's hash", "$ap" + "r1$r31abcde$" + letters[:22]},
		{"a password's hash", "$" + "6$saltsalt$" + strings.Repeat("abcDEF012/", 9)[:86]},
	} {
		for _, around := range []string{"%s", "key: %s", `{"x": "%s"}`, "a text, (%s), and more"} {
			text := fmt.Sprintf(around, c.secret)
			got := Scan("", text, Data)
			if len(got) != 1 || got[0].Kind != c.kind || text[got[0].Start:got[0].End] != c.secret {
				t.Errorf("%s in %q: got %v", c.kind, around, describe(text, got))
			}
		}
	}
}

func describe(text string, matches []Match) []string {
	var out []string
	for _, m := range matches {
		out = append(out, m.Kind+": "+text[m.Start:m.End])
	}
	return out
}

func TestNamed(t *testing.T) {
	for _, c := range []struct {
		key, text, want string
		syntax          Syntax
	}{
		{text: "password: hunter22", want: "hunter22"},
		{text: `"password": "hunter22",`, want: "hunter22"},
		{text: "  password: 'correct'", want: "correct"},
		{text: "admin_password = s3cr3t!x", want: "s3cr3t!x"},
		{text: "DB_PASSWORD=abcd1234", want: "abcd1234"},
		{text: "adminPassword: abcd1234", want: "abcd1234"},
		{text: "spring.datasource.password=abcd1234", want: "abcd1234"},
		{text: "  password hunter22", want: "hunter22"},
		{text: "run --user x --password hunter22", want: "hunter22"},
		{text: "run --password=hunter22 --verbose", want: "hunter22"},
		{text: "api_key: 8f4Kq-2mX9c-vb31L", want: "8f4Kq-2mX9c-vb31L"},
		{text: "clientSecret: '8f4Kq2mX9cvb31L'", want: "8f4Kq2mX9cvb31L"},
		{text: "url: postgres://app:hunter22@db.shop.svc:5432/app", want: "hunter22"},
		{text: "https://user:8f4Kq2mX9c@proxy.example.net", want: "8f4Kq2mX9c"},
		{key: "ADMIN_PASSWORD", text: "hunter22", want: "hunter22"},
		{key: "api-token", text: "8f4Kq2mX9cvb31L", want: "8f4Kq2mX9cvb31L"},
		{text: "{ password: 'hunter22' }", syntax: Code, want: "hunter22"},
		{text: "env_+: { DB_PASSWORD: 'hunter22' }", syntax: Code, want: "hunter22"},
		{text: `password:: "hunter22",`, syntax: Code, want: "hunter22"},

		// What only stands for one.
		{text: "password: ${PASSWORD}"}, {text: "password: $PASSWORD"}, {text: "password: $(PASSWORD)"}, {text: "password: %(password)s"},
		{text: "password: {{ .Values.password }}"}, {text: "password: <password>"}, {text: "password: CHANGEME"}, {text: "password: change-me-please"},
		{text: "password: ********"}, {text: "password: ''"}, {text: "password:"}, {text: "password: null"}, {text: "password: xxxxxxxx"},
		{text: "password: your-password-here"}, {text: `password "#{ENV['PASSWORD']}"`}, {text: "password: AKIAIOSFODNN7" + "EXAMPLE"},
		{text: "url: https://${USER}:${PASSWORD}@db.example.net"}, {text: "url: https://user@host:443/"}, {text: "ssh://git@host:22/x@y"},
		// What is about one.
		{text: "passwordFile: /etc/password"}, {text: "password: /etc/secrets/password"}, {text: "secretName: logging-users"}, {text: "tokenTTL: 24h"},
		{text: "token: /var/run/secrets/token"}, {text: "secret: fluentd-elasticsearch"}, {text: "credential: monitoring.grafana-admin2"},
		{text: "password must be eight characters"}, {text: "The password: it is made up once"}, {text: "passwords are hashed"},
		{key: "secretName", text: "monitoring-grafana-admin"}, {key: "description", text: "the password of the user"},
		{key: "password", text: "$PASSWORD"}, {key: "PASSWORD_FILE", text: "/run/password"},
		{text: "password: kube.SecretKeyRef(users, 'elastic')", syntax: Code}, {text: "password: std.base64(x)", syntax: Code}, {text: "local password = self.password,", syntax: Code},
		{text: "kind: Secret"}, {text: "resources: ['secrets'],"}, {text: "key: value"}, {text: "apiKey: name"}, {text: "a = b"}, {text: "=:=:"},
	} {
		got := Scan(c.key, c.text, c.syntax)
		switch {
		case c.want == "" && len(got) > 0:
			t.Errorf("%s %q: got %v", c.key, c.text, describe(c.text, got))
		case c.want != "" && (len(got) != 1 || c.text[got[0].Start:got[0].End] != c.want):
			t.Errorf("%s %q: got %v, want %s", c.key, c.text, describe(c.text, got), c.want)
		}
	}
}

// What looks random and is public.
func TestPublic(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	bytes := func(n int) []byte {
		out := make([]byte, n)
		for i := range out {
			out[i] = byte(random.UintN(256))
		}
		return out
	}
	b64 := func(n int) string { return base64.StdEncoding.EncodeToString(bytes(n)) }
	hexed := func(n int) string { return hex.EncodeToString(bytes(n)) }
	certificate := "-----BEGIN CERTIFICATE-----\n" + b64(48) + "\n" + b64(48) + "\n-----END CERTIFICATE-----\n"
	for range 200 {
		for _, c := range []struct{ key, text string }{
			{"image", "registry.example.net/web:1.2@sha256:" + hexed(32)},
			{"", "sha512-" + b64(64)},
			{"checksum/config", hexed(16)},
			{"checksum/config", hexed(32)},
			{"", "revision: " + hexed(20)},
			{"commit", hexed(20)},
			{"", `"sha256": "` + hexed(32) + `"`},
			{"", "h1:" + b64(32)},
			{"caBundle", base64.StdEncoding.EncodeToString([]byte(certificate))},
			{"caBundle", b64(60)},
			{"tls.crt", certificate},
			{"", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + b64(32) + " somebody"},
			{"", "ssh-rsa AAAAB3NzaC1yc2E" + b64(200)},
			{"", "age1" + strings.Repeat("qpzry9x8gf", 6)[:58]},
			{"", fmt.Sprintf("%x-%x-%x-%x-%x", bytes(4), bytes(2), bytes(2), bytes(2), bytes(6))},
			{"", "https://cdn.example.net/assets/" + hexed(20) + "/x.js"},
			{"", "data:image/png;base64," + b64(120)},
			{"uid", hexed(16)},
		} {
			if got := Scan(c.key, c.text, Data); len(got) > 0 {
				t.Fatalf("%s %q: got %v", c.key, c.text, describe(c.text, got))
			}
		}
	}
	for _, text := range []string{
		"kubernetes_io_storage_class_parameters_total_2024", "nginx_ingress_controller_upstream_server_response_latency_ms_bucket",
		"requiredDuringSchedulingIgnoredDuringExecution", "/usr/share/elasticsearch/config/certs/tls.crt", "ValidatingAdmissionPolicyBinding2",
		"arn:aws:iam::123456789012:role/cert-manager.cert-manager.sa.dev.example.net", "i-0123456789abcdef0", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
		"ELASTICSEARCH_PASSWORD_FILE_2_FOR_TESTS", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:26], "jenkins-admin-generate-4ad65c1b", "2026-11-23T10:00:00.000000000Z",
		"00000000000000000000000000000000", "1.35.4-debian-12-r0-amd64-20260101", "sum by (le) (rate(apiserver_request_duration_seconds_bucket[5m]))",
	} {
		if got := Scan("", text, Data); len(got) > 0 {
			t.Errorf("%q: got %v", text, describe(text, got))
		}
	}
}

// How many random secrets of the usual forms are found without any name.
func TestRecall(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	from := func(alphabet string, n int) string {
		out := make([]byte, n)
		for i := range out {
			out[i] = alphabet[random.IntN(len(alphabet))]
		}
		return string(out)
	}
	const lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	for _, c := range []struct {
		name, alphabet string
		length         int
		want           float64
	}{
		{"20 letters and digits", lower + upper + digits, 20, 0.9},
		{"24 letters and digits", lower + upper + digits, 24, 0.94},
		{"32 letters and digits", lower + upper + digits, 32, 0.96},
		{"40 of base64, as AWS' secret keys", lower + upper + digits + "+/", 40, 0.98},
		{"43 of base64 for URLs", lower + upper + digits + "-_", 43, 0.98},
		{"32 lower-case letters and digits", lower + digits, 32, 0.9},
		{"32 hexadecimal", "0123456789abcdef", 32, 0.95},
		{"40 hexadecimal", "0123456789abcdef", 40, 0.98},
		{"64 hexadecimal", "0123456789abcdef", 64, 0.99},
	} {
		const n = 2000
		found := 0
		for range n {
			secret := from(c.alphabet, c.length)
			if len(Scan("", "value: "+secret, Data)) == 1 {
				found++
			}
		}
		if recall := float64(found) / n; recall < c.want {
			t.Errorf("%s: found %.1f %%, want %.0f %%", c.name, 100*recall, 100*c.want)
		} else {
			t.Logf("%s: found %.1f %%", c.name, 100*recall)
		}
	}
}

// Nothing in this repository's declarations, vendored definitions, dashboards and
// rendered objects is a secret, and it takes no time to know.
func TestRepositoryHasNone(t *testing.T) {
	const root = "../../../.."
	for _, dir := range []string{"addons", "clusters", "lib", "generated"} {
		err := fs.WalkDir(os.DirFS(root), dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(filepath.Join(root, path))
			if err != nil {
				return err
			}
			syntax := Data
			if strings.HasSuffix(path, "sonnet") || strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".groovy") {
				syntax = Code
			}
			if got := Scan("", string(text), syntax); len(got) > 0 {
				t.Errorf("%s: %v", path, describe(string(text), got))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Texts that are all candidates take no longer than others.
func TestHostileTexts(t *testing.T) {
	for _, part := range []string{"password=a1b2c3 ", "token='", "token=\"", ":", "password ", "a:b@", "x://a:b@c ", "key x1\n", "secret=aB3dE5fG7hJ9kL1mN", "-----BEGIN ", "eyJ", "a/", "ab/", "ab="} {
		start := time.Now()
		Scan("", strings.Repeat(part, 1<<18/len(part)), Data)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%q: took %s", part, took)
		}
	}
}

func TestPreviewTellsLittle(t *testing.T) {
	for secret, want := range map[string]string{
		"":                     "0 characters",
		"hunter22":             "8 characters",
		"abcdefghijkl":         "abcd…, 12 characters",
		"äöüßäöüßäöüß":         "äöüß…, 12 characters",
		"-----BEGIN\nabcdefgh": "----…, 19 characters",
		"a\nb\ncdefghijklmnop": "a b …, 18 characters",
	} {
		if got := Preview(secret); got != want {
			t.Errorf("%q: got %q, want %q", secret, got, want)
		}
	}
}

func TestPlaceholder(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "CHANGEME": true, "<your token>": true, "${X}": true, "hunter22": false, "two words": false,
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n":  true,
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\nx": false,
	} {
		if got := Placeholder(text); got != want {
			t.Errorf("%q: got %t", text, got)
		}
	}
}

// Whatever the text, matches are parts of it, in order, apart, and short secrets
// aren't shown.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		"password: hunter22", "x://a:b@c", "AK" + "IA" + "Q3EGRIJ2K7ZXW5TB", "-----BEGIN " + "PRIVATE KEY-----\n" + body, "a=b=c=d:::==>", "'\"\\", "token \x00\xff",
		"gh" + "p_" + letters, "password\tx1x2x3\r\n", "h1:" + letters,
	} {
		f.Add("", seed, true)
		f.Add("password", seed, false)
	}
	f.Fuzz(func(t *testing.T, key, text string, code bool) {
		syntax := Data
		if code {
			syntax = Code
		}
		end := 0
		for _, m := range Scan(key, text, syntax) {
			if m.Start < end || m.End <= m.Start || m.End > len(text) || m.Kind == "" {
				t.Fatalf("%q: %+v after %d", text, m, end)
			}
			end = m.End
			secret := text[m.Start:m.End]
			if preview := Preview(secret); utf8.RuneCountInString(secret) >= 4 && strings.Contains(preview, secret) && !strings.Contains("characters", secret) {
				t.Fatalf("%q is shown as %q", secret, preview)
			}
		}
		Placeholder(text)
	})
}
