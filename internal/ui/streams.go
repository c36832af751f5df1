package ui

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Streams are where a command reads and writes: results to Out, everything
// else to Err.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	// OutTerminal and ErrTerminal say whether a person is looking at them,
	// InTerminal whether one can answer.
	InTerminal, OutTerminal, ErrTerminal bool
	// NoColor is set by NO_COLOR and --no-color.
	NoColor bool
}

// System gives the process's own streams.
func System() Streams {
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTerminal: isTerminal(os.Stdin), OutTerminal: isTerminal(os.Stdout), ErrTerminal: isTerminal(os.Stderr),
		// https://no-color.org: any value that isn't empty.
		NoColor: os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb",
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// Paint colours text written to Out or Err.
type Paint struct{ on bool }

// OutPaint colours for Out, ErrPaint for Err.
func (s Streams) OutPaint() Paint { return Paint{s.OutTerminal && !s.NoColor} }

// ErrPaint colours for Err.
func (s Streams) ErrPaint() Paint { return Paint{s.ErrTerminal && !s.NoColor} }

func (p Paint) code(code, text string) string {
	if !p.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// The colours and what they mean: green is added or well, yellow changed or
// under way, red taken away or broken, grey beside the point.
func (p Paint) Green(text string) string { return p.code("32", text) }

// Yellow is for what changes or is under way.
func (p Paint) Yellow(text string) string { return p.code("33", text) }

// Red is for what is taken away or broken.
func (p Paint) Red(text string) string { return p.code("31", text) }

// Grey is for what is beside the point.
func (p Paint) Grey(text string) string { return p.code("90", text) }

// Bold is for headings.
func (p Paint) Bold(text string) string { return p.code("1", text) }

// Confirm asks a question whose only yes is the word «yes».
func (s Streams) Confirm(ctx context.Context, question string) (bool, error) {
	fmt.Fprintf(s.Err, "%s\n  Only 'yes' will be accepted: ", question)
	answer := make(chan string, 1)
	failed := make(chan error, 1)
	go func() {
		line, err := bufio.NewReader(s.In).ReadString('\n')
		if err != nil && line == "" {
			failed <- err
			return
		}
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(s.Err)
		return false, ctx.Err()
	case err := <-failed:
		fmt.Fprintln(s.Err)
		return false, fmt.Errorf("reading the answer: %w", err)
	case text := <-answer:
		return text == "yes", nil
	}
}
