package fluentd

// known is what is known of a plugin: without these parameters it doesn't start,
// and it has no other sections than these and those of helpers.
type known struct {
	required []string
	sections []string
	// parses says that its <parse> has no default.
	parses bool
}

// helpers are the sections that any plugin may have, by its kind: those of
// fluentd's plugin helpers.
var helpers = map[string][]string{
	"source": {"extract", "format", "inject", "parse", "service_discovery", "storage"},
	"filter": {"extract", "format", "inject", "parse", "storage"},
	"match":  {"buffer", "extract", "format", "inject", "parse", "secondary", "service_discovery", "storage"},
	"store":  {"buffer", "extract", "format", "inject", "parse", "secondary", "service_discovery", "storage"},
}

// plugins are those of the daemon set's image that are in use here or elsewhere
// most often. Of others nothing is known, so nothing is said.
var plugins = map[string]known{
	"source tail":                      {required: []string{"path", "tag"}, sections: []string{"group", "parse"}, parses: true},
	"source forward":                   {sections: []string{"client", "security", "transport", "user"}},
	"source systemd":                   {required: []string{"tag"}, sections: []string{"entry"}},
	"source monitor_agent":             {},
	"source prometheus":                {sections: []string{"transport"}},
	"source prometheus_monitor":        {sections: []string{"labels"}},
	"source prometheus_output_monitor": {sections: []string{"labels"}},
	"source prometheus_tail_monitor":   {sections: []string{"labels"}},

	"filter concat":              {required: []string{"key"}},
	"filter grep":                {sections: []string{"and", "exclude", "or", "regexp"}},
	"filter kubernetes_metadata": {},
	"filter parser":              {required: []string{"key_name"}, parses: true},
	"filter prometheus":          {sections: []string{"labels", "metric"}},
	"filter record_transformer":  {sections: []string{"record"}},
	"filter stdout":              {},

	"match copy":          {sections: []string{"store"}},
	"match elasticsearch": {},
	"match file":          {required: []string{"path"}},
	"match forward":       {sections: []string{"security", "server"}},
	"match null":          {},
	"match relabel":       {required: []string{"@label"}},
	"match roundrobin":    {sections: []string{"store"}},
	"match stdout":        {},
}
