package views

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"platform/internal/check"
)

// The part of the JUnit format that Jenkins reads.
type (
	testSuites struct {
		XMLName  xml.Name    `xml:"testsuites"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Suites   []testSuite `xml:"testsuite"`
	}
	testSuite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Time     string     `xml:"time,attr"`
		Cases    []testCase `xml:"testcase"`
	}
	testCase struct {
		ClassName string   `xml:"classname,attr"`
		Name      string   `xml:"name,attr"`
		File      string   `xml:"file,attr,omitempty"`
		Line      int      `xml:"line,attr,omitempty"`
		Time      string   `xml:"time,attr"`
		Failure   *failure `xml:"failure,omitempty"`
	}
	failure struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a suite for each rule, a failed case for each finding, and one
// passed case for a rule that found nothing, so that it is seen to have run.
func JUnit(w io.Writer, result *check.Result, rules []check.Rule) error {
	all := testSuites{Name: "platform check"}
	seconds := 0.0
	for _, ran := range result.Rules {
		suite := testSuite{Name: ran.Rule, Time: fmt.Sprintf("%.3f", ran.Seconds)}
		seconds += ran.Seconds
		for _, f := range result.Findings {
			if f.Rule != ran.Rule {
				continue
			}
			text := strings.Join(nonEmpty(Place(f)+": "+Message(f), Why(f, rules), f.Fix), "\n")
			suite.Cases = append(suite.Cases, testCase{
				ClassName: "check." + ran.Rule, Name: clean(strings.Join(nonEmpty(Place(f), f.Object, f.Path), " ")), File: f.File, Line: f.Line, Time: "0",
				Failure: &failure{Type: string(f.Level), Message: clean(Message(f)), Text: clean(text)},
			})
		}
		suite.Failures = len(suite.Cases)
		if suite.Failures == 0 {
			suite.Cases = []testCase{{ClassName: "check." + ran.Rule, Name: title(ran.Rule, rules), Time: suite.Time}}
		}
		suite.Tests = len(suite.Cases)
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Suites = append(all.Suites, suite)
	}
	all.Time = fmt.Sprintf("%.3f", seconds)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func title(name string, rules []check.Rule) string {
	for _, rule := range rules {
		if rule.Name == name {
			return rule.Title
		}
	}
	return name
}

func nonEmpty(parts ...string) []string {
	var out []string
	for _, part := range parts {
		if part != "" {
			out = append(out, part)
		}
	}
	return out
}

// clean drops what no XML document can hold.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r != 0xFFFE && r != 0xFFFF && r != 0xFFFD {
			return r
		}
		return '?'
	}, text)
}
