package ui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestConfirm(t *testing.T) {
	for _, test := range []struct {
		name, answer string
		want, fails  bool
	}{
		{"yes", "yes\n", true, false},
		{"yes without a newline", "yes", true, false},
		{"y isn't enough", "y\n", false, false},
		{"no", "no\n", false, false},
		{"empty", "\n", false, false},
		{"nobody there", "", false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			got, err := Streams{In: strings.NewReader(test.answer), Err: &out}.Confirm(t.Context(), "Delete it?")
			if got != test.want || (err != nil) != test.fails || !strings.HasPrefix(out.String(), "Delete it?") {
				t.Errorf("%v, %v after %q", got, err, out.String())
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	reader, _ := io.Pipe() // never answers
	if ok, err := (Streams{In: reader, Err: io.Discard}).Confirm(ctx, "?"); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v, %v", ok, err)
	}
}

func TestPaint(t *testing.T) {
	if got := (Streams{OutTerminal: true}).OutPaint().Red("x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("on a terminal: %q", got)
	}
	for name, s := range map[string]Streams{"no terminal": {}, "NO_COLOR": {OutTerminal: true, NoColor: true}} {
		if got := s.OutPaint().Red("x"); got != "x" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
