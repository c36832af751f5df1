package config

import (
	"fmt"
	"reflect"
	"time"
)

// Drift is what the drift report is to make of what it finds.
type Drift struct {
	// Ignore are findings that are known and let be, for a time.
	Ignore []Ignore `mapstructure:"ignore"`
}

// Ignore is a rule about findings of the drift report. In its patterns, * stands
// for anything; one that is left out fits everything.
type Ignore struct {
	Cluster string `mapstructure:"cluster"`
	Layer   string `mapstructure:"layer"`
	// Resource is as plans name it: Deployment monitoring/*.
	Resource string `mapstructure:"resource"`
	// Path narrows it to fields of resources that would be updated:
	// spec.template.spec.containers*.resources.*
	Path string `mapstructure:"path"`
	// Reason is for those who read the report.
	Reason string `mapstructure:"reason"`
	// Expires is the last day, in UTC, on which the rule holds.
	Expires time.Time `mapstructure:"expires"`
}

func (d Drift) validate() error {
	for i, rule := range d.Ignore {
		switch {
		case rule.Resource == "":
			return fmt.Errorf("drift.ignore[%d].resource: required, such as Deployment monitoring/*; * alone stands for every resource", i)
		case rule.Reason == "":
			return fmt.Errorf("drift.ignore[%d].reason: required: the report shows it", i)
		case rule.Expires.IsZero():
			return fmt.Errorf("drift.ignore[%d].expires: required: the last day on which the rule holds, such as 2027-01-31", i)
		}
	}
	return nil
}

// decodeDate takes a date that is in quotes; YAML itself makes a time of one
// that isn't.
func decodeDate(from, to reflect.Type, value any) (any, error) {
	if from.Kind() != reflect.String || to != reflect.TypeFor[time.Time]() {
		return value, nil
	}
	date, err := time.Parse(time.DateOnly, value.(string))
	if err != nil {
		return nil, fmt.Errorf("%q is no date; want one such as 2027-01-31", value)
	}
	return date, nil
}
