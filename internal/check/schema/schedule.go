package schema

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parseSchedule checks a CronJob's schedule as its controller reads it: five
// fields, or one of the words for common ones.
func parseSchedule(schedule string) error {
	if strings.Contains(schedule, "TZ") {
		return errors.New("the time zone belongs in spec.timeZone")
	}
	if every, ok := strings.CutPrefix(schedule, "@every "); ok {
		_, err := time.ParseDuration(every)
		return err
	}
	if strings.HasPrefix(schedule, "@") {
		words := []string{"@annually", "@daily", "@hourly", "@midnight", "@monthly", "@weekly", "@yearly"}
		if !slices.Contains(words, schedule) {
			return fmt.Errorf("must be five fields, or one of %s, @every", strings.Join(words, ", "))
		}
		return nil
	}
	fields := strings.Fields(schedule)
	if len(fields) != len(scheduleFields) {
		return fmt.Errorf("must be five fields (minute, hour, day, month, weekday), are %d", len(fields))
	}
	for i, f := range scheduleFields {
		for _, part := range strings.Split(fields[i], ",") {
			// An empty part of a list is skipped, an empty list isn't.
			if part == "" && fields[i] != "" {
				continue
			}
			if err := f.check(part); err != nil {
				return fmt.Errorf("%s %q: %w", f.name, part, err)
			}
		}
	}
	return nil
}

// scheduleField is one of a schedule's fields.
type scheduleField struct {
	name     string
	min, max int
	words    []string // for min and those that follow
}

var scheduleFields = []scheduleField{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day", 1, 31, nil},
	{"month", 1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{"weekday", 0, 6, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// check reads a range: *, 5, 1-5, each with an optional step behind a slash.
func (f scheduleField) check(text string) error {
	span, step, stepped := strings.Cut(text, "/")
	if stepped {
		if n, err := strconv.ParseUint(step, 10, 31); err != nil || n == 0 {
			return errors.New("the step must be a number above 0")
		}
	}
	if span == "*" || span == "?" {
		return nil
	}
	first, last, ranged := strings.Cut(span, "-")
	from, err := f.number(first)
	if err != nil || !ranged {
		return err
	}
	to, err := f.number(last)
	if err == nil && to < from {
		err = errors.New("the range ends before it begins")
	}
	return err
}

func (f scheduleField) number(text string) (int, error) {
	if i := slices.Index(f.words, strings.ToLower(text)); i >= 0 {
		return f.min + i, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || int(n) < f.min || int(n) > f.max {
		return 0, fmt.Errorf("want %d to %d", f.min, f.max)
	}
	return int(n), nil
}
