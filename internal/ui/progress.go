package ui

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"platform/internal/plan"
)

// Progress shows the events of a long operation on Err. On a terminal the
// latest event stands on a status line that the next overwrites; elsewhere
// there are plain lines, those of a wait only now and then.
type Progress struct {
	out      io.Writer
	paint    Paint
	terminal bool
	verbose  bool
	width    int

	mu      sync.Mutex
	status  string
	since   time.Time
	printed time.Time
	stop    chan struct{}
	closing sync.Once
	stopped sync.WaitGroup
}

// NewProgress begins to show progress; Close ends it. Verbose shows every
// resource that was touched as a line of its own.
func NewProgress(s Streams, verbose bool) *Progress {
	p := &Progress{out: s.Err, paint: s.ErrPaint(), terminal: s.ErrTerminal, verbose: verbose, width: 80, stop: make(chan struct{})}
	if f, ok := s.Err.(interface{ Fd() uintptr }); ok && s.ErrTerminal {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			p.width = width
		}
	}
	if p.terminal {
		p.stopped.Go(p.tick)
	}
	return p
}

// plainEvery is how often a wait is mentioned where lines can't be overwritten.
const plainEvery = 15 * time.Second

// Report is a plan.Report.
func (p *Progress) Report(e plan.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := p.text(e)
	lasting := e.Resource == "" && !e.Transient || e.Action == "warning" || e.Action == "rolling" || e.Action == "rolled"
	switch {
	case lasting || p.verbose && !e.Transient:
		p.line(text)
		p.setStatus("")
	case p.terminal:
		p.setStatus(text)
	case e.Transient && e.Action != "log" && time.Since(p.printed) >= plainEvery:
		p.line(text)
	}
}

// Step prints a line that stays.
func (p *Progress) Step(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line(fmt.Sprintf(format, args...))
	p.setStatus("")
}

// Clear takes the status line away until the next event, so that something
// else can be printed.
func (p *Progress) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = ""
	p.clear()
}

// Close clears the status line for good. It may be called twice.
func (p *Progress) Close() {
	p.closing.Do(func() { close(p.stop) })
	p.stopped.Wait()
	p.Clear()
}

func (p *Progress) text(e plan.Event) string {
	parts := []string{fmt.Sprintf("%-7s", e.Layer)}
	if e.Action == "warning" {
		parts = append(parts, p.paint.Yellow("warning:"))
	} else if e.Action != "log" {
		parts = append(parts, e.Action)
	}
	if e.Resource != "" {
		parts = append(parts, e.Resource)
	}
	text := strings.Join(parts, " ")
	if e.Detail != "" {
		if e.Action == "log" || e.Action == "warning" {
			text += " " + e.Detail
		} else {
			text += ": " + e.Detail
		}
	}
	return text
}

func (p *Progress) line(text string) {
	p.clear()
	fmt.Fprintln(p.out, text)
	p.printed = time.Now()
}

func (p *Progress) setStatus(text string) {
	if !p.terminal {
		return
	}
	p.status = strings.ReplaceAll(text, "\n", " ")
	p.since = time.Now()
	p.draw()
}

func (p *Progress) clear() {
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

func (p *Progress) draw() {
	p.clear()
	if p.status == "" {
		return
	}
	text := p.status
	if waited := time.Since(p.since).Round(time.Second); waited >= 2*time.Second {
		text += fmt.Sprintf(" (%s)", waited)
	}
	runes := []rune(text)
	if len(runes) > p.width-1 {
		runes = append(runes[:p.width-2], '…')
	}
	fmt.Fprint(p.out, p.paint.Grey(string(runes)))
}

// tick keeps the seconds on the status line going, so that a person sees that
// the tool is alive.
func (p *Progress) tick() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
			p.mu.Lock()
			p.draw()
			p.mu.Unlock()
		}
	}
}
