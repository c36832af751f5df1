package fluentd

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestLint(t *testing.T) {
	const source = "<source>\n @type forward\n</source>\n" // three lines
	for _, c := range []struct {
		text string
		want []string
	}{
		{source + "<match **>\n @type stdout\n</match>\n", nil},
		{source + "<match>\n @type stdout\n</match>\n", nil},
		{"<source>\n @type of.another.plugin\n <anything>\n </anything>\n</source>", nil},

		{"log_level warn", []string{"1: parameter log_level is in no section"}},
		{"<sorce>\n</sorce>", []string{"1: there is no section <sorce> here; there are filter, label, match, source, system, worker"}},
		{"<label @A>\n <source>\n </source>\n</label>", []string{"2: there is no section <source> in <label>; there are filter, match", "warning 1: nothing leads to <label @A>"}},
		{"<source>\n</source>", []string{"1: <source> has no @type"}},
		{"<source>\n type forward\n</source>", nil},
		{"<match a>\n @type copy\n <store>\n </store>\n</match>", []string{"3: <store> has no @type"}},
		{"<filter a>\n @type\n</filter>", []string{"1: <filter a> has no @type"}},
		{"<match a>\n @type null\n<match b>\n @type null\n</match>\n</match>", []string{"3: <match b> is inside of <match a>, of line 1: an end tag may be missing"}},
		{"<source>\n @type tail\n path /a\n tag a\n <pase>\n </pase>\n</source>", []string{"5: tail has no section <pase>; there are extract, format, group, inject, parse, service_discovery, storage"}},
		{"<source>\n @type tail\n path /a\n tag a\n <parse>\n </parse>\n</source>", []string{"5: <parse> has no @type"}},
		{"<source>\n @type tail\n path /a\n</source>", []string{"1: tail needs the parameter tag"}},
		{"<match a>\n @type relabel\n</match>", []string{"1: relabel needs the parameter @label"}},

		{"<label>\n</label>", []string{"1: <label> has no name"}},
		{"<label @ERROR>\n</label>\n<label @ERROR>\n</label>", []string{"3: <label @ERROR> is there twice, before in line 1"}},
		{"<source>\n @type forward\n @label @A\n</source>", []string{"3: @label is @A, but there is no <label @A>"}},
		{"<source>\n @type forward\n @label @A\n</source>\n<label @A>\n</label>", nil},
		{"<source>\n @type forward\n @label @ROOT\n</source>", nil},
		{"<worker 0>\n<source>\n @type forward\n @label @A\n</source>\n<label @A>\n</label>\n</worker>", nil},
		{"<filter a>\n @type concat\n key k\n timeout_label @T\n</filter>", []string{"4: timeout_label is @T, but there is no <label @T>"}},
		{"<label @A>\n</label>", []string{"warning 1: nothing leads to <label @A>"}},
		{"<label @ERROR>\n</label>", nil},

		{"<match **>\n @type null\n</match>\n<match a>\n @type null\n</match>", []string{"4: <match a> gets nothing: <match **> in line 1 takes it all"}},
		{"<match a.**>\n @type null\n</match>\n<filter a.b a>\n @type stdout\n</filter>", []string{"4: <filter a.b a> gets nothing: <match a.**> in line 1 takes it all"}},
		{"<match a.**>\n @type null\n</match>\n<match a.b c>\n @type null\n</match>", nil},
		{"<match a.*>\n @type null\n</match>\n<match a.b.c ab>\n @type null\n</match>", nil},
		{"<match **>\n @type null\n</match>\n<label @ERROR>\n<match **>\n @type null\n</match>\n</label>", nil},

		{"<source>\n @type forward\n @id a\n</source>\n<match a>\n @type null\n @id a\n</match>", []string{"7: @id a is there twice, before in line 3"}},
		{"<match a>\n @type null\n <buffer time>\n </buffer>\n</match>", []string{"3: <buffer time> needs the parameter timekey"}},
		{"<match a>\n @type file\n path /a/${tag}\n <buffer time>\n timekey 1d\n </buffer>\n</match>", []string{"3: path has ${tag}, but <buffer> doesn't name tag"}},
		{"<match a>\n @type file\n path /a/${tag[-1]}\n <buffer tag, time>\n timekey 1d\n </buffer>\n</match>", nil},
		{"<match a>\n @type null\n <buffer>\n @type file\n </buffer>\n</match>", []string{"3: <buffer> in files needs a path, or @id of its output and root_dir in <system>"}},
		{"<system>\n root_dir /a\n</system>\n<match a>\n @type null\n @id a\n <buffer>\n @type file\n </buffer>\n</match>", nil},
		{"<match a>\n @type null\n <buffer>\n @type file\n path /b\n </buffer>\n</match>\n<match b>\n @type null\n <buffer>\n @type file\n path /b\n </buffer>\n</match>", []string{"12: another buffer has the path /b, in line 5"}},
	} {
		root, problems := Parse(File{"fluent.conf", c.text}, nil)
		if len(problems) > 0 {
			t.Fatalf("%q: %v", c.text, problems)
		}
		var got []string
		for _, p := range Lint(root) {
			level := ""
			if p.Warning {
				level = "warning "
			}
			got = append(got, fmt.Sprintf("%s%d: %s", level, p.Line, p.Message))
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s\ngot  %s\nwant %s", c.text, strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
		}
	}
}
