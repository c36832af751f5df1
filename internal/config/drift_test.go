package config

import (
	"strings"
	"testing"
	"time"
)

func TestDriftIgnore(t *testing.T) {
	c, err := Load(write(t, good+`drift:
  ignore:
    - cluster: dev
      layer: addons
      resource: Deployment monitoring/*
      path: spec.replicas
      reason: tried out by the monitoring team
      expires: 2027-01-31
    - {resource: "*", reason: moving house, expires: "2027-02-01"}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	date := func(month, day int) time.Time { return time.Date(2027, time.Month(month), day, 0, 0, 0, 0, time.UTC) }
	want := []Ignore{
		{Cluster: "dev", Layer: "addons", Resource: "Deployment monitoring/*", Path: "spec.replicas", Reason: "tried out by the monitoring team", Expires: date(1, 31)},
		{Resource: "*", Reason: "moving house", Expires: date(2, 1)},
	}
	if len(c.Drift.Ignore) != 2 || c.Drift.Ignore[0] != want[0] || c.Drift.Ignore[1] != want[1] {
		t.Errorf("got  %+v\nwant %+v", c.Drift.Ignore, want)
	}
}

func TestDriftIgnoreRefuses(t *testing.T) {
	for _, test := range []struct{ rule, want string }{
		{"{reason: x, expires: 2027-01-31}", "drift.ignore[0].resource: required"},
		{"{resource: x, expires: 2027-01-31}", "drift.ignore[0].reason: required"},
		{"{resource: x, reason: x}", "drift.ignore[0].expires: required"},
		{"{resource: x, reason: x, expires: soon}", `"soon" is no date`},
		{"{resource: x, reason: x, expires: 2027-01-31, until: 3}", `there is no setting "drift.ignore[0].until"`},
	} {
		_, err := Load(write(t, good+"drift:\n  ignore:\n    - "+test.rule+"\n"), nil)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.rule, err, test.want)
		}
	}
}
