package embedded

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

	"platform/internal/check"
	"platform/internal/check/spelling"
	"platform/internal/plan"
)

// nginxIngress checks the settings of F5's ingress controller: a ConfigMap that
// it reads by name. It ignores what it doesn't know, and says so only in its log.
func (p *program) nginxIngress() []check.Finding {
	value, field, ok := p.flag("nginx-configmaps")
	if !ok {
		return nil
	}
	namespace, name, ok := strings.Cut(value, "/")
	if !ok || strings.Contains(value, "$(") {
		return nil
	}
	texts, declared := p.cluster.texts("ConfigMap", namespace, name)
	if !declared {
		return []check.Finding{p.at(field, fmt.Sprintf("-nginx-configmaps names ConfigMap %s, which isn't declared", value), "Declare it: the controller doesn't start without it.")}
	}
	var out []check.Finding
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		t := texts[key]
		if t == nil {
			continue
		}
		setting, known := settings[key]
		switch {
		case !known:
			message := fmt.Sprintf("the controller has no setting %s", key)
			if near := spelling.Closest(key, slices.Sorted(maps.Keys(settings))); near != "" {
				message += "; it has " + near
			}
			out = append(out, t.at(0, message, "Use a setting that it has, or a snippet."))
		case setting.context != "":
			out = append(out, snippet(t, setting.context)...)
		case setting.check != nil:
			if want := setting.check(strings.TrimSpace(t.content)); want != "" {
				out = append(out, t.at(0, fmt.Sprintf("%s is %q, and not %s", key, t.content, want), "Write it as the controller takes it."))
			}
		}
	}
	return out
}

// setting is a key of the controller's ConfigMap.
type setting struct {
	// context is the block that a snippet is for.
	context string
	// check says what a value should be that it isn't.
	check func(string) string
}

func pattern(expression, want string) setting {
	re := regexp.MustCompile(`^(?:` + expression + `)$`)
	return setting{check: func(s string) string {
		if re.MatchString(s) {
			return ""
		}
		return want
	}}
}

var (
	anything = setting{}
	boolean  = setting{check: func(s string) string {
		if _, err := strconv.ParseBool(s); err != nil {
			return "a boolean"
		}
		return ""
	}}
	number   = pattern(`\d+`, "a number")
	duration = pattern(`(?:\d+(?:ms|[smhdwMy])? ?)+`, "a time, such as 30s")
	size     = pattern(`\d+[kKmMgG]?`, "a size, such as 16k")
	buffers  = pattern(`\d+ \d+[kKmM]?`, "a number and a size, such as 8 4k")
	status   = pattern(`301|302|307|308`, "301, 302, 307 or 308")
	workers  = pattern(`\d+|auto`, "a number or auto")
	escaping = pattern(`default|json|none`, "default, json or none")
	level    = pattern(`debug|info|notice|warn|error|crit|alert|emerg`, "a level of nginx' log")
	tls      = pattern(`(?:(?:SSLv[23]|TLSv1(?:\.[123])?)\s*)+`, "versions such as TLSv1.2 TLSv1.3")
	networks = setting{check: func(s string) string {
		for network := range strings.SplitSeq(s, ",") {
			network = strings.TrimSpace(network)
			if network != "unix:" && len(validation.IsValidCIDR(nil, network)) > 0 && len(validation.IsValidIP(nil, network)) > 0 {
				return "networks or addresses between commas"
			}
		}
		return ""
	}}
)

