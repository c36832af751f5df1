package views

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"platform/internal/check"
)

// The part of SARIF 2.1.0 that code hosts read:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool            `json:"tool"`
		Bases   map[string]sarifBase `json:"originalUriBaseIds"`
		Results []sarifResult        `json:"results"`
		Columns string               `json:"columnKind"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"semanticVersion,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
		Full  sarifText `json:"fullDescription"`
		Help  sarifText `json:"help"`
	}
	sarifBase struct {
		Description sarifText `json:"description"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId"`
	}
	sarifRegion struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
)

const sarifRoot = "%SRCROOT%"

// SARIF writes findings as a log of static analysis results.
func SARIF(w io.Writer, result *check.Result, rules []check.Rule, version string) error {
	run := sarifRun{
		Tool:    sarifTool{Driver: sarifDriver{Name: "platform check", Version: version, Rules: []sarifRule{}}},
		Bases:   map[string]sarifBase{sarifRoot: {Description: sarifText{"The root of the repository."}}},
		Results: []sarifResult{},
		Columns: "unicodeCodePoints",
	}
	index := map[string]int{}
	for _, rule := range rules {
		index[rule.Name] = len(run.Tool.Driver.Rules)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: rule.Name, Short: sarifText{rule.Title}, Full: sarifText{rule.Why}, Help: sarifText{rule.Why},
		})
	}
	for _, f := range result.Findings {
		text := strings.Join(nonEmpty(Message(f)+".", Why(f, rules), f.Fix), " ")
		uri := url.URL{Path: filepath.ToSlash(f.File)}
		location := sarifLocation{Physical: sarifPhysical{
			Artifact: sarifArtifact{URI: uri.String(), Base: sarifRoot},
			// A finding about a whole file is shown at its top.
			Region: sarifRegion{Line: max(f.Line, 1), Column: f.Column},
		}}
		if f.Object != "" {
			location.Logical = []sarifLogical{{Name: strings.Join(nonEmpty(f.Object, f.Path), " "), Kind: "object"}}
		}
		run.Results = append(run.Results, sarifResult{
			RuleID: f.Rule, RuleIndex: index[f.Rule], Level: string(f.Level),
			Message: sarifText{text}, Locations: []sarifLocation{location},
		})
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	})
}
