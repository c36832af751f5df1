package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// canonicalName writes a domain name as we compare it: lower case, without the
// trailing dot, and with Route 53's octal escapes (\052 for the asterisk)
// resolved.
func canonicalName(name string) string {
	out := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '\\' && i+3 < len(name) && octal(name[i+1:i+4]) {
			c = (name[i+1]-'0')<<6 | (name[i+2]-'0')<<3 | (name[i+3] - '0')
			i += 3
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	return strings.TrimSuffix(string(out), ".")
}

// octal reports whether three digits are the escape of a byte.
func octal(digits string) bool {
	if digits[0] > '3' {
		return false
	}
	for _, d := range []byte(digits) {
		if d < '0' || d > '7' {
			return false
		}
	}
	return true
}

// markName is the name of the TXT record that says whose a record is.
func markName(record string) string {
	return "_platform." + strings.TrimPrefix(record, "*.")
}

// mark is what such a TXT record says.
type mark struct {
	Cluster string
	Record  string
	Type    string
}

const heritage = "heritage=platform"

// text is the mark as the value of a TXT record, quotes included.
func (m mark) text() string {
	return fmt.Sprintf(`"%s,cluster=%s,record=%s,type=%s"`, heritage, m.Cluster, m.Record, m.Type)
}

// parseMark reads a value of a TXT record.
func parseMark(value string) (mark, bool) {
	parts := strings.Split(strings.Trim(value, `"`), ",")
	if parts[0] != heritage {
		return mark{}, false
	}
	var m mark
	for _, part := range parts[1:] {
		key, v, _ := strings.Cut(part, "=")
		switch key {
		case "cluster":
			m.Cluster = v
		case "record":
			m.Record = canonicalName(v)
		case "type":
			m.Type = v
		}
	}
	return m, true
}

const (
	maxTargetGroupName = 32
	hashLength         = 6
)

// targetGroupName names a listener's target group in one VPC. What can't be
// changed of a target group is in the hash, so that a group that has to be
// replaced and its successor can exist side by side.
func targetGroupName(s Spec, vpc, listener string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%s\n%d", s.Cluster, s.Ingress.Name, listener, vpc, protocolTCP, s.Ingress.Listeners[listener].NodePort))
	tail := "-" + listener + "-" + hex.EncodeToString(sum[:])[:hashLength]
	head := s.Ingress.Name
	if room := maxTargetGroupName - len(tail); len(head) > room {
		head = head[:room]
		// A name cut between words reads better, if enough is left of it.
		if i := strings.LastIndexByte(head, '-'); i > room/2 {
			head = head[:i]
		}
	}
	return strings.TrimRight(head, "-") + tail
}

// groupName is the name of the load balancer's security group.
func groupName(cluster string) string { return "ingress." + cluster }

// nodesGroupName is the name that kops gives to the nodes' security group.
func nodesGroupName(cluster string) string { return "nodes." + cluster }