// settings are those that the controller has without NGINX Plus and its modules
// that are sold apart.
var settings = map[string]setting{
	"main-snippets":     {context: "main"},
	"http-snippets":     {context: "http"},
	"server-snippets":   {context: "server"},
	"location-snippets": {context: "location"},
	"stream-snippets":   {context: "stream"},

	"access-log":                    pattern(`syslog:.+`, "syslog:…"),
	"access-log-off":                boolean,
	"client-body-buffer-size":       size,
	"client-max-body-size":          size,
	"default-server-access-log-off": boolean,
	"default-server-return":         anything,
	"error-log-level":               level,
	"external-status-address":       anything,
	"fail-timeout":                  duration,
	"hsts":                          boolean,
	"hsts-behind-proxy":             boolean,
	"hsts-include-subdomains":       boolean,
	"hsts-max-age":                  number,
	"http-redirect-code":            status,
	"http2":                         boolean,
	"ingress-template":              anything,
	"keepalive":                     number,
	"keepalive-requests":            number,
	"keepalive-timeout":             duration,
	"lb-method":                     anything,
	"log-format":                    anything,
	"log-format-escaping":           escaping,
	"main-template":                 anything,
	"map-hash-bucket-size":          number,
	"map-hash-max-size":             number,
	"max-conns":                     number,
	"max-fails":                     number,
	"otel-exporter-endpoint":        anything,
	"otel-exporter-header-name":     anything,
	"otel-exporter-header-value":    anything,
	"otel-service-name":             anything,
	"otel-trace-in-http":            boolean,
	"proxy-buffer-size":             size,
	"proxy-buffering":               boolean,
	"proxy-buffers":                 buffers,
	"proxy-busy-buffers-size":       size,
	"proxy-connect-timeout":         duration,
	"proxy-hide-headers":            anything,
	"proxy-max-temp-file-size":      size,
	"proxy-next-upstream":           anything,
	"proxy-next-upstream-timeout":   duration,
	"proxy-next-upstream-tries":     number,
	"proxy-pass-headers":            anything,
	"proxy-protocol":                boolean,
	"proxy-read-timeout":            duration,
	"proxy-send-timeout":            duration,
	"real-ip-header":                anything,
	"real-ip-recursive":             boolean,
	"redirect-to-https":             boolean,
	"server-names-hash-bucket-size": number,
	"server-names-hash-max-size":    number,
	"server-tokens":                 boolean,
	"set-real-ip-from":              networks,
	"ssl-ciphers":                   anything,
	"ssl-dhparam-file":              anything,
	"ssl-prefer-server-ciphers":     boolean,
	"ssl-protocols":                 tls,
	"ssl-redirect":                  boolean,
	"stream-log-format":             anything,
	"stream-log-format-escaping":    escaping,
	"transportserver-template":      anything,
	"upstream-zone-size":            size,
	"variables-hash-bucket-size":    number,
	"variables-hash-max-size":       number,
	"virtualserver-template":        anything,
	"worker-connections":            number,
	"worker-cpu-affinity":           anything,
	"worker-processes":              workers,
	"worker-rlimit-nofile":          number,
	"worker-shutdown-timeout":       duration,
}

// foreignAnnotations are those of the ingress controller that Kubernetes had once.
const foreignAnnotations = "nginx.ingress.kubernetes.io/"

// annotationSnippets are annotations of Ingresses that nginx reads, by the block
// that they are put into.
var annotationSnippets = map[string]string{
	"nginx.org/location-snippets": "location",
	"nginx.org/server-snippets":   "server",
}

// ingressAnnotations checks the annotations of Ingresses.
func (c *cluster) ingressAnnotations() []check.Finding {
	var out []check.Finding
	for _, file := range c.Files {
		for _, object := range file.Objects {
			if object.GroupVersionKind().GroupKind() != (schema.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}) {
				continue
			}
			annotations := object.GetAnnotations()
			for _, key := range slices.Sorted(maps.Keys(annotations)) {
				t := &text{c.Name, declared{file, object}, plan.JoinPath("metadata.annotations", key), annotations[key]}
				if context := annotationSnippets[key]; context != "" {
					out = append(out, snippet(t, context)...)
				}
				if strings.HasPrefix(key, foreignAnnotations) {
					out = append(out, t.at(0, "the cluster's ingress controller ignores annotations "+foreignAnnotations+"…, which are another's", "Use its own, nginx.org/…, or remove it."))
				}
			}
		}
	}
	return out
}
