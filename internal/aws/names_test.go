package aws

import (
	"fmt"
	"strings"
	"testing"
)

func TestCanonicalName(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"example.net", "example.net"},
		{"Example.NET.", "example.net"},
		{`\052.k.dev.example.net.`, "*.k.dev.example.net"},
		{"*.k.dev.example.net", "*.k.dev.example.net"},
		{`\101.example.net`, "a.example.net"},
		{`a\05`, `a\05`},
		{`a\059`, `a\059`},
		{`a\452`, `a\452`}, // no byte
		{`\\052`, `\*`},
		{"", ""},
		{".", ""},
	} {
		if got := canonicalName(test.in); got != test.want {
			t.Errorf("%q: got %q, want %q", test.in, got, test.want)
		}
	}
}

// escaped writes a name as Route 53 does.
func escaped(name string) string {
	var out strings.Builder
	for _, c := range []byte(strings.ToLower(name)) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-_.", c) >= 0 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, `\%03o`, c)
		}
	}
	return out.String() + "."
}

// FuzzCanonicalName holds that a name and what Route 53 makes of it are the
// same name.
func FuzzCanonicalName(f *testing.F) {
	for _, name := range []string{"*.k.dev.example.net", "example.net", `\052`, "a b", "\x00", "ß"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		canonicalName(name) // whatever it is
		ascii := strings.IndexFunc(name, func(r rune) bool { return r > 127 || r == '\\' }) < 0
		if !ascii || strings.HasSuffix(name, ".") {
			return
		}
		if got, want := canonicalName(escaped(name)), canonicalName(name); got != want {
			t.Errorf("%q is %q, but as Route 53 writes it (%q) it is %q", name, want, escaped(name), got)
		}
		if again := canonicalName(canonicalName(name)); again != canonicalName(name) {
			t.Errorf("%q: %q becomes %q", name, canonicalName(name), again)
		}
	})
}

func TestMark(t *testing.T) {
	want := mark{Cluster: "dev.example.net", Record: "*.k.dev.example.net", Type: "A"}
	if text := want.text(); text != `"heritage=platform,cluster=dev.example.net,record=*.k.dev.example.net,type=A"` {
		t.Errorf("the mark is %s", text)
	}
	if got, ok := parseMark(want.text()); !ok || got != want {
		t.Errorf("read back it is %+v, %v", got, ok)
	}
	for _, other := range []string{``, `""`, `"v=spf1 -all"`, `"heritage=external-dns,external-dns/owner=x"`, `"heritage=platforms,cluster=dev.example.net"`} {
		if got, ok := parseMark(other); ok {
			t.Errorf("%s is taken for a mark: %+v", other, got)
		}
	}
	if got := markName("*.k.dev.example.net"); got != "_platform.k.dev.example.net" {
		t.Errorf("it is at %s", got)
	}
}

func TestTargetGroupName(t *testing.T) {
	s := testSpec(t)
	http := targetGroupName(s, "vpc-1", "http")
	if !strings.HasPrefix(http, "dev-example-net-") || !strings.Contains(http, "-http-") || len(http) > 32 {
		t.Errorf("the name is %s", http)
	}
	if again := targetGroupName(s, "vpc-1", "http"); again != http {
		t.Errorf("the name is %s now, and was %s", again, http)
	}
	// What can't be changed of a target group makes another one.
	other := testSpec(t)
	l := other.Ingress.Listeners["http"]
	l.NodePort++
	other.Ingress.Listeners["http"] = l
	for what, name := range map[string]string{
		"node port": targetGroupName(other, "vpc-1", "http"),
		"VPC":       targetGroupName(s, "vpc-2", "http"),
		"listener":  targetGroupName(s, "vpc-1", "https"),
	} {
		if name == http {
			t.Errorf("another %s has the same name", what)
		}
	}
	// What can, doesn't.
	l = s.Ingress.Listeners["http"]
	l.Port, l.HealthCheckPath = 8080, "/healthz"
	s.Ingress.Listeners["http"] = l
	if name := targetGroupName(s, "vpc-1", "http"); name != http {
		t.Errorf("another port and health check make another group: %s", name)
	}
}
