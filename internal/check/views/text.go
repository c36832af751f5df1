package views

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"platform/internal/check"
	"platform/internal/ui"
)

// Text writes findings as compilers do, FILE:LINE: first, so that editors and
// terminals can jump there; then why it matters and what to do.
func Text(w io.Writer, paint ui.Paint, result *check.Result, rules []check.Rule) {
	for i, f := range result.Findings {
		level := paint.Red(string(f.Level))
		if f.Level == check.Warning {
			level = paint.Yellow(string(f.Level))
		}
		fmt.Fprintf(w, "%s: %s: %s %s\n", paint.Bold(Place(f)), level, printable(Message(f)), paint.Grey("["+f.Rule+"]"))
		// Once for several that are wrong for the same reason.
		if i+1 < len(result.Findings) {
			if next := result.Findings[i+1]; next.Rule == f.Rule && next.Why == f.Why && next.Fix == f.Fix {
				continue
			}
		}
		for _, line := range nonEmpty(Why(f, rules), f.Fix) {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
	if len(result.Findings) > 0 {
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, Summary(result))
}

// printable keeps what a file says from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// Summary is one line: how much was looked at and what was found.
func Summary(result *check.Result) string {
	errors, warnings := 0, 0
	for _, f := range result.Findings {
		if f.Level == check.Warning {
			warnings++
		} else {
			errors++
		}
	}
	found := "no findings"
	switch {
	case errors > 0 && warnings > 0:
		found = count(errors, "error") + ", " + count(warnings, "warning")
	case errors > 0:
		found = count(errors, "error")
	case warnings > 0:
		found = count(warnings, "warning")
	}
	return fmt.Sprintf("%s: %s, %s, %s", found, count(len(result.Rules), "rule"), count(result.Files, "file"), count(result.Objects, "object"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Place is FILE:LINE:COLUMN, as much of it as is known.
func Place(f check.Finding) string {
	switch {
	case f.Line == 0:
		return f.File
	case f.Column == 0:
		return fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	return fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
}

// Message is the whole of what is wrong, in one line: with what, and where.
func Message(f check.Finding) string {
	var b strings.Builder
	if f.Object != "" {
		b.WriteString(f.Object + ": ")
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Message)
	if len(f.Clusters) > 0 && f.Object != "" {
		b.WriteString(" (" + strings.Join(f.Clusters, ", ") + ")")
	}
	return b.String()
}

// Why is the finding's own reason, or its rule's.
func Why(f check.Finding, rules []check.Rule) string {
	if f.Why != "" {
		return f.Why
	}
	for _, rule := range rules {
		if rule.Name == f.Rule {
			return rule.Why
		}
	}
	return ""
}
