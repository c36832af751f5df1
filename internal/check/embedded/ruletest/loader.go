package ruletest

import (
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// loader gives rules to the rule manager as if they were files: those that a
// test needs.
type loader struct {
	files map[string]string
	// needed are names of alerts and recorded series; nil is all.
	needed map[string]bool
}

func (l *loader) Load(name string, ignoreUnknownFields bool, scheme model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	groups, errs := rulefmt.Parse([]byte(l.files[name]), ignoreUnknownFields, scheme)
	if groups == nil || l.needed == nil {
		return groups, errs
	}
	for i := range groups.Groups {
		group := &groups.Groups[i]
		kept := group.Rules[:0:0]
		for _, rule := range group.Rules {
			if l.needed[rule.Alert] || l.needed[rule.Record] {
				kept = append(kept, rule)
			}
		}
		group.Rules = kept
	}
	return groups, errs
}

func (l *loader) Parse(query string) (parser.Expr, error) { return parser.ParseExpr(query) }

// needed are the rules that the results of a test depend on, which are a few of
// many: the others needn't be evaluated a hundred times. It is nil for all rules.
func (t *test) needed(files map[string]string) map[string]bool {
	expressions := map[string][]string{}
	for _, content := range files {
		groups, _ := rulefmt.Parse([]byte(content), false, model.UTF8Validation)
		if groups == nil {
			return nil
		}
		for _, group := range groups.Groups {
			for _, rule := range group.Rules {
				name := rule.Alert + rule.Record
				expressions[name] = append(expressions[name], rule.Expr)
			}
		}
	}
	out, all := map[string]bool{}, false
	var need func(name string)
	look := func(expression string) {
		expr, err := parser.ParseExpr(expression)
		if err != nil {
			all = true
			return
		}
		parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
			s, ok := node.(*parser.VectorSelector)
			switch {
			case !ok:
			case s.Name == "" || s.Name == "ALERTS" || s.Name == "ALERTS_FOR_STATE":
				// Anything, or what any alert makes.
				all = true
			default:
				need(s.Name)
			}
			return nil
		})
	}
	need = func(name string) {
		if !out[name] {
			out[name] = true
			for _, expression := range expressions[name] {
				look(expression)
			}
		}
	}
	for _, a := range t.Alerts {
		need(a.Alertname)
	}
	for _, e := range t.Expressions {
		look(e.Expr)
	}
	if all {
		return nil
	}
	delete(out, "")
	return out
}
